// Sums, products, extremes and where they are, and running sums. Counterpart: CudaReduce.java,
// which sorts dimensions into kept and reduced ones and merges neighbours.
//
//   ..._rows     a group of 1, 2, 4, ... 32 or 256 threads folds the elements of one result, or of
//                a split of them
//   ..._columns  for neighbouring results whose elements lie one below the other: threads stand
//                side by side along the results, and below each other along a split of the elements
//   ..._finish   folds the splits: _rows on partial results
//   ..._arg      the first index of an extreme; NaN is more extreme than any number
//   cumsum       a block does a line, or a split of it, tile by tile
//
// A split is `length` elements, a multiple of V where there are several. With one split the result
// goes to y; else partial results, in the type they are computed in, go to partial[split][result],
// and a second launch folds them. Launch: 256 threads, but for cumsum. Which elements a thread
// takes, and the tree in which they are folded, depend on shapes and on how elements lie, not on
// the grid: the same bits on every run.
//
// types: f32 f64 bf16 i64 i32 u8 bool
#include <limits>

#include "lines.cuh"

typedef Wide<T> N;

constexpr bool FLOATING = std::is_floating_point_v<N>;
constexpr int V = PACK<T>;

constexpr N LEAST =
    FLOATING ? -std::numeric_limits<N>::infinity() : std::numeric_limits<N>::lowest();
constexpr N GREATEST =
    FLOATING ? std::numeric_limits<N>::infinity() : std::numeric_limits<N>::max();

// Of what type sums and products are.
typedef std::conditional_t<FLOATING, T, i64> Total;

struct Sum : Plus {
  typedef Total Result;
  static __device__ __forceinline__ N identity() { return 0; }
};

struct Product {
  typedef Total Result;
  static __device__ __forceinline__ N identity() { return 1; }
  __device__ __forceinline__ N operator()(N x, N y) const { return times(x, y); }
};

struct Maximum {
  typedef T Result;
  static __device__ __forceinline__ N identity() { return LEAST; }
  __device__ __forceinline__ N operator()(N x, N y) const { return larger(x, y); }
  static __device__ __forceinline__ bool beats(N x, N y) { return x > y; }
};

struct Minimum {
  typedef T Result;
  static __device__ __forceinline__ N identity() { return GREATEST; }
  __device__ __forceinline__ N operator()(N x, N y) const { return smaller(x, y); }
  static __device__ __forceinline__ bool beats(N x, N y) { return x < y; }
};

__device__ __forceinline__ i64 least(i64 x, i64 y) { return x < y ? x : y; }

// A group's share of the elements of a result. `reduced` says where elements lie; where `vector` is
// set, packs of them do so side by side, aligned.
template <typename F, typename S, typename R>
__device__ __forceinline__ void foldRows(const Lines<2>& kept, const Lines<1>& reduced, const S* x,
                                         R* y, N* partial, i64 length, i32 splits, i32 vector,
                                         i32 group) {
  constexpr int width = PACK<S>;
  F f;
  Place at(kept.count * splits, group);
  i64 result = at.unit / splits;
  i64 split = at.unit % splits;
  i64 end = at.works ? least((split + 1) * length, reduced.count) : 0;
  const S* from = x + kept.start(0, result);
  N sums[width];
#pragma unroll
  for (int j = 0; j < width; j++) sums[j] = F::identity();
  i64 step = i64(group) * width;
  for (i64 i = split * length + i64(at.lane) * width; i < end; i += step) {
    if (vector && i + width <= end) {
      auto pack = *reinterpret_cast<const Pack<S, width>*>(from + reduced.start(0, i));
#pragma unroll
      for (int j = 0; j < width; j++) sums[j] = f(sums[j], N(widen(pack.at[j])));
    } else if (reduced.rank == 1) {
      const S* first = from + i * reduced.stride[0][0];
#pragma unroll
      for (int j = 0; j < width; j++) {
        if (i + j < end) sums[j] = f(sums[j], N(widen(first[j * reduced.stride[0][0]])));
      }
    } else {
#pragma unroll 1
      for (i64 j = i; j < least(i + width, end); j++) {
        sums[0] = f(sums[0], N(widen(from[reduced.start(0, j)])));
      }
    }
  }
#pragma unroll
  for (int half = width / 2; half > 0; half /= 2) {
#pragma unroll
    for (int j = 0; j < half; j++) sums[j] = f(sums[j], sums[j + half]);
  }
  N all = group == THREADS ? foldBlock(sums[0], f) : foldLanes(sums[0], group, f);
  if (at.works && at.lane == 0) {
    if (splits == 1) {
      y[kept.start(1, result)] = narrow<R>(all);
    } else {
      partial[split * kept.count + result] = all;
    }
  }
}

