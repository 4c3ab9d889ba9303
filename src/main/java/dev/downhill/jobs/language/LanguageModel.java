package dev.downhill.jobs.language;

import dev.downhill.backend.Device;
import dev.downhill.checkpoint.Checkpoint;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.checkpoint.Safetensors;
import dev.downhill.data.Tokenizer;
import dev.downhill.jobs.JobOptions;
import dev.downhill.nn.Embedding;
import dev.downhill.nn.Init;
import dev.downhill.nn.Layer;
import dev.downhill.nn.LayerNorm;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Module;
import dev.downhill.nn.PositionalEmbedding;
import dev.downhill.nn.Sequential;
import dev.downhill.nn.TransformerBlock;
import dev.downhill.tensor.Activation;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A decoder of the kind of GPT-2 with its tokenizer: from tokens (N, T) it computes the scores (N,
 * T, vocabulary) of the token after each, from that token and those before it.
 */
public final class LanguageModel implements AutoCloseable {
  /**
   * The sizes of the network.
   *
   * @param context how many tokens it sees at most
   * @param width features a token
   * @param layers blocks of attention and a network four times as wide inside
   * @param heads of the attention
   */
  record Sizes(int context, int width, int layers, int heads) {}

  private final Tokenizer tokenizer;
  private final Sizes sizes;
  private final Sequential network;

  /** A fresh model. */
  LanguageModel(Tokenizer tokenizer, Sizes sizes, Device device, long seed) {
    this.tokenizer = tokenizer;
    this.sizes = sizes;
    this.network = network(tokenizer.size(), sizes).on(device, seed);
  }

  private static Sequential network(long vocabulary, Sizes s) {
    Init small = Init.normal(0, 0.02);
    TransformerBlock.Options causal =
        TransformerBlock.Options.DEFAULT.withCausal(true).withActivation(Activation::geluTanh);
    List<Layer> layers = new ArrayList<>();
    layers.add(new Embedding(vocabulary, s.width, Embedding.Options.DEFAULT.withWeightInit(small)));
    layers.add(new PositionalEmbedding(s.context, s.width, small));
    for (int i = 0; i < s.layers; i++) {
      layers.add(new TransformerBlock(s.width, s.heads, causal));
    }
    layers.add(new LayerNorm(s.width));
    layers.add(
        new Linear(
            s.width, vocabulary, Linear.Options.DEFAULT.withoutBias().withWeightInit(small)));
    return new Sequential(layers.toArray(Layer[]::new));
  }

  /**
   * The model that a run of the job {@code language} left.
   *
   * @param run the run folder
   * @throws IllegalArgumentException if it is the folder of another job
   * @throws CheckpointException if a file of the folder cannot be read
   */
  public static LanguageModel open(Path run, Device device) {
    String job = JobOptions.job(run);
    if (!job.equals(Language.NAME)) {
      throw new IllegalArgumentException(
          "%s: expected a run of the job %s, got one of %s".formatted(run, Language.NAME, job));
    }
    Path file = run.resolve("model.safetensors");
    Map<String, String> text;
    try (Safetensors source = Safetensors.open(file)) {
      text = source.metadata();
    }
    try (Scope _ = Scope.open()) {
      Sizes sizes =
          new Sizes(
              Integer.parseInt(text.getOrDefault("context", "")),
              Integer.parseInt(text.getOrDefault("width", "")),
              Integer.parseInt(text.getOrDefault("layers", "")),
              Integer.parseInt(text.getOrDefault("heads", "")));
      LanguageModel model = new LanguageModel(Tokenizer.of(text), sizes, device, 0);
      model.network.load(Checkpoint.load(file, device));
      return model;
    } catch (IllegalArgumentException e) {
      throw new CheckpointException("%s: damaged: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** What {@link #open} needs beside the weights. */
  Map<String, String> metadata() {
    Map<String, String> text = new LinkedHashMap<>(tokenizer.toMap());
    text.put("job", Language.NAME);
    text.put("format", "1");
    text.put("context", Integer.toString(sizes.context));
    text.put("width", Integer.toString(sizes.width));
    text.put("layers", Integer.toString(sizes.layers));
    text.put("heads", Integer.toString(sizes.heads));
    return text;
  }

  /** What text is made of. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** From tokens to scores. */
  Sequential network() {
    return network;
  }

  /** How many numbers are learned. */
  long parameters() {
    return network.parameters().stream().mapToLong(Tensor::numel).sum();
  }

  /**
   * Goes on with a text.
   *
   * @param prompt the text so far, at least one token
   * @param tokens how many to add
   * @param seed the same seed gives the same text
   * @return what was added
   * @throws IllegalArgumentException if the prompt is empty or has what the tokenizer does not know
   */
  public String goOn(String prompt, int tokens, Sampling sampling, long seed) {
    int[] text = tokenizer.encode(prompt);
    if (text.length == 0) {
      throw new IllegalArgumentException("prompt: expected at least one character, got none");
    }
    int from = text.length;
    text = Arrays.copyOf(text, from + tokens);
    HostRandom random = new HostRandom(seed, "sampling");
    try (Module.Mode _ = network.evaluating();
        Autograd.Mode _ = Autograd.noGrad()) {
      for (int i = from; i < text.length; i++) {
        text[i] = sampling.draw(scores(text, i), random);
      }
    }
    return tokenizer.decode(Arrays.copyOfRange(text, from, text.length));
  }

  /** The scores of the token at a place, from as many before it as the network can see. */
  private double[] scores(int[] text, int place) {
    int from = Math.max(0, place - sizes.context);
    long[] seen = Arrays.stream(text, from, place).asLongStream().toArray();
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(network.parameters().getFirst().device(), seen, 1, seen.length);
      return network.forward(x).narrow(1, seen.length - 1, 1).toDoubles();
    }
  }

  @Override
  public void close() {
    network.close();
  }
}
