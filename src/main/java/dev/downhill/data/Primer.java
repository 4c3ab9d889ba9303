package dev.downhill.data;

import dev.downhill.tensor.HostRandom;
import java.util.ArrayList;
import java.util.List;

/**
 * A made-up reading book: sentences about animals, days, sums and what children carry about, one a
 * line. It is text whose entropy is known, so that a language model can be compared with the best
 * there can be.
 *
 * <p>There are five kinds of sentences. Each sentence is of a kind drawn evenly, and one of that
 * kind's drawn evenly, so that it costs ln 5 + ln n nats where the kind has n; no two sentences are
 * the same.
 */
public final class Primer {
  private static final List<String> NUMBERS =
      List.of(
          "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten");

  /** The largest number that is added to another. */
  private static final int MOST = 5;

  private static final List<String> ANIMALS =
      List.of("cow", "dog", "cat", "sheep", "duck", "pig", "horse", "owl", "frog", "bee");
  private static final List<String> SOUNDS =
      List.of("moo", "woof", "meow", "baa", "quack", "oink", "neigh", "hoo", "croak", "buzz");

  private static final List<String> DAYS =
      List.of("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday");

  private static final List<List<String>> KINDS =
      List.of(places(), sounds(), days(), sums(), baskets());

  private Primer() {}

  /**
   * So many sentences, each with a line end.
   *
   * @param seed the same seed gives the same text
   */
  public static String text(int sentences, long seed) {
    HostRandom draws = new HostRandom(seed, "primer");
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < sentences; i++) {
      List<String> kind = KINDS.get(draws.below(KINDS.size()));
      text.append(kind.get(draws.below(kind.size()))).append('\n');
    }
    return text.toString();
  }

  /**
   * The entropy, in nats a character: no model can have a lower loss on a long text, and one that
   * knows the five kinds and sees all that was before has just that.
   */
  public static double entropy() {
    double nats = 0;
    double characters = 0;
    for (List<String> kind : KINDS) {
      nats += StrictMath.log(KINDS.size()) + StrictMath.log(kind.size());
      characters += 1 + kind.stream().mapToInt(String::length).average().orElseThrow();
    }
    return nats / characters;
  }

  /** All sentences, by kind. */
  static List<List<String>> kinds() {
    return KINDS;
  }

  private static List<String> places() {
    List<String> all = new ArrayList<>();
    for (String like :
        List.of("big", "small", "old", "young", "happy", "sleepy", "hungry", "brave")) {
      for (String animal : ANIMALS) {
        for (String does : List.of("sits", "sleeps", "sings", "waits", "plays", "hides")) {
          for (String where :
              List.of(
                  "by the river",
                  "under the bridge",
                  "in the barn",
                  "on the hill",
                  "behind the house",
                  "near the well",
                  "in the garden",
                  "at the gate")) {
            all.add("the %s %s %s %s.".formatted(like, animal, does, where));
          }
        }
      }
    }
    return all;
  }

  private static List<String> sounds() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < ANIMALS.size(); i++) {
      all.add("the %s says %s.".formatted(ANIMALS.get(i), SOUNDS.get(i)));
    }
    return all;
  }

  private static List<String> days() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < DAYS.size(); i++) {
      all.add("after %s comes %s.".formatted(DAYS.get(i), DAYS.get((i + 1) % DAYS.size())));
    }
    return all;
  }

  private static List<String> sums() {
    List<String> all = new ArrayList<>();
    for (int a = 0; a <= MOST; a++) {
      for (int b = 0; b <= MOST; b++) {
        all.add("%s plus %s is %s.".formatted(NUMBERS.get(a), NUMBERS.get(b), NUMBERS.get(a + b)));
      }
    }
    return all;
  }

  private static List<String> baskets() {
    List<String> all = new ArrayList<>();
    for (String who : List.of("anna", "ben", "clara", "david", "emma", "felix")) {
      for (String what : List.of("apples", "pears", "plums", "nuts")) {
        for (int a = 2; a <= MOST; a++) {
          for (int b = 1; b <= MOST; b++) {
            all.add(
                "%s has %s %s, finds %s more and has %s %s."
                    .formatted(
                        who, NUMBERS.get(a), what, NUMBERS.get(b), NUMBERS.get(a + b), what));
          }
        }
      }
    }
    return all;
  }
}
