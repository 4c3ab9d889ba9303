package dev.downhill.jobs.recommender;

import dev.downhill.explain.Plot;
import dev.downhill.explain.TextTable;
import dev.downhill.optim.Sgd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * One user gives the item that was recommended first the lowest rating, and the model takes one
 * step of gradient descent.
 *
 * <p>The error e = rating(u, i) - 1 has the gradient 2 e vector(i) by vector(u), and 2 e vector(u)
 * by vector(i): each vector is pushed straight away from the other.
 *
 * @param task whose ratings the model was trained on
 * @param before the step
 * @param after the step
 * @param user who
 * @param item what
 */
record ThumbsDown(RatingTask task, Tastes before, Tastes after, int user, int item) {
  static final String PICTURE = "thumbs-down.png";
  private static final double RATE = 0.02;
  private static final int SHOWN = 5;
  private static final int NEIGHBOURS = 20;

  /** Changes the model. */
  static ThumbsDown give(RatingModel model, RatingTask task, Tastes before) {
    int user = before.mostDecidedUser();
    int item = before.recommend(user, 1, task.recommendable(user))[0];
    List<Tensor> weights = model.parameters();
    try (Scope _ = Scope.open();
        Sgd sgd = new Sgd(weights, RATE)) {
      Tensor pair = Tensor.of(weights.getFirst().device(), new long[] {user, item}, 1, 2);
      double rating = task.scale().normalize(task.lowest());
      Tensor target = Tensor.full(pair.device(), weights.getFirst().dtype(), rating, 1);
      sgd.zeroGrad();
      Loss.mse(model.forward(pair), target).backward();
      sgd.step();
    }
    return new ThumbsDown(task, before, model.tastes(task.scale()), user, item);
  }

  void explain(PrintStream report) {
    double[] u = before.user(user);
    double[] v = before.item(item);
    double[] newU = after.user(user);
    double[] newV = after.item(item);
    double[] moveOfUser = Tastes.minus(newU, u);
    double[] moveOfItem = Tastes.minus(newV, v);
    report.printf(
        Locale.ROOT,
        "%nThumbs down. To %s, whose taste is the most decided, the network recommends %s and"
            + " gets%nthe rating %s. One step of gradient descent on it, at rate %s:%n%s",
        task.ratings().users().get(user),
        name(item),
        task.lowest(),
        RATE,
        new TextTable("", "before", "after")
            .row("rating expected", two(before.predict(user, item)), two(after.predict(user, item)))
            .row("product of the two vectors", two(Tastes.dot(u, v)), two(Tastes.dot(newU, newV)))
            .row("cosine between them", two(Tastes.cosine(u, v)), two(Tastes.cosine(newU, newV)))
            .row("length of the user's vector", two(Tastes.length(u)), two(Tastes.length(newU)))
            .row("length of the item's vector", two(Tastes.length(v)), two(Tastes.length(newV)))
            .row("bias of the user", two(before.userBias(user)), two(after.userBias(user)))
            .row("bias of the item", two(before.itemBias(item)), two(after.itemBias(item))));
    report.printf(
        Locale.ROOT,
        "  The user's vector moved by %.2f, at cosine %.3f to the item's; the item's by %.2f, at"
            + " cosine %.3f to the user's:%n"
            + "  each is pushed straight away from the other. %d of all %,d vectors moved.%n",
        Tastes.length(moveOfUser),
        Tastes.cosine(moveOfUser, v),
        Tastes.length(moveOfItem),
        Tastes.cosine(moveOfItem, u),
        after.moved(before),
        task.users() + task.items());

    int[] ranking = after.recommend(user, task.items(), task.recommendable(user));
    int place =
        IntStream.range(0, ranking.length)
            .filter(p -> ranking[p] == item)
            .findFirst()
            .orElseThrow();
    report.printf(
        Locale.ROOT,
        "%nWhat the user is recommended; %s came first and is number %d of %d now:%n%s",
        name(item),
        place + 1,
        ranking.length,
        compare(
            "rating",
            before.recommend(user, SHOWN, task.recommendable(user)),
            i -> before.predict(user, i),
            ranking,
            i -> after.predict(user, i)));
    report.printf(
        "%nWhat lies next to %s now, by the cosine of the vectors:%n%s",
        name(item),
        compare(
            "cosine",
            before.neighbours(item, SHOWN),
            i -> Tastes.cosine(v, before.item(i)),
            after.neighbours(item, SHOWN),
            i -> Tastes.cosine(newV, after.item(i))));
  }

  private String name(int i) {
    return task.ratings().items().get(i);
  }

  private static String two(double v) {
    return String.format(Locale.ROOT, "%.2f", v);
  }

  /** The first items of two rankings side by side; those that came in are marked. */
  private TextTable compare(
      String score,
      int[] old,
      IntToDoubleFunction oldScore,
      int[] now,
      IntToDoubleFunction newScore) {
    TextTable table = new TextTable("before", score, "after", score, "");
    for (int p = 0; p < old.length; p++) {
      int i = now[p];
      boolean isNew = Arrays.stream(old).noneMatch(o -> o == i);
      table.row(
          name(old[p]),
          two(oldScore.applyAsDouble(old[p])),
          name(i),
          two(newScore.applyAsDouble(i)),
          isNew ? "new" : "");
    }
    return table;
  }

  /**
   * On the left the plane in which both vectors lie, and stay: the step moves each along the other.
   * On the right the ratings expected of the user.
   */
  Plot[] plots() {
    double[] u = before.user(user);
    double[] v = before.item(item);
    double[] across = Tastes.minus(v, scaled(u, Tastes.dot(u, v) / Tastes.dot(u, u)));
    double[] e1 = scaled(u, 1 / Tastes.length(u));
    double[] e2 = scaled(across, 1 / Tastes.length(across));
    int[] all = IntStream.range(0, task.items()).filter(i -> i != item).toArray();
    int[] near = before.neighbours(item, NEIGHBOURS);
    Plot plane =
        new Plot("One thumbs-down", "along the user's vector", "across it")
            .points("items", along(e1, all), along(e2, all))
            .line("user before", ray(e1, u), ray(e2, u))
            .line("user after", ray(e1, after.user(user)), ray(e2, after.user(user)))
            .line("item before", ray(e1, v), ray(e2, v))
            .line("item after", ray(e1, after.item(item)), ray(e2, after.item(item)));
    double[] ends = {
      Arrays.stream(all).mapToDouble(i -> before.predict(user, i)).min().orElse(0),
      before.predict(user, item)
    };
    Plot expected =
        new Plot("What the user is expected to rate", "rating before", "rating after")
            .points("items", ratings(before, all), ratings(after, all))
            .points("neighbours of the item", ratings(before, near), ratings(after, near))
            .points("the item", ratings(before, item), ratings(after, item))
            .dashed("no change", ends, ends);
    return new Plot[] {plane, expected};
  }

  private static double[] scaled(double[] a, double by) {
    return Arrays.stream(a).map(x -> x * by).toArray();
  }

  private double[] along(double[] axis, int[] of) {
    return Arrays.stream(of).mapToDouble(i -> Tastes.dot(axis, before.item(i))).toArray();
  }

  private static double[] ray(double[] axis, double[] to) {
    return new double[] {0, Tastes.dot(axis, to)};
  }

  private double[] ratings(Tastes at, int... of) {
    return Arrays.stream(of).mapToDouble(i -> at.predict(user, i)).toArray();
  }
}