// `across` lanes, 1, 2, 4, ... 32, stand side by side, V columns each; blockIdx.y is the split.
// Lines of x and y before the columns.
template <typename F, typename R>
__device__ __forceinline__ void foldColumns(const Lines<2>& kept, const Lines<1>& reduced,
                                            const T* x, R* y, N* partial, i64 columns,
                                            i64 yStride, i64 length, i32 vector, i32 across) {
  __shared__ N ofWarp[WARPS][WARP * V];
  F f;
  i64 tiles = (columns + across * V - 1) / (across * V);
  i64 line = blockIdx.x / tiles;
  i64 tile = blockIdx.x % tiles * (across * V);
  i32 lane = threadIdx.x % across;
  i64 column = tile + lane * V;
  i64 end = least((blockIdx.y + 1) * length, reduced.count);
  const T* from = x + kept.start(0, line) + column;
  N sums[V];
#pragma unroll
  for (int j = 0; j < V; j++) sums[j] = F::identity();
  for (i64 i = blockIdx.y * length + threadIdx.x / across; i < end; i += THREADS / across) {
    const T* row = from + reduced.start(0, i);
    if (vector && column + V <= columns) {
      auto pack = *reinterpret_cast<const Pack<T, V>*>(row);
#pragma unroll
      for (int j = 0; j < V; j++) sums[j] = f(sums[j], widen(pack.at[j]));
    } else {
#pragma unroll
      for (int j = 0; j < V; j++) {
        if (column + j < columns) sums[j] = f(sums[j], widen(row[j]));
      }
    }
  }
#pragma unroll
  for (int j = 0; j < V; j++) {
    for (int other = WARP / 2; other >= across; other /= 2) {
      sums[j] = f(sums[j], __shfl_xor_sync(ALL_LANES, sums[j], other));
    }
  }
  if (threadIdx.x % WARP < across) {
#pragma unroll
    for (int j = 0; j < V; j++) ofWarp[threadIdx.x / WARP][lane * V + j] = sums[j];
  }
  __syncthreads();
  column = tile + threadIdx.x;
  if (threadIdx.x < across * V && column < columns) {
    N all = ofWarp[0][threadIdx.x];
    for (int w = 1; w < WARPS; w++) all = f(all, ofWarp[w][threadIdx.x]);
    if (gridDim.y == 1) {
      y[kept.start(1, line) + column * yStride] = narrow<R>(all);
    } else {
      partial[(blockIdx.y * kept.count + line) * columns + column] = all;
    }
  }
}

#define REDUCTION(name, F)                                                                    \
  ENTRY(name##_rows)(Lines<2> kept, Lines<1> reduced, const T* x, F::Result* y, N* partial,   \
                     i64 length, i32 splits, i32 vector, i32 group) {                         \
    foldRows<F>(kept, reduced, x, y, partial, length, splits, vector, group);                 \
  }                                                                                           \
  ENTRY(name##_columns)(Lines<2> kept, Lines<1> reduced, const T* x, F::Result* y,            \
                        N* partial, i64 columns, i64 yStride, i64 length, i32 vector,         \
                        i32 across) {                                                         \
    foldColumns<F>(kept, reduced, x, y, partial, columns, yStride, length, vector, across);   \
  }                                                                                           \
  ENTRY(name##_finish)(Lines<2> kept, Lines<1> splits, const N* x, F::Result* y, i32 group) { \
    foldRows<F>(kept, splits, x, y, nullptr, splits.count, 1, 0, group);                      \
  }

REDUCTION(sum, Sum)
REDUCTION(prod, Product)
REDUCTION(max, Maximum)
REDUCTION(min, Minimum)

// An element and its index; none yet if that is negative.
struct Candidate {
  N value;
  i64 index;

  template <typename F> __device__ __forceinline__ void challenge(N x, i64 i) {
    bool nan = x != x;
    bool equal = nan ? value != value : x == value;
    bool better = nan ? value == value : F::beats(x, value);
    if (i >= 0 && (index < 0 || better || (equal && i < index))) {
      value = x;
      index = i;
    }
  }
};

