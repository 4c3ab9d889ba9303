// Windows that slide over images (samples, channels, rows, columns): what a convolution multiplies,
// and the largest elements of windows.
//
// unfold:            z[n, c, k, l, p] = x[n, c, at (i, k), at (j, l)], 0 outside, for outputs p =
//                    (i, j); samples and taps (c, k, l) of z lie as the caller says.
// fold:              dx[n, c, y, x] = the sum of z over the windows and taps that see the element,
//                    in the order of k, l, in f32 for bf16. Every element gathers what is its own,
//                    so that no two threads write one.
// max_pool:          y = the largest element of a window, the first of equal ones, NaN if there is
//                    one; at = row W + column of it. Padding is never chosen.
// max_pool_backward: dx[n, c, y, x] = the sum of dy over the windows that chose the element, in
//                    their order.
//
// z, dx, y and at are dense; x and dy have any strides. Launch: one thread an element of the
// result, or fewer. Same bits for any grid. Java: CudaConvolution, CudaPooling.
// types: f32 f64 bf16

#include "common.cuh"

// How windows slide along one dimension: element k of window i lies at i step + k dilation -
// padding.
struct Slide {
  i64 size;
  i64 step;
  i64 dilation;
  i64 padding;
  i64 length;  // elements of the dimension
  i64 count;   // windows
};

struct Windows {
  i64 channels;
  Slide rows;
  Slide columns;
  i64 stride[4];  // of the image, or of dy, in elements
  i64 large;      // whether places need 64 bits
};

// A place in (samples, channels, rows, columns).
template <typename I> struct Place { I n, c, y, x; };

template <typename I>
__device__ __forceinline__ Place<I> place(I at, i64 channels, i64 rows, i64 columns) {
  Place<I> p;
  I line = at / static_cast<I>(columns);
  p.x = at - line * static_cast<I>(columns);
  I plane = line / static_cast<I>(rows);
  p.y = line - plane * static_cast<I>(rows);
  p.n = plane / static_cast<I>(channels);
  p.c = plane - p.n * static_cast<I>(channels);
  return p;
}

