package dev.downhill.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What ci/kernels wrote down about the PTX that ships.
 *
 * @param sources SHA-256 by file name in kernels/
 * @param ptx SHA-256 by resource name, {@code compute_75/unary_f32.ptx}
 * @param modules by name
 */
record KernelManifest(
    Map<String, String> sources, Map<String, String> ptx, Map<String, Module> modules) {
  /** A module, the file of kernels/ it was made of, and its entries in alphabetical order. */
  record Module(String name, String source, List<String> entries) {
    String ptx(int architecture) {
      return "compute_" + architecture + "/" + name + ".ptx";
    }
  }

  static KernelManifest read() throws IOException {
    KernelManifest manifest = new KernelManifest(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
    for (String line : text("manifest").lines().toList()) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "source" -> manifest.sources.put(words[2], words[1]);
        case "ptx" -> manifest.ptx.put(words[2], words[1]);
        case "module" -> {
          List<String> entries = List.of(words).subList(3, words.length);
          manifest.modules.put(words[1], new Module(words[1], words[2], entries));
        }
        case "#", "nvcc" -> {}
        default -> throw new AssertionError("a line that ci/kernels does not write: " + line);
      }
    }
    return manifest;
  }

  /** The architectures that a module is there for: 75, and 80 where that gives another text. */
  List<Integer> architectures(Module module) {
    return ptx.containsKey(module.ptx(80)) ? List.of(75, 80) : List.of(75);
  }

  /** A file beside the manifest. */
  static String text(String resource) throws IOException {
    return new String(bytes(resource), StandardCharsets.US_ASCII);
  }

  static byte[] bytes(String resource) throws IOException {
    try (InputStream in = KernelManifest.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new AssertionError("no " + resource + " beside the classes: run ci/kernels");
      }
      return in.readAllBytes();
    }
  }

  static String sha256(Path file) throws IOException {
    return sha256(Files.readAllBytes(file));
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
