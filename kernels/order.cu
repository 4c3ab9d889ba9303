// The order in which scatterAdd adds: the tuples of an index, sorted by where they point, and among
// those that point to one place by their own order.
//
// The walk's last dimension is the indexed one, of size n; each index tuple before it makes a list
// of n entries of its own. An entry is one number, (list * bound + index) << shift | k, where k is
// the place in the list: entries differ, so that sorting them as numbers is stable, and a place is
// one stretch of entries with the same upper part. An index out of range is reported and gets the
// upper part lists * bound, behind all others.
//
// order_tiles sorts tiles of at most TILE entries, whole lists or pieces of one, in shared memory;
// order_merge doubles the width of the sorted runs of each list. Both merge by rank: an entry's
// place is its place in its own run plus the number of smaller entries in the neighbouring run.
// O(m log^2 m) comparisons for m entries, whatever they are; launches: 1 for lists up to TILE, plus
// log2(n / TILE) for longer ones. Java: CudaIndexing.

#include "index.cuh"

constexpr i32 TILE = 1024;
constexpr i32 THREADS = 256;

// Where entry `at` of a list goes when its run of `width` is merged with the neighbouring one.
template <typename I>
__device__ __forceinline__ I merged(const u64* list, I length, I at, I width) {
  I own = at & ~(width - 1);
  I other = own ^ width;
  u64 entry = list[at];
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

// One tile a block: grid = tiles. tileLists: whole lists in a tile, or 0 where a list has several
// tiles.
extern "C" __global__ void order_tiles(IndexWalk walk, const i64* index, i32 shift, i32 tileLists,
                                       u64* entries, Fault* fault, i32 code) {
  __shared__ u64 ping[TILE];
  __shared__ u64 pong[TILE];
  i64 n = walk.size[walk.rank - 1];
  i64 start = 0;
  i32 length = 0;  // of the lists in this tile
  i32 here = 0;    // entries
  if (tileLists > 0) {
    length = static_cast<i32>(n);
    start = static_cast<i64>(blockIdx.x) * tileLists * n;
    here = static_cast<i32>(min(tileLists * n, walk.count - start));
  } else {
    i64 tiles = (n + TILE - 1) / TILE;
    i64 list = blockIdx.x / tiles;
    i64 from = (blockIdx.x - list * tiles) * TILE;
    start = list * n + from;
    length = here = static_cast<i32>(min(n - from, static_cast<i64>(TILE)));
  }
  u64 nowhere = static_cast<u64>(walk.count / n) * static_cast<u64>(walk.bound);
  for (i32 i = threadIdx.x; i < here; i += THREADS) {
    i64 tuple = start + i;
    i64 list = tuple / n;
    i64 to = index[locate<i64>(walk, tuple).index];
    u64 place = static_cast<u64>(list) * static_cast<u64>(walk.bound) + static_cast<u64>(to);
    if (!inRange(to, walk)) {
      report(fault, code, walk, to, tuple);
      place = nowhere;
    }
    ping[i] = place << shift | static_cast<u64>(tuple - list * n);
  }
  __syncthreads();
  u64* from = ping;
  u64* to = pong;
  for (i32 width = 1; width < length; width *= 2) {
    for (i32 i = threadIdx.x; i < here; i += THREADS) {
      i32 list = i / length * length;
      to[list + merged(from + list, length, i - list, width)] = from[i];
    }
    __syncthreads();
    u64* swapped = from;
    from = to;
    to = swapped;
  }
  for (i32 i = threadIdx.x; i < here; i += THREADS) entries[start + i] = from[i];
}

// Merges the runs of each list of n entries in pairs.
extern "C" __global__ void order_merge(const u64* from, u64* to, i64 count, i64 n, i64 width) {
  i64 threads = static_cast<i64>(gridDim.x) * blockDim.x;
  for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += threads) {
    i64 list = i / n * n;
    to[list + merged(from + list, n, i - list, width)] = from[i];
  }
}