__device__ __forceinline__ i64 first() {
  return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__device__ __forceinline__ i64 threads() { return static_cast<i64>(gridDim.x) * blockDim.x; }

template <typename I>
__device__ __forceinline__ void unfold(const Windows& w, i64 count, const T* x, i64 sample, i64 tap,
                                       T* z) {
  I outputs = static_cast<I>(w.rows.count * w.columns.count);
  I taps = static_cast<I>(w.channels * w.rows.size * w.columns.size);
  for (i64 e = first(); e < count; e += threads()) {
    I line = static_cast<I>(e) / outputs;
    I p = static_cast<I>(e) - line * outputs;
    I n = line / taps;
    I k = line - n * taps;
    Place<I> at = place<I>(k, w.channels, w.rows.size, w.columns.size);
    I i = p / static_cast<I>(w.columns.count);
    I j = p - i * static_cast<I>(w.columns.count);
    i64 row = i * w.rows.step + at.y * w.rows.dilation - w.rows.padding;
    i64 column = j * w.columns.step + at.x * w.columns.dilation - w.columns.padding;
    bool inside = row >= 0 && row < w.rows.length && column >= 0 && column < w.columns.length;
    i64 from = n * w.stride[0] + at.c * w.stride[1] + row * w.stride[2] + column * w.stride[3];
    z[n * sample + k * tap + p] = inside ? x[from] : narrow<T>(0);
  }
}

ENTRY(unfold)(Windows w, i64 count, const T* x, i64 sample, i64 tap, T* z) {
  if (w.large) {
    unfold<i64>(w, count, x, sample, tap, z);
  } else {
    unfold<u32>(w, count, x, sample, tap, z);
  }
}

// The window whose element k lies at `position`, or -1.
__device__ __forceinline__ i64 window(const Slide& s, i64 position, i64 k) {
  i64 start = position + s.padding - k * s.dilation;
  if (start < 0) return -1;
  i64 i = start / s.step;
  return i * s.step == start && i < s.count ? i : -1;
}

template <typename I>
__device__ __forceinline__ void fold(const Windows& w, i64 count, const T* z, T* dx) {
  i64 taps = w.rows.size * w.columns.size;
  i64 outputs = w.rows.count * w.columns.count;
  for (i64 e = first(); e < count; e += threads()) {
    Place<I> at = place<I>(static_cast<I>(e), w.channels, w.rows.length, w.columns.length);
    const T* from = z + (static_cast<i64>(at.n) * w.channels + at.c) * taps * outputs;
    Wide<T> sum = 0;
    for (i64 k = 0; k < w.rows.size; k++) {
      i64 i = window(w.rows, at.y, k);
      if (i < 0) continue;
      for (i64 l = 0; l < w.columns.size; l++) {
        i64 j = window(w.columns, at.x, l);
        if (j < 0) continue;
        sum += widen(from[(k * w.columns.size + l) * outputs + i * w.columns.count + j]);
      }
    }
    dx[e] = narrow<T>(sum);
  }
}

ENTRY(fold)(Windows w, i64 count, const T* z, T* dx) {
  if (w.large) {
    fold<i64>(w, count, z, dx);
  } else {
    fold<u32>(w, count, z, dx);
  }
}

// The first position that a window sees.
__device__ __forceinline__ i64 seen(const Slide& s, i64 i) {
  i64 start = i * s.step - s.padding;
  return start >= 0 ? start : start + (-start + s.dilation - 1) / s.dilation * s.dilation;
}

template <typename I>
__device__ __forceinline__ void largest(const Windows& w, i64 count, const T* x, T* y, i64* at) {
  for (i64 e = first(); e < count; e += threads()) {
    Place<I> p = place<I>(static_cast<I>(e), w.channels, w.rows.count, w.columns.count);
    const T* from = x + p.n * w.stride[0] + p.c * w.stride[1];
    i64 top = seen(w.rows, p.y);
    i64 left = seen(w.columns, p.x);
    i64 bottom = p.y * w.rows.step - w.rows.padding + (w.rows.size - 1) * w.rows.dilation;
    i64 right =
        p.x * w.columns.step - w.columns.padding + (w.columns.size - 1) * w.columns.dilation;
    Wide<T> best = widen(from[top * w.stride[2] + left * w.stride[3]]);
    i64 chosen = top * w.columns.length + left;
    for (i64 row = top; row <= bottom && row < w.rows.length; row += w.rows.dilation) {
      for (i64 col = left; col <= right && col < w.columns.length; col += w.columns.dilation) {
        Wide<T> value = widen(from[row * w.stride[2] + col * w.stride[3]]);
        if (value > best || (value != value && best == best)) {
          best = value;
          chosen = row * w.columns.length + col;
        }
      }
    }
    y[e] = narrow<T>(best);
    at[e] = chosen;
  }
}

ENTRY(max_pool)(Windows w, i64 count, const T* x, T* y, i64* at) {
  if (w.large) {
    largest<i64>(w, count, x, y, at);
  } else {
    largest<u32>(w, count, x, y, at);
  }
}

template <typename I>
__device__ __forceinline__ void spread(const Windows& w, i64 count, const T* dy, const i64* at,
                                       T* dx) {
  for (i64 e = first(); e < count; e += threads()) {
    Place<I> p = place<I>(static_cast<I>(e), w.channels, w.rows.length, w.columns.length);
    const T* from = dy + p.n * w.stride[0] + p.c * w.stride[1];
    i64 plane = static_cast<i64>(p.n) * w.channels + p.c;
    const i64* chosen = at + plane * w.rows.count * w.columns.count;
    i64 own = p.y * w.columns.length + p.x;
    Wide<T> sum = 0;
    for (i64 k = w.rows.size - 1; k >= 0; k--) {
      i64 i = window(w.rows, p.y, k);
      if (i < 0) continue;
      for (i64 l = w.columns.size - 1; l >= 0; l--) {
        i64 j = window(w.columns, p.x, l);
        if (j >= 0 && chosen[i * w.columns.count + j] == own) {
          sum += widen(from[i * w.stride[2] + j * w.stride[3]]);
        }
      }
    }
    dx[e] = narrow<T>(sum);
  }
}

ENTRY(max_pool_backward)(Windows w, i64 count, const T* dy, const i64* at, T* dx) {
  if (w.large) {
    spread<i64>(w, count, dy, at, dx);
  } else {
    spread<u32>(w, count, dy, at, dx);
  }
}
