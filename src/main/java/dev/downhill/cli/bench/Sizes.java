package dev.downhill.cli.bench;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/** The sizes of a batch and of a model, by name and in order. */
public final class Sizes {
  private final SequencedMap<String, Long> byName;

  private Sizes(SequencedMap<String, Long> byName) {
    this.byName = Collections.unmodifiableSequencedMap(byName);
  }

  /** One size; {@link #with} adds more. */
  static Sizes of(String name, long size) {
    return new Sizes(new LinkedHashMap<>(Map.of(name, size)));
  }

  /** These sizes, but one of them so large: its place stays, and a new one comes last. */
  public Sizes with(String name, long size) {
    SequencedMap<String, Long> changed = new LinkedHashMap<>(byName);
    changed.put(name, size);
    return new Sizes(changed);
  }

  /**
   * The size of a name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public long get(String name) {
    Long size = byName.get(name);
    if (size == null) {
      throw new IllegalArgumentException(
          "size: expected one of %s, got '%s'".formatted(this, name));
    }
    return size;
  }

  /** All of them. */
  public SequencedMap<String, Long> byName() {
    return byName;
  }

  @Override
  public String toString() {
    return byName.toString();
  }
}
