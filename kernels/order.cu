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
// order_merge doubles the width of the sorted runs of each list (merge.cuh). Launches: 1 for lists
// up to TILE, plus log2(n / TILE) for longer ones. Java: CudaIndexing.

#include "index.cuh"
#include "merge.cuh"

// One tile a block: grid = tiles. tileLists: whole lists in a tile, or 0 where a list has several
// tiles.
extern "C" __global__ void order_tiles(IndexWalk walk, const i64* index, i32 shift, i32 tileLists,
                                       u64* entries, Fault* fault, i32 code) {
  __shared__ u64 ping[TILE];
  __shared__ u64 pong[TILE];
  i64 n = walk.size[walk.rank - 1];
  Tile tile(n, walk.count, tileLists);
  u64 nowhere = static_cast<u64>(walk.count / n) * static_cast<u64>(walk.bound);
  for (i32 i = threadIdx.x; i < tile.count; i += blockDim.x) {
    i64 tuple = tile.start + i;
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
  u64* sorted = sortTile(ping, pong, tile.length, tile.count);
  for (i32 i = threadIdx.x; i < tile.count; i += blockDim.x) entries[tile.start + i] = sorted[i];
}

// Merges the runs of each list of n entries in pairs.
extern "C" __global__ void order_merge(const u64* from, u64* to, i64 count, i64 n, i64 width) {
  mergeRuns(from, to, count, n, width);
}
