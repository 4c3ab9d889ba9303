// Sorting by merging, each entry by its rank: its place is its place in its own run plus the number
// of smaller entries in the neighbouring run. Entries of a list differ, so that what comes out is
// one order, whichever thread does what; O(m log^2 m) comparisons for m entries, whatever they are.
#pragma once

#include "common.cuh"

// How many entries a block sorts in shared memory.
constexpr i32 TILE = 1024;

// Where entry `at` of a list goes when its run of `width`, a power of 2, is merged with the
// neighbouring one.
template <typename E, typename I>
__device__ __forceinline__ I merged(const E* list, I length, I at, I width) {
  I own = at & ~(width - 1);
  I other = own ^ width;
  E entry = list[at];
  I low = min(other, length);
  I high = min(other + width, length);
  while (low < high) {
    I middle = low + (high - low) / 2;
    if (list[middle] < entry) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return other < own ? at - width + (low - other) : at + (low - min(other, length));
}

// Sorts lists of `length` entries that lie side by side in shared memory, `count` entries in all.
// Threads must have been synchronised since they wrote them, and are when this returns.
// Returns where the sorted lists are: `from` or `to`.
template <typename E>
__device__ __forceinline__ E* sortTile(E* from, E* to, i32 length, i32 count) {
  for (i32 width = 1; width < length; width *= 2) {
    for (i32 i = threadIdx.x; i < count; i += blockDim.x) {
      i32 list = i / length * length;
      to[list + merged(from + list, length, i - list, width)] = from[i];
    }
    __syncthreads();
    E* swapped = from;
    from = to;
    to = swapped;
  }
  return from;
}

// Merges the runs of each list of n entries in pairs; all threads of the grid take part.
template <typename E>
__device__ __forceinline__ void mergeRuns(const E* from, E* to, i64 count, i64 n, i64 width) {
  i64 threads = static_cast<i64>(gridDim.x) * blockDim.x;
  for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += threads) {
    i64 list = i / n * n;
    to[list + merged(from + list, n, i - list, width)] = from[i];
  }
}

// The entries of one block: several whole lists of n, or a piece of one.
struct Tile {
  i64 start = 0;
  i32 length = 0;  // of the lists in this tile
  i32 count = 0;   // entries

  // lists: how many whole lists a tile has, or 0 where a list has several tiles; all: the number of
  // entries of all lists.
  __device__ __forceinline__ Tile(i64 n, i64 all, i32 lists) {
    if (lists > 0) {
      length = static_cast<i32>(n);
      start = static_cast<i64>(blockIdx.x) * lists * n;
      count = static_cast<i32>(min(lists * n, all - start));
    } else {
      i64 tiles = (n + TILE - 1) / TILE;
      i64 list = blockIdx.x / tiles;
      i64 from = (blockIdx.x - list * tiles) * TILE;
      start = list * n + from;
      length = count = static_cast<i32>(min(n - from, static_cast<i64>(TILE)));
    }
  }
};
