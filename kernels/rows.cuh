// Rows of tensors of the type that a file is compiled for, read and written in packs of 16 bytes: by
// one access each where a row's elements are neighbours and aligned.
#pragma once

#include "lines.cuh"

typedef Wide<T> N;

constexpr int V = PACK<T>;

typedef Pack<T, V> P;

// One row of a tensor.
template <typename S> struct Row {
  S* start;
  i64 stride;
  i64 n;
  bool vector;

  // The elements from `first` on; `rest` where the row has ended.
  __device__ __forceinline__ P get(i64 first, T rest) const {
    P p;
    if (vector && first + V <= n) {
      p = *reinterpret_cast<const P*>(start + first);
    } else {
#pragma unroll
      for (int j = 0; j < V; j++) p.at[j] = first + j < n ? start[(first + j) * stride] : rest;
    }
    return p;
  }

  __device__ __forceinline__ void put(i64 first, const P& p) const {
    if (vector && first + V <= n) {
      *reinterpret_cast<P*>(start + first) = p;
    } else {
#pragma unroll
      for (int j = 0; j < V; j++) {
        if (first + j < n) start[(first + j) * stride] = p.at[j];
      }
    }
  }
};

template <int K, typename S>
__device__ __forceinline__ Row<S> rowOf(S* x, const Lines<K>& rows, int k, i64 row, i64 stride,
                                        i64 n, i32 vector) {
  return Row<S>{x + rows.start(k, row), stride, n, vector != 0};
}
