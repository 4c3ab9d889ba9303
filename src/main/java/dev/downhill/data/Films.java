package dev.downhill.data;

import dev.downhill.tensor.HostRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Generated ratings of films, of known structure and known noise.
 *
 * <p>Viewer u rates film f with
 *
 * <pre>
 * rating = {@value #MEAN} + how generous u is + how good f is + taste(u) . character(f) + noise
 * </pre>
 *
 * where the noise is normal with standard deviation {@value #NOISE}: no model can predict ratings
 * better than that. Tastes and characters are vectors of {@value #TASTES} numbers. The character of
 * a film is that of its genre and something of its own; nobody tells a model the genres.
 */
public final class Films {
  /** The number of viewers. */
  public static final int VIEWERS = 2_000;

  /** How many films each has rated. */
  public static final int EACH = 200;

  /** The mean rating, about; most ratings lie between 2 and 8, none is rounded or cut off. */
  public static final double MEAN = 5;

  /** The standard deviation of the noise. */
  public static final double NOISE = 0.5;

  /** How many numbers describe a taste. */
  public static final int TASTES = 6;

  private static final double GENEROSITY = 0.3;
  private static final double QUALITY = 0.4;
  private static final double TASTE = 0.25;

  /** The genres. */
  public static final List<String> GENRES =
      List.of("western", "space", "romance", "horror", "crime", "war", "comedy", "sport");

  private static final List<String> NOUNS =
      List.of(
          "Sheriff Ranch Saddle Canyon Outlaw Stagecoach Prairie Revolver Cattle Desert",
          "Orbit Comet Android Nebula Station Voyage Planet Signal Galaxy Airlock",
          "Wedding Kiss Letter Summer Heart Promise Garden Dance Waltz Evening",
          "Crypt Scream Mirror Vampire Attic Curse Fog Grave Doll Cellar",
          "Heist Alibi Detective Ransom Witness Verdict Blackmail Bullet Safe Informer",
          "Trench Bridge Convoy Soldier Bunker Truce Platoon Siege Bomber Front",
          "Neighbour Holiday Butler Parrot Mix-Up Landlord Uncle Waiter Pyjamas Reunion",
          "Final Coach Penalty Marathon Champion Ring Team Trainer Medal Stadium");

  private static final List<String> ADJECTIVES =
      List.of("Silent Last Crimson Hidden Long Broken Golden Distant Second Lonely".split(" "));

  private final Ratings ratings;
  private final int[] genre;
  private final double[] expected;

  private Films(Ratings ratings, int[] genre, double[] expected) {
    this.ratings = ratings;
    this.genre = genre;
    this.expected = expected;
  }

  /**
   * The ratings of a seed; the same seed gives the same, bit for bit.
   *
   * @param seed of viewers, films and noise
   */
  public static Films generate(long seed) {
    List<String> names = new ArrayList<>();
    List<Integer> genres = new ArrayList<>();
    for (int g = 0; g < GENRES.size(); g++) {
      for (String noun : NOUNS.get(g).split(" ", -1)) {
        for (String adjective : ADJECTIVES) {
          names.add("%s %s (%s)".formatted(adjective, noun, GENRES.get(g)));
          genres.add(g);
        }
      }
    }
    int[] genre = genres.stream().mapToInt(g -> g).toArray();
    HostRandom random = new HostRandom(seed, "films");
    double[][] typical = vectors(GENRES.size(), 0.9, random);
    double[][] character = vectors(genre.length, 0.45, random);
    for (int f = 0; f < genre.length; f++) {
      for (int k = 0; k < TASTES; k++) {
        character[f][k] += typical[genre[f]][k];
      }
    }
    double[][] taste = vectors(VIEWERS, TASTE, random);
    double[] quality = normals(genre.length, QUALITY, random);
    double[] generosity = normals(VIEWERS, GENEROSITY, random);

    int n = VIEWERS * EACH;
    int[] user = new int[n];
    int[] item = new int[n];
    double[] expected = new double[n];
    double[] rating = new double[n];
    for (int u = 0; u < VIEWERS; u++) {
      int[] seen = Order.shuffled(genre.length, random);
      for (int i = 0; i < EACH; i++) {
        int row = u * EACH + i;
        user[row] = u;
        item[row] = seen[i];
        expected[row] = MEAN + generosity[u] + quality[seen[i]] + dot(taste[u], character[seen[i]]);
        rating[row] = expected[row] + NOISE * random.normal();
      }
    }
    List<String> viewers = new ArrayList<>();
    for (int u = 0; u < VIEWERS; u++) {
      viewers.add("viewer " + (u + 1));
    }
    return new Films(new Ratings(viewers, names, user, item, rating), genre, expected);
  }

  private static double[][] vectors(int n, double scale, HostRandom random) {
    double[][] vectors = new double[n][];
    Arrays.setAll(vectors, i -> normals(TASTES, scale, random));
    return vectors;
  }

  private static double[] normals(int n, double scale, HostRandom random) {
    double[] values = new double[n];
    Arrays.setAll(values, i -> scale * random.normal());
    return values;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }

  /** {@value #EACH} films for each viewer, drawn without replacement. */
  public Ratings ratings() {
    return ratings;
  }

  /** The genre of a film, by its place in {@link #GENRES}. */
  public int genre(int film) {
    return genre[film];
  }

  /** The rating in this row without its noise. */
  public double expected(int row) {
    return expected[row];
  }

  /**
   * The root of the mean squared error, on these rows, of who knows the ratings without noise.
   *
   * @throws IllegalArgumentException if there are no rows
   */
  public double noiseFloor(int[] rows) {
    if (rows.length == 0) {
      throw new IllegalArgumentException("noiseFloor: expected at least one row, got none");
    }
    double sum = 0;
    for (int row : rows) {
      double noise = ratings.rating(row) - expected[row];
      sum += noise * noise;
    }
    return Math.sqrt(sum / rows.length);
  }
}
