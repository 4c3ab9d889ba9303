// types: f32 f64 bf16 i64 i32 u8
// Sorting along a dimension: the lines of x along it, each of n elements, in row-major order of the
// other dimensions (Lines<3>: x, values, indices).
//
// An entry is an element's key, a whole number ordered as the elements are, and its place in the
// line. Entries of a line differ, so that the order is stable; with the keys complemented it is
// descending, and still stable. Equal elements have equal keys: 0 and -0, and all NaN, which are
// larger than everything.
//
// sort_tiles makes entries and sorts tiles of them, whole lines or pieces of one, in shared memory;
// sort_merge doubles the width of the sorted runs of each line (merge.cuh); sort_take writes the
// elements and their places in order. Launches: 2 for lines up to TILE, plus log2(n / TILE) for
// longer ones. bool is sorted as u8. Java: CudaSort.

#include "lines.cuh"
#include "merge.cuh"

// The bits of a positive number get the sign bit; of a negative one, all bits are turned.
__device__ __forceinline__ u32 ordered(f32 x) {
  u32 bits = x != x ? 0x7fc00000u : x == 0 ? 0 : __float_as_uint(x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}
__device__ __forceinline__ u64 ordered(f64 x) {
  constexpr u64 NOT_A_NUMBER = 0x7ff8000000000000ull;
  u64 bits = x != x ? NOT_A_NUMBER : x == 0 ? 0 : static_cast<u64>(__double_as_longlong(x));
  return bits >> 63 ? ~bits : bits | 0x8000000000000000ull;
}
__device__ __forceinline__ u32 ordered(bf16 x) { return ordered(widen(x)); }
__device__ __forceinline__ u64 ordered(i64 x) { return static_cast<u64>(x) ^ 1ull << 63; }
__device__ __forceinline__ u32 ordered(i32 x) { return static_cast<u32>(x) ^ 1u << 31; }
__device__ __forceinline__ u32 ordered(u8 x) { return x; }

// The place has the type of the key, so that there is no gap behind it.
template <typename K> struct Keyed {
  K key;
  K place;

  __device__ __forceinline__ bool operator<(const Keyed& other) const {
    return key < other.key || (key == other.key && place < other.place);
  }
};

typedef decltype(ordered(T())) Key;
typedef Keyed<Key> Entry;

// One tile a block: grid = tiles. tileLines: whole lines in a tile, or 0 where a line has several
// tiles.
ENTRY(sort_tiles)(Lines<3> lines, const T* x, i64 stride, i64 n, i32 descending, i32 tileLines,
                  Entry* entries) {
  __shared__ Entry ping[TILE];
  __shared__ Entry pong[TILE];
  Tile tile(n, lines.count * n, tileLines);
  for (i32 i = threadIdx.x; i < tile.count; i += blockDim.x) {
    i64 line = (tile.start + i) / n;
    i64 place = tile.start + i - line * n;
    Key key = ordered(x[lines.start(0, line) + place * stride]);
    ping[i].key = descending ? ~key : key;
    ping[i].place = static_cast<Key>(place);
  }
  __syncthreads();
  Entry* sorted = sortTile(ping, pong, tile.length, tile.count);
  for (i32 i = threadIdx.x; i < tile.count; i += blockDim.x) entries[tile.start + i] = sorted[i];
}

// Merges the runs of each line of n entries in pairs.
ENTRY(sort_merge)(const Entry* from, Entry* to, i64 count, i64 n, i64 width) {
  mergeRuns(from, to, count, n, width);
}

// The elements of all lines in the order of the entries.
ENTRY(sort_take)(Lines<3> lines, const Entry* entries, const T* x, i64 stride, T* values,
                 i64 valueStride, i64* indices, i64 indexStride, i64 n) {
  i64 count = lines.count * n;
  i64 threads = static_cast<i64>(gridDim.x) * blockDim.x;
  for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += threads) {
    i64 line = i / n;
    i64 to = i - line * n;
    i64 place = static_cast<i64>(entries[i].place);
    values[lines.start(1, line) + to * valueStride] = x[lines.start(0, line) + place * stride];
    indices[lines.start(2, line) + to * indexStride] = place;
  }
}