// The second launch, over one index for each split, gets these as `candidates`, [split][result].
template <typename F>
__device__ __forceinline__ void foldArg(const Lines<2>& kept, const T* x, i64* y, i64* partial,
                                        const i64* candidates, i64 n, i64 stride, i64 length,
                                        i32 splits, i32 group) {
  __shared__ N values[WARPS];
  __shared__ i64 indices[WARPS];
  Place at(kept.count * splits, group);
  i64 result = at.unit / splits;
  i64 split = at.unit % splits;
  i64 end = at.works ? least((split + 1) * length, n) : 0;
  const T* from = x + kept.start(0, result);
  Candidate best{0, -1};
  for (i64 i = split * length + at.lane; i < end; i += group) {
    i64 index = candidates ? candidates[i * kept.count + result] : i;
    best.challenge<F>(widen(from[index * stride]), index);
  }
  for (int other = least(group, WARP) / 2; other > 0; other /= 2) {
    N value = __shfl_xor_sync(ALL_LANES, best.value, other);
    i64 index = __shfl_xor_sync(ALL_LANES, best.index, other);
    best.challenge<F>(value, index);
  }
  if (group == THREADS) {
    if (threadIdx.x % WARP == 0) {
      values[threadIdx.x / WARP] = best.value;
      indices[threadIdx.x / WARP] = best.index;
    }
    __syncthreads();
    for (int w = 0; w < WARPS; w++) best.challenge<F>(values[w], indices[w]);
  }
  if (at.works && at.lane == 0) {
    if (splits == 1) {
      y[kept.start(1, result)] = best.index;
    } else {
      partial[split * kept.count + result] = best.index;
    }
  }
}

#define ARG(name, F)                                                                             \
  ENTRY(name##_arg)(Lines<2> kept, const T* x, i64* y, i64* partial, const i64* candidates,      \
                    i64 n, i64 stride, i64 length, i32 splits, i32 group) {                      \
    foldArg<F>(kept, x, y, partial, candidates, n, stride, length, splits, group);               \
  }

ARG(max, Maximum)
ARG(min, Minimum)

// y[i] = x[0] + ... + x[i]. One block of 32 or 256 threads a line, or, with the sums of all splits
// in sums[split][line], a split of a line.
ENTRY(cumsum)(Lines<2> lines, const T* x, Total* y, const N* sums, i64 n, i64 xStride, i64 yStride,
              i64 length, i32 splits) {
  constexpr int each = 4;
  // Two tiles' worth, in turn: while some threads still read one, others may write the next.
  __shared__ N ofWarp[2][WARPS];
  i64 line = blockIdx.x / splits;
  i64 split = blockIdx.x % splits;
  i64 end = least((split + 1) * length, n);
  i32 lane = threadIdx.x % WARP;
  i32 warp = threadIdx.x / WARP;
  const T* from = x + lines.start(0, line);
  Total* to = y + lines.start(1, line);
  N before = 0;
  if (splits > 1) {
    for (i64 s = threadIdx.x; s < split; s += blockDim.x) {
      before = plus(before, sums[s * lines.count + line]);
    }
    before = foldBlock(before, Plus());
  }
  i32 turn = 0;
  for (i64 tile = split * length; tile < end; tile += i64(blockDim.x) * each) {
    i64 first = tile + i64(threadIdx.x) * each;
    N running[each];
    N sum = 0;
#pragma unroll
    for (int j = 0; j < each; j++) {
      if (first + j < end) sum = plus(sum, N(widen(from[(first + j) * xStride])));
      running[j] = sum;
    }
    for (int step = 1; step < WARP; step *= 2) {
      N other = __shfl_up_sync(ALL_LANES, sum, step);
      if (lane >= step) sum = plus(other, sum);
    }
    if (lane == WARP - 1) ofWarp[turn][warp] = sum;
    N left = __shfl_up_sync(ALL_LANES, sum, 1);
    __syncthreads();
    N start = before;
    for (int w = 0; w < blockDim.x / WARP; w++) {
      if (w == warp) start = before;
      before = plus(before, ofWarp[turn][w]);
    }
    if (lane > 0) start = plus(start, left);
#pragma unroll
    for (int j = 0; j < each; j++) {
      if (first + j < end) to[(first + j) * yStride] = narrow<Total>(plus(start, running[j]));
    }
    turn ^= 1;
  }
}
