// What reductions along lines of tensors share: where lines start, and how a group of threads
// folds its values into one. Java counterpart: Lines.java.
#pragma once

#include "common.cuh"

constexpr int THREADS = 256;
constexpr int WARP = 32;
constexpr int WARPS = THREADS / WARP;
constexpr u32 ALL_LANES = 0xffffffffu;

// The starts of `count` lines in K views, in the row-major order of the sizes. Also, with K = 1,
// where the elements of one line of several dimensions lie.
template <int K> struct Lines {
  i64 count;
  i32 rank;
  i32 unused;
  i64 size[8];
  i64 stride[K][8];  // in elements

  __device__ __forceinline__ i64 start(int k, i64 line) const {
    i64 at = 0;
#pragma unroll 1
    for (i32 d = rank - 1; d > 0; d--) {
      i64 outer = quotient(line, size[d]);
      at += (line - outer * size[d]) * stride[k][d];
      line = outer;
    }
    return at + line * stride[k][0];
  }

 private:
  // 64-bit divisions are several times slower.
  static __device__ __forceinline__ i64 quotient(i64 n, i64 d) {
    return (n | d) >> 32 == 0 ? i64(u32(n) / u32(d)) : n / d;
  }
};

// The lanes of a warp, or of a part of 1, 2, 4, ... lanes of it, fold their values; all lanes of
// the part get the same result if the operator commutes.
template <typename N, typename F> __device__ __forceinline__ N foldLanes(N x, int lanes, F f) {
  for (int other = lanes / 2; other > 0; other /= 2) {
    x = f(x, __shfl_xor_sync(ALL_LANES, x, other));
  }
  return x;
}

// All threads of a block fold their values and get the same result. A kernel may call an
// instance once: its shared memory is not free again before the block ends.
template <typename N, typename F> __device__ __forceinline__ N foldBlock(N x, F f) {
  __shared__ N ofWarp[WARPS];
  x = foldLanes(x, WARP, f);
  if (threadIdx.x % WARP == 0) {
    ofWarp[threadIdx.x / WARP] = x;
  }
  __syncthreads();
  x = ofWarp[0];
  for (int w = 1; w < WARPS; w++) {
    x = f(x, ofWarp[w]);
  }
  return x;
}

struct Plus {
  template <typename N> __device__ __forceinline__ N operator()(N x, N y) const {
    return plus(x, y);
  }
};

// The place of a thread where groups of 1, 2, 4, ... 32 or all 256 threads of a block do one unit
// of work each. Behind the last unit stand threads without work: they take part in shuffles.
struct Place {
  i64 unit;
  i32 lane;
  bool works;

  __device__ __forceinline__ Place(i64 units, i32 group) {
    i64 thread = i64(blockIdx.x) * THREADS + threadIdx.x;
    unit = thread / group;
    lane = i32(thread % group);
    works = unit < units;
    if (!works) unit = 0;
  }
};
