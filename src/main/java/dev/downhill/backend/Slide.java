package dev.downhill.backend;

/**
 * How a window slides along one dimension: element k of window i lies at {@code i step + k dilation
 * - padding}. What lies outside of the dimension counts as nothing: 0 for sums, never chosen for
 * extrema.
 *
 * @param size elements of a window
 * @param step from window to window
 * @param dilation from element to element of a window
 * @param padding how far the first window starts before the first element
 */
public record Slide(long size, long step, long dilation, long padding) {
  /** Where element k of window i lies. */
  public long position(long i, long k) {
    return i * step + k * dilation - padding;
  }
}
