package dev.downhill.data;

import dev.downhill.backend.Device;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Generated scans of tissue in which the place of every tumour is known: pictures of {@value #SIDE}
 * x {@value #SIDE} shades of grey.
 *
 * <p>Every scan shows cloudy tissue, vessels, noise, and two to four spots that are brighter or
 * darker than what surrounds them. In about half of the scans one of the spots is a tumour: solid,
 * with an uneven, sharp border. The others are harmless, of the same sizes and contrasts: cysts,
 * which are rings, and swellings, which fade out. So neither the brightness of a scan nor the
 * number of its spots says whether it holds a tumour.
 */
public final class Scans {
  /** The width and height of a scan, in pixels. */
  public static final int SIDE = 48;

  private static final int MARGIN = 8;

  private Scans() {}

  /** Scans; fewer of one seed are the first of more. */
  public static List<Scan> draw(int n, long seed) {
    return IntStream.range(0, n).mapToObj(i -> new Painter(seed, i).paint()).toList();
  }

  /** Scans (n, 1, {@value #SIDE}, {@value #SIDE}) and whether they hold a tumour, (n, 1). */
  public static Dataset dataset(Device device, List<Scan> scans) {
    int area = SIDE * SIDE;
    float[] pixels = new float[scans.size() * area];
    float[] ill = new float[scans.size()];
    for (int i = 0; i < ill.length; i++) {
      float[] shades = scans.get(i).pixels;
      for (int k = 0; k < area; k++) {
        pixels[i * area + k] = (shades[k] - 0.5f) * 5;
      }
      ill[i] = scans.get(i).isIll() ? 1 : 0;
    }
    return new Dataset(
        Tensor.of(device, pixels, ill.length, 1, SIDE, SIDE),
        Tensor.of(device, ill, ill.length, 1));
  }

  /** One scan, and where its tumour is. */
  public static final class Scan {
    private final float[] pixels;
    private final boolean[] tumour;
    private final boolean ill;

    private Scan(float[] pixels, boolean[] tumour, boolean ill) {
      this.pixels = pixels;
      this.tumour = tumour;
      this.ill = ill;
    }

    /** The shades row by row, about 0 (black) to 1 (white). */
    public float[] pixels() {
      return pixels.clone();
    }

    /** Which pixels belong to the tumour, row by row. */
    public boolean[] tumour() {
      return tumour.clone();
    }

    /** Whether there is a tumour. */
    public boolean isIll() {
      return ill;
    }
  }

  /** Paints one scan. */
  private static final class Painter {
    private static final int CLOUDS = 6;
    private static final int VESSELS = 3;

    private record Spot(double x, double y, double radius, double contrast) {
      boolean touches(Spot s) {
        return distance(x - s.x, y - s.y) < radius + s.radius + 3;
      }
    }

    private final HostRandom random;
    private final double[] shade = new double[SIDE * SIDE];
    private final boolean[] tumour = new boolean[SIDE * SIDE];

    Painter(long seed, int scan) {
      random = new HostRandom(seed, "scan " + scan);
    }

    Scan paint() {
      boolean ill = random.uniform() < 0.5;
      tissue();
      for (int i = 0; i < VESSELS; i++) {
        vessel();
      }
      Spot[] spots = spots(2 + random.below(3));
      for (int i = 0; i < spots.length; i++) {
        if (i == 0 && ill) {
          tumour(spots[i]);
        } else if (random.below(2) == 0) {
          cyst(spots[i]);
        } else {
          swelling(spots[i]);
        }
      }
      float[] pixels = new float[shade.length];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = (float) (shade[i] + 0.04 * random.normal());
      }
      return new Scan(pixels, tumour, ill);
    }

    /** Clouds: a coarse grid of random shades, and straight lines in between. */
    private void tissue() {
      double brightness = 0.35 + 0.2 * random.uniform();
      double[] grid = new double[(CLOUDS + 1) * (CLOUDS + 1)];
      for (int i = 0; i < grid.length; i++) {
        grid[i] = brightness + 0.06 * random.normal();
      }
      for (int i = 0; i < shade.length; i++) {
        int x = column(i) * CLOUDS;
        int y = row(i) * CLOUDS;
        int corner = y / SIDE * (CLOUDS + 1) + x / SIDE;
        double right = x % SIDE / (double) SIDE;
        double down = y % SIDE / (double) SIDE;
        double above = (1 - right) * grid[corner] + right * grid[corner + 1];
        int lower = corner + CLOUDS + 1;
        double below = (1 - right) * grid[lower] + right * grid[lower + 1];
        shade[i] = (1 - down) * above + down * below;
      }
    }

    /** A bright thin line that winds through the tissue. */
    private void vessel() {
      double[] before = shade.clone();
      double x = SIDE * random.uniform();
      double y = SIDE * random.uniform();
      double heading = 2 * Math.PI * random.uniform();
      double width = 0.7 + 0.6 * random.uniform();
      double contrast = 0.1 + 0.2 * random.uniform();
      for (int step = 0; step < SIDE; step++) {
        for (int py = (int) y - 2; py <= y + 2; py++) {
          for (int px = (int) x - 2; px <= x + 2; px++) {
            if (px >= 0 && px < SIDE && py >= 0 && py < SIDE) {
              int at = py * SIDE + px;
              double inside = edge(width - distance(px - x, py - y));
              shade[at] = Math.max(shade[at], before[at] + contrast * inside);
            }
          }
        }
        heading += 0.2 * random.normal();
        x += StrictMath.cos(heading);
        y += StrictMath.sin(heading);
      }
    }

    /** Places for spots, apart from each other. */
    private Spot[] spots(int n) {
      Spot[] spots = new Spot[n];
      for (int i = 0; i < n; i++) {
        Spot spot = spot();
        while (touchesAny(spot, spots, i)) {
          spot = spot();
        }
        spots[i] = spot;
      }
      return spots;
    }

    private Spot spot() {
      double x = MARGIN + (SIDE - 2 * MARGIN) * random.uniform();
      double y = MARGIN + (SIDE - 2 * MARGIN) * random.uniform();
      double radius = 3.5 + 2.5 * random.uniform();
      double contrast = 0.22 + 0.16 * random.uniform();
      return new Spot(x, y, radius, random.below(2) == 0 ? contrast : -contrast);
    }

    private static boolean touchesAny(Spot spot, Spot[] others, int n) {
      for (int i = 0; i < n; i++) {
        if (spot.touches(others[i])) {
          return true;
        }
      }
      return false;
    }

    /** Solid, with a border that waves around its radius. */
    private void tumour(Spot s) {
      double two = 2 * Math.PI * random.uniform();
      double three = 2 * Math.PI * random.uniform();
      double five = 2 * Math.PI * random.uniform();
      for (int i = 0; i < shade.length; i++) {
        double angle = StrictMath.atan2(row(i) - s.y, column(i) - s.x);
        double wave =
            0.14 * StrictMath.sin(2 * angle + two)
                + 0.1 * StrictMath.sin(3 * angle + three)
                + 0.08 * StrictMath.sin(5 * angle + five);
        double inside = edge(s.radius * (1 + wave) - distance(i, s));
        shade[i] += s.contrast * inside;
        tumour[i] = inside >= 0.5;
      }
    }

    /** A ring with tissue inside. */
    private void cyst(Spot s) {
      for (int i = 0; i < shade.length; i++) {
        double off = distance(i, s) - s.radius;
        shade[i] += s.contrast * edge(0.8 - Math.abs(off));
      }
    }

    /** Strongest in the middle, without a border. */
    private void swelling(Spot s) {
      for (int i = 0; i < shade.length; i++) {
        double far = distance(i, s) / s.radius;
        shade[i] += s.contrast * StrictMath.exp(-far * far);
      }
    }

    /** How much of a pixel is inside, by its centre's distance from the border. */
    private static double edge(double inwards) {
      return Math.clamp(inwards + 0.5, 0, 1);
    }

    private static int row(int pixel) {
      return pixel / SIDE;
    }

    private static int column(int pixel) {
      return pixel % SIDE;
    }

    private static double distance(int pixel, Spot s) {
      return distance(column(pixel) - s.x, row(pixel) - s.y);
    }

    private static double distance(double dx, double dy) {
      return Math.sqrt(dx * dx + dy * dy);
    }
  }
}
