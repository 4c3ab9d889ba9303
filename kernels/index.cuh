// How gather and scatterAdd go over an index (IndexWalk.java): tuples p of the index's shape, each
// with its place in the index, in the view of the same shape ("direct") and in the view that the
// index points into ("indexed"). Trailing dimensions over which the index repeats itself are one
// run of elements; neighbouring dimensions have been merged.
#pragma once

#include "common.cuh"

struct IndexWalk {
  i64 count;       // tuples; each stands for a run
  i64 run;         // elements of a run, or packs of 16 bytes
  i64 bound;       // indices 0 to bound - 1 are allowed
  i64 step;        // from one index to the next in the indexed view
  i64 directRun;   // from one element of a run to the next
  i64 indexedRun;
  i32 rank;
  i32 large;       // whether elements or places are 2^31 or more
  i32 packs;       // whether runs, and the distances of both views, count packs
  i32 unused;
  i64 size[8];
  i64 index[8];    // distances
  i64 direct[8];
  i64 indexed[8];  // 0 for the dimension that is indexed
  i64 position[8];  // in row-major order of the index; 0 where it repeats itself
};

template <typename I> struct IndexPlace {
  I index = 0;
  I direct = 0;
  I indexed = 0;
};

// The place of tuple n.
template <typename I>
__device__ __forceinline__ IndexPlace<I> locate(const IndexWalk& walk, I n) {
  IndexPlace<I> at;
  for (i32 d = walk.rank - 1; d >= 0; d--) {
    I outer = d == 0 ? 0 : n / static_cast<I>(walk.size[d]);
    I i = n - outer * static_cast<I>(walk.size[d]);
    at.index += i * static_cast<I>(walk.index[d]);
    at.direct += i * static_cast<I>(walk.direct[d]);
    at.indexed += i * static_cast<I>(walk.indexed[d]);
    n = outer;
  }
  return at;
}

__device__ __forceinline__ bool inRange(i64 index, const IndexWalk& walk) {
  return static_cast<u64>(index) < static_cast<u64>(walk.bound);
}

// Reports the index of tuple n.
__device__ __forceinline__ void report(Fault* fault, i32 code, const IndexWalk& walk, i64 index,
                                       i64 n) {
  i64 position = 0;
  for (i32 d = walk.rank - 1; d >= 0; d--) {
    position += n % walk.size[d] * walk.position[d];
    n /= walk.size[d];
  }
  report(fault, code, index, walk.bound, position);
}
