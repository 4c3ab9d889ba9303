// Layer normalisation over rows, and that by the root mean square, forward and backward.
// Counterpart: CudaLayerNorm.java; definition: CpuLayerNorm.java.
//
// A team of `group` threads (1, 2, 4, ... 32 lanes of a warp, or a block of 256) does a row. Pack k
// of a row belongs to thread k mod group of its team. Rows are read again from the cache for every
// sum and for the result.
//
//   layer_norm           y, mean and rstd; a team for each row
//   layer_norm_backward  dx, and shares of dweight and dbias: team t does `each` rows from t each on,
//                        and leaves its share in shares[t][0 and 1][n]. A thread keeps its first HELD
//                        packs of the share in registers.
//   layer_norm_finish    dweight and dbias: the sum of all shares; blocks of 32 columns
//
// Launch: 256 threads; what a thread takes and how sums are folded depends on shapes alone, so
// results have the same bits on every run and for any strides.
//
// types: f32 f64 bf16
#include "rows.cuh"

constexpr int HELD = 64 / sizeof(N) / V;

constexpr int COLUMNS = 32;

// Adds the values of a team, as often as wanted; all threads of the block take part.
__device__ __forceinline__ N sumOverTeam(N x, i32 group) {
  if (group <= WARP) return foldLanes(x, group, Plus());
  __shared__ N ofWarp[WARPS];
  x = foldLanes(x, WARP, Plus());
  __syncthreads();  // the last sum has been read
  if (threadIdx.x % WARP == 0) ofWarp[threadIdx.x / WARP] = x;
  __syncthreads();
  x = ofWarp[0];
  for (int w = 1; w < WARPS; w++) x += ofWarp[w];
  return x;
}

// Weight or bias, which may be missing.
struct PerElement {
  Row<const T> row;
  T otherwise;

  __device__ __forceinline__ PerElement(const T* start, i64 stride, i64 n, i32 vector, N missing)
      : row{start, stride, n, vector != 0}, otherwise(narrow<T>(missing)) {}

  __device__ __forceinline__ P get(i64 first) const {
    if (row.start != nullptr) return row.get(first, otherwise);
    P p;
#pragma unroll
    for (int j = 0; j < V; j++) p.at[j] = otherwise;
    return p;
  }
};

// y = z weight + bias with z = (x - mean) rstd. Without a place for the mean nothing is subtracted.
ENTRY(layer_norm)(Lines<2> rows, const T* x, const T* weight, const T* bias, T* y, N* mean,
                  N* rstd, i64 n, i64 xStride, i64 weightStride, i64 biasStride, i64 yStride,
                  f64 eps, i32 vector, i32 group) {
  Place at(rows.count, group);
  i64 size = at.works ? n : 0;
  Row<const T> in = rowOf(x, rows, 0, at.unit, xStride, size, vector);
  Row<T> out = rowOf(y, rows, 1, at.unit, yStride, size, vector);
  PerElement w(weight, weightStride, n, vector, 1);
  PerElement b(bias, biasStride, n, vector, 0);
  T zero = narrow<T>(N(0));
  i64 from = i64(at.lane) * V;
  i64 step = i64(group) * V;
  N center = 0;
  if (mean != nullptr) {
    N sum = 0;
    for (i64 i = from; i < size; i += step) {
      P p = in.get(i, zero);
#pragma unroll
      for (int j = 0; j < V; j++) sum += widen(p.at[j]);
    }
    center = sumOverTeam(sum, group) / N(n);
  }
  N squares = 0;
  for (i64 i = from; i < size; i += step) {
    P p = in.get(i, zero);
#pragma unroll
    for (int j = 0; j < V; j++) {
      N d = i + j < size ? widen(p.at[j]) - center : N(0);
      squares = fma(d, d, squares);
    }
  }
  N r = 1 / sqrt(sumOverTeam(squares, group) / N(n) + N(eps));
  for (i64 i = from; i < size; i += step) {
    P p = in.get(i, zero);
    P scale = w.get(i);
    P shift = b.get(i);
#pragma unroll
    for (int j = 0; j < V; j++) {
      N z = (widen(p.at[j]) - center) * r;
      p.at[j] = narrow<T>(fma(z, widen(scale.at[j]), widen(shift.at[j])));
    }
    out.put(i, p);
  }
  if (at.works && at.lane == 0) {
    if (mean != nullptr) mean[at.unit] = center;
    rstd[at.unit] = r;
  }
}

// A share of dweight and dbias of one pack of columns.
struct Share {
  N weight[V];
  N bias[V];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int j = 0; j < V; j++) weight[j] = bias[j] = 0;
  }

  __device__ __forceinline__ void load(const N* all, i64 first, i64 n) {
#pragma unroll
    for (int j = 0; j < V; j++) {
      weight[j] = first + j < n ? all[first + j] : N(0);
      bias[j] = first + j < n ? all[n + first + j] : N(0);
    }
  }

  __device__ __forceinline__ void store(N* all, i64 first, i64 n) const {
#pragma unroll
    for (int j = 0; j < V; j++) {
      if (first + j < n) {
        all[first + j] = weight[j];
        all[n + first + j] = bias[j];
      }
    }
  }
};

