package dev.downhill.data;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Who rated what, and how high: users and items are numbered from 0 in the order in which they
 * first occur, and have names. Immutable.
 */
public final class Ratings {
  /** The column of a file that says who. */
  public static final String USER = "user";

  /** The column that says what. */
  public static final String ITEM = "item";

  /** The column that says how high. */
  public static final String RATING = "rating";

  private static final int MOST_NAMES = 10_000_000;

  private final List<String> users;
  private final List<String> items;
  private final int[] user;
  private final int[] item;
  private final double[] rating;

  /**
   * Ratings of numbered users and items.
   *
   * @param users the users' names
   * @param items the items' names
   * @param user who, one number a rating
   * @param item what, in the same order
   * @param rating how high
   * @throws IllegalArgumentException if the three lengths differ, or a number has no name
   */
  public Ratings(List<String> users, List<String> items, int[] user, int[] item, double[] rating) {
    if (user.length != item.length || user.length != rating.length) {
      throw new IllegalArgumentException(
          "ratings: expected as many users as items and ratings, got %s, %s and %s"
              .formatted(user.length, item.length, rating.length));
    }
    check("users", user, users.size());
    check("items", item, items.size());
    this.users = List.copyOf(users);
    this.items = List.copyOf(items);
    this.user = user.clone();
    this.item = item.clone();
    this.rating = rating.clone();
  }

  private static void check(String what, int[] numbers, int names) {
    for (int number : numbers) {
      if (number < 0 || number >= names) {
        throw new IllegalArgumentException(
            "ratings: expected %s from 0 to %s, got %s".formatted(what, names - 1, number));
      }
    }
  }

  /**
   * Reads a CSV file with the columns {@code user}, {@code item} and {@code rating}. The first two
   * hold any texts or numbers; other columns are not looked at.
   *
   * @throws DataException if the file cannot be read, a column is missing, or a row lacks a user,
   *     an item or a number as its rating; the message names the line
   */
  public static Ratings read(Path file) {
    Table table =
        Table.read(
            file,
            CsvOptions.DEFAULTS
                .withMaxCategories(MOST_NAMES)
                .withType(USER, Column.Type.CATEGORY)
                .withType(ITEM, Column.Type.CATEGORY)
                .withType(RATING, Column.Type.NUMBER));
    Column.Numbers target = table.target(RATING);
    double[] rating = new double[table.rows()];
    Arrays.setAll(rating, target::get);
    int[] user = new int[table.rows()];
    int[] item = new int[table.rows()];
    List<String> users = number(table, USER, user);
    List<String> items = number(table, ITEM, item);
    return new Ratings(users, items, user, item, rating);
  }

  /** The texts of a column; {@code numbers} becomes, for each row, the place of its text. */
  private static List<String> number(Table table, String name, int[] numbers) {
    if (!(table.column(name) instanceof Column.Categories column)) {
      throw new AssertionError(name);
    }
    Map<String, Integer> places = new LinkedHashMap<>();
    for (int row = 0; row < numbers.length; row++) {
      String text = column.get(row);
      if (text == null) {
        throw new DataException(
            table.at(row, name) + ": expected a name or a number, got an empty cell");
      }
      Integer place = places.putIfAbsent(text, places.size());
      numbers[row] = place == null ? places.size() - 1 : place;
    }
    return List.copyOf(places.keySet());
  }

  /** The number of ratings. */
  public int size() {
    return rating.length;
  }

  /** The names of the users. */
  public List<String> users() {
    return users;
  }

  /** The names of the items. */
  public List<String> items() {
    return items;
  }

  /** Who rated, in this row. */
  public int user(int row) {
    return user[row];
  }

  /** What was rated, in this row. */
  public int item(int row) {
    return item[row];
  }

  /** How high, in this row. */
  public double rating(int row) {
    return rating[row];
  }

  /** The scale on which these rows' ratings have mean 0 and standard deviation 1. */
  public Scale scale(int[] rows) {
    return Scale.of(Arrays.stream(rows).mapToDouble(row -> rating[row]).toArray());
  }

  /**
   * These rows on a device: features int64 (rows, 2), the numbers of user and item; targets (rows),
   * the ratings on a scale.
   */
  public Dataset dataset(Device device, int[] rows, Scale scale) {
    long[] pairs = new long[2 * rows.length];
    float[] targets = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      pairs[2 * i] = user[rows[i]];
      pairs[2 * i + 1] = item[rows[i]];
      targets[i] = (float) scale.normalize(rating[rows[i]]);
    }
    return new Dataset(
        Tensor.of(device, pairs, rows.length, 2), Tensor.of(device, targets, rows.length));
  }
}
