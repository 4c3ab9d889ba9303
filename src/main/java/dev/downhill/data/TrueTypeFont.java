package dev.downhill.data;

import java.awt.geom.Path2D;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * The outlines of characters in a bundled TrueType font. Java's own fonts need a font library and a
 * configuration of the machine; this needs neither and gives the same outlines everywhere.
 */
final class TrueTypeFont {
  private static final int ON_CURVE = 1;
  private static final int REPEATED = 8;

  /** The bits of a point's flags that say how one of its coordinates is stored. */
  private record Axis(int isShort, int isSameOrPositive) {
    static final Axis X = new Axis(2, 16);
    static final Axis Y = new Axis(4, 32);
  }

  private final ByteBuffer font;
  private final Map<String, Integer> tables = new HashMap<>();

  private TrueTypeFont(ByteBuffer font) {
    this.font = font;
    int count = unsigned(4);
    byte[] name = new byte[4];
    for (int i = 0; i < count; i++) {
      font.get(12 + 16 * i, name);
      tables.put(new String(name, StandardCharsets.US_ASCII), font.getInt(12 + 16 * i + 8));
    }
  }

  /**
   * A font of the class path.
   *
   * @param path such as {@code /liberation/LiberationSans-Regular.ttf}
   */
  static TrueTypeFont resource(String path) {
    try (InputStream in = TrueTypeFont.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("no font %s on the class path".formatted(path));
      }
      return new TrueTypeFont(ByteBuffer.wrap(in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The outline of a character, in units of the font's own grid, y upwards. */
  Path2D.Double outline(char c) {
    int glyph = glyph(c);
    boolean longOffsets = unsigned(table("head") + 50) == 1;
    int loca = table("loca");
    int offset = longOffsets ? font.getInt(loca + 4 * glyph) : 2 * unsigned(loca + 2 * glyph);
    font.position(table("glyf") + offset);
    int contours = font.getShort();
    if (contours < 0) {
      throw new IllegalStateException("expected a simple outline of '%s'".formatted(c));
    }
    font.position(font.position() + 8);
    int[] ends = new int[contours];
    for (int i = 0; i < contours; i++) {
      ends[i] = Short.toUnsignedInt(font.getShort());
    }
    int instructions = Short.toUnsignedInt(font.getShort());
    font.position(font.position() + instructions);
    int[] flags = flags(ends[contours - 1] + 1);
    int[] x = coordinates(flags, Axis.X);
    int[] y = coordinates(flags, Axis.Y);
    Path2D.Double path = new Path2D.Double(Path2D.WIND_NON_ZERO);
    for (int i = 0, first = 0; i < contours; first = ends[i++] + 1) {
      contour(path, flags, x, y, first, ends[i] - first + 1);
    }
    return path;
  }

  private int glyph(char c) {
    int cmap = table("cmap");
    for (int i = 0; i < unsigned(cmap + 2); i++) {
      int map = cmap + font.getInt(cmap + 4 + 8 * i + 4);
      if (unsigned(map) == 4) {
        return glyph(c, map);
      }
    }
    throw new IllegalStateException("expected a character map of format 4");
  }

  /** Looks a character up in segments of characters: ends, starts, deltas and offsets. */
  private int glyph(char c, int map) {
    int bytes = unsigned(map + 6);
    int end = map + 14;
    while (unsigned(end) < c) {
      end += 2;
    }
    int start = end + bytes + 2;
    int delta = start + bytes;
    int offset = delta + bytes;
    int glyph = c;
    if (unsigned(offset) != 0) {
      glyph = unsigned(offset + unsigned(offset) + 2 * (c - unsigned(start)));
    }
    return (glyph + font.getShort(delta)) & 0xffff;
  }

  private int[] flags(int points) {
    int[] flags = new int[points];
    for (int i = 0; i < points; i++) {
      flags[i] = font.get();
      if ((flags[i] & REPEATED) != 0) {
        for (int more = Byte.toUnsignedInt(font.get()); more > 0; more--, i++) {
          flags[i + 1] = flags[i];
        }
      }
    }
    return flags;
  }

  /** Each coordinate is stored as its distance from the one before. */
  private int[] coordinates(int[] flags, Axis axis) {
    int[] at = new int[flags.length];
    int last = 0;
    for (int i = 0; i < flags.length; i++) {
      boolean sameOrPositive = (flags[i] & axis.isSameOrPositive) != 0;
      if ((flags[i] & axis.isShort) != 0) {
        int distance = Byte.toUnsignedInt(font.get());
        last += sameOrPositive ? distance : -distance;
      } else if (!sameOrPositive) {
        last += font.getShort();
      }
      at[i] = last;
    }
    return at;
  }

  /** Parabolas; halfway between two control points lies a point that is not stored. */
  private static void contour(
      Path2D.Double path, int[] flags, int[] x, int[] y, int first, int length) {
    path.moveTo(x[first], y[first]);
    for (int i = 1; i <= length; i++) {
      int p = first + i % length;
      if ((flags[p] & ON_CURVE) != 0) {
        path.lineTo(x[p], y[p]);
        continue;
      }
      int next = first + (i + 1) % length;
      if ((flags[next] & ON_CURVE) != 0) {
        path.quadTo(x[p], y[p], x[next], y[next]);
        i++;
      } else {
        path.quadTo(x[p], y[p], (x[p] + x[next]) / 2.0, (y[p] + y[next]) / 2.0);
      }
    }
    path.closePath();
  }

  private int table(String name) {
    Integer offset = tables.get(name);
    if (offset == null) {
      throw new IllegalStateException("expected a font with a table " + name);
    }
    return offset;
  }

  private int unsigned(int at) {
    return Short.toUnsignedInt(font.getShort(at));
  }
}
