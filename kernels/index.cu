// Reading and adding at places that an index names.
//
// gather:      y[p] = x[p with p[dim] replaced by index[p]]; bool goes as u8. Where rows are
//              aligned, 16 bytes are moved at a time.
// scatter_add: y[p with p[dim] replaced by index[p]] += x[p], in the order of p. order.cu has
//              sorted the tuples of the index by the place they point to; here each place adds up
//              its stretch of them in a register, so that no two threads write one element, the
//              order is that of p, and bf16 is rounded once. The first entry of a stretch does the
//              work for the whole stretch.
//
// Elements of an index out of range are reported and skipped. Launch: gather one thread an element
// or pack, or fewer; scatter_add blocks of (elements of a run) x (entries), any grid. Same bits for
// any grid. Java: CudaIndexing.
// types: f32 f64 bf16 i64 i32 u8

#include "index.cuh"

template <typename E, typename I>
__device__ __forceinline__ void gather(const IndexWalk& walk, const i64* index, const E* x, E* y,
                                       Fault* fault, i32 code) {
  I run = static_cast<I>(walk.run);
  I end = static_cast<I>(walk.count) * run;
  I threads = static_cast<I>(gridDim.x) * blockDim.x;
  for (I n = static_cast<I>(blockIdx.x) * blockDim.x + threadIdx.x; n < end; n += threads) {
    I tuple = n / run;
    I i = n - tuple * run;
    IndexPlace<I> at = locate<I>(walk, tuple);
    i64 from = index[at.index];
    if (inRange(from, walk)) {
      y[at.direct + i * static_cast<I>(walk.directRun)] =
          x[at.indexed + static_cast<I>(from * walk.step) + i * static_cast<I>(walk.indexedRun)];
    } else if (i == 0) {
      report(fault, code, walk, from, static_cast<i64>(tuple));
    }
  }
}

template <typename E>
__device__ __forceinline__ void gather(const IndexWalk& walk, const i64* index, const void* x,
                                       void* y, Fault* fault, i32 code) {
  if (walk.large) {
    gather<E, i64>(walk, index, static_cast<const E*>(x), static_cast<E*>(y), fault, code);
  } else {
    gather<E, u32>(walk, index, static_cast<const E*>(x), static_cast<E*>(y), fault, code);
  }
}

ENTRY(gather)(IndexWalk walk, const i64* index, const T* x, T* y, Fault* fault, i32 code) {
  if (walk.packs) {
    gather<Pack<T, 16 / sizeof(T)>>(walk, index, x, y, fault, code);
  } else {
    gather<T>(walk, index, x, y, fault, code);
  }
}

// Entries that are fetched before they are added.
constexpr i32 AHEAD = 4;

ENTRY(scatter_add)(IndexWalk walk, const u64* entries, i32 shift, const T* x, T* y) {
  i32 last = walk.rank - 1;
  u64 nowhere = static_cast<u64>(walk.count / walk.size[last]) * static_cast<u64>(walk.bound);
  u64 mask = (static_cast<u64>(1) << shift) - 1;
  i64 step = walk.direct[last];
  i64 rows = static_cast<i64>(gridDim.x) * blockDim.y;
  i64 columns = static_cast<i64>(gridDim.y) * blockDim.x;
  i64 first = static_cast<i64>(blockIdx.x) * blockDim.y + threadIdx.y;
  for (i64 e = first; e < walk.count; e += rows) {
    u64 place = entries[e] >> shift;
    if (place == nowhere || (e > 0 && entries[e - 1] >> shift == place)) continue;
    i64 list = static_cast<i64>(place / static_cast<u64>(walk.bound));
    i64 row = static_cast<i64>(place) - list * walk.bound;
    IndexPlace<i64> at = locate<i64>(walk, list * walk.size[last]);
    const T* from = x + at.direct;
    T* to = y + at.indexed + row * walk.step;
    i64 column = static_cast<i64>(blockIdx.y) * blockDim.x + threadIdx.x;
    for (i64 i = column; i < walk.run; i += columns) {
      const T* added = from + i * walk.directRun;
      Wide<T> sum = widen(to[i * walk.indexedRun]);
      i64 next = e;
      while (next + AHEAD <= walk.count && entries[next + AHEAD - 1] >> shift == place) {
        T ahead[AHEAD];
        for (i32 k = 0; k < AHEAD; k++) {
          ahead[k] = added[static_cast<i64>(entries[next + k] & mask) * step];
        }
        for (i32 k = 0; k < AHEAD; k++) sum += widen(ahead[k]);
        next += AHEAD;
      }
      for (; next < walk.count && entries[next] >> shift == place; next++) {
        sum += widen(added[static_cast<i64>(entries[next] & mask) * step]);
      }
      to[i * walk.indexedRun] = narrow<T>(sum);
    }
  }
}