// What is needed of a row: z = (x - mean) rstd and g = dy weight, and the sums of g and g z.
struct Slopes {
  N mean;
  N rstd;
  N sum = 0;
  N product = 0;

  __device__ __forceinline__ N z(T x) const { return (widen(x) - mean) * rstd; }

  __device__ __forceinline__ void add(const P& x, const P& dy, const P& weight, Share& share) {
#pragma unroll
    for (int j = 0; j < V; j++) {
      N d = widen(dy.at[j]);
      N g = d * widen(weight.at[j]);
      sum += g;
      product = fma(g, z(x.at[j]), product);
      share.weight[j] = fma(d, z(x.at[j]), share.weight[j]);
      share.bias[j] += d;
    }
  }

  __device__ __forceinline__ P dx(const P& x, const P& dy, const P& weight) const {
    P dx;
#pragma unroll
    for (int j = 0; j < V; j++) {
      N g = widen(dy.at[j]) * widen(weight.at[j]);
      dx.at[j] = narrow<T>(fma(-z(x.at[j]), product, g - sum) * rstd);
    }
    return dx;
  }
};

// Lines of x, dy and dx; dx may be missing.
ENTRY(layer_norm_backward)(Lines<3> rows, const T* x, const T* dy, const T* weight, const N* mean,
                           const N* rstd, T* dx, N* shares, i64 n, i64 xStride, i64 dyStride,
                           i64 weightStride, i64 dxStride, i64 each, i32 vector, i32 group) {
  Place at((rows.count + each - 1) / each, group);
  PerElement w(weight, weightStride, n, vector, 1);
  N* mine = shares + at.unit * 2 * n;
  T zero = narrow<T>(N(0));
  i64 from = i64(at.lane) * V;
  i64 step = i64(group) * V;
  Share held[HELD];
#pragma unroll
  for (int k = 0; k < HELD; k++) held[k].clear();
#pragma unroll 1
  for (i64 r = 0; r < each; r++) {
    i64 row = at.unit * each + r;
    bool works = at.works && row < rows.count;
    i64 size = works ? n : 0;
    if (!works) row = 0;
    Row<const T> in = rowOf(x, rows, 0, row, xStride, size, vector);
    Row<const T> slopes = rowOf(dy, rows, 1, row, dyStride, size, vector);
    Slopes all{mean == nullptr ? N(0) : mean[row], rstd[row]};
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      i64 i = from + k * step;
      if (i < size) all.add(in.get(i, zero), slopes.get(i, zero), w.get(i), held[k]);
    }
    for (i64 i = from + HELD * step; i < size; i += step) {
      Share share;
      if (r == 0) {
        share.clear();
      } else {
        share.load(mine, i, n);
      }
      all.add(in.get(i, zero), slopes.get(i, zero), w.get(i), share);
      share.store(mine, i, n);
    }
    if (dx != nullptr) {
      all.sum = sumOverTeam(all.sum, group) / N(n);
      all.product = sumOverTeam(all.product, group) / N(n);
      if (mean == nullptr) all.sum = 0;
      Row<T> out = rowOf(dx, rows, 2, row, dxStride, size, vector);
      for (i64 i = from; i < size; i += step) {
        out.put(i, all.dx(in.get(i, zero), slopes.get(i, zero), w.get(i)));
      }
    }
  }
#pragma unroll
  for (int k = 0; k < HELD; k++) {
    i64 i = from + k * step;
    if (at.works && i < n) held[k].store(mine, i, n);
  }
}

// Columns 0 to n - 1 are dweight, n to 2 n - 1 dbias; either may be missing.
ENTRY(layer_norm_finish)(const N* shares, i64 teams, i64 n, T* dweight, i64 weightStride, T* dbias,
                         i64 biasStride) {
  __shared__ N sums[THREADS / COLUMNS][COLUMNS];
  i32 lane = threadIdx.x % COLUMNS;
  i32 part = threadIdx.x / COLUMNS;
  i64 column = i64(blockIdx.x) * COLUMNS + lane;
  N sum = 0;
  if (column < 2 * n) {
    for (i64 t = part; t < teams; t += THREADS / COLUMNS) sum += shares[t * 2 * n + column];
  }
  sums[part][lane] = sum;
  __syncthreads();
  if (part > 0 || column >= 2 * n) return;
  for (int p = 1; p < THREADS / COLUMNS; p++) sum += sums[p][lane];
  if (column < n) {
    if (dweight != nullptr) dweight[column * weightStride] = narrow<T>(sum);
  } else if (dbias != nullptr) {
    dbias[(column - n) * biasStride] = narrow<T>(sum);
  }
}
