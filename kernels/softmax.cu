// Softmax and its logarithm over rows, forward and backward, and the cross-entropy of class
// indices. Counterpart: CudaSoftmax.java; definition: CpuSoftmax.java, CpuCrossEntropy.java.
//
// A row has n elements at an even stride; Lines say where rows start. Rows are read and written in
// packs of 16 bytes, by one load each where `vector` says that all elements are neighbours and
// aligned.
//
//   ..._group  `group` lanes of a warp (1, 2, 4, ... 32) hold a row in their registers; n is at most
//              128 bytes of values a lane, as computed. No barriers.
//   ..._block  a block does a row of any length. Where `keep` is set, each thread
//              keeps the packs it has read in dynamic shared memory for its second look (16 bytes
//              a pack and tensor, n rounded up to packs); else it reads them again.
//
// Launch: 256 threads; as many groups, or blocks, as there are rows. Which packs a thread takes and
// how sums are folded depends on n alone, so results have the same bits on every run and for any
// strides.
//
// types: f32 f64 bf16
#include "rows.cuh"

constexpr int HELD = 128 / sizeof(N) / V;  // packs that a lane holds

// Where the search for the greatest element starts. Not -inf: e^(x - LOWEST) is 0 for x = -inf,
// which e^(x + inf) is not.
constexpr N LOWEST = sizeof(N) == 8 ? N(-1.7976931348623157e308) : N(-3.4028234663852886e38);

// What fills up the last pack of a row where its greatest element or a sum of e^x is sought.
__device__ __forceinline__ T nothing() { return narrow<T>(N(-INFINITY)); }

struct Greater {
  // Passes over y = NaN; e^(NaN - x) will show it.
  __device__ __forceinline__ N operator()(N x, N y) const { return y > x ? y : x; }
};

// max, the greatest element of a row so far, and sum(e^(x - max)), which is NaN if there is a NaN
// or an infinity, because inf - inf is.
struct ExpSum {
  N max = LOWEST;
  N sum = 0;

  __device__ __forceinline__ void add(const P& p) {
    N greatest = max;
#pragma unroll
    for (int j = 0; j < V; j++) greatest = Greater()(greatest, widen(p.at[j]));
    sum *= exp(max - greatest);
    max = greatest;
#pragma unroll
    for (int j = 0; j < V; j++) sum += exp(widen(p.at[j]) - max);
  }

  __device__ __forceinline__ void foldOverBlock() {
    N greatest = foldBlock(max, Greater());
    sum = foldBlock(sum * exp(max - greatest), Plus());
    max = greatest;
  }

  // log(sum(e^x)); NaN without a finite element.
  __device__ __forceinline__ N logSum() const { return sum > 0 ? max + log(sum) : N(NAN); }

  __device__ __forceinline__ P softmax(const P& x, bool ofLog) const {
    N scale = ofLog ? log(sum) : sum;
    P y;
#pragma unroll
    for (int j = 0; j < V; j++) {
      N z = widen(x.at[j]) - max;
      y.at[j] = narrow<T>(ofLog ? z - scale : exp(z) / scale);
    }
    return y;
  }
};

// A row in the registers of a group.
struct HeldRow {
  P packs[HELD];
  i32 lane;
  i32 group;

  __device__ __forceinline__ HeldRow(const Place& at, i32 group) : lane(at.lane), group(group) {}

  __device__ __forceinline__ i64 first(int k) const { return (i64(k) * group + lane) * V; }

  template <typename S> __device__ __forceinline__ void read(const Row<S>& row, T rest) {
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      if (first(k) >= row.n) break;
      packs[k] = row.get(first(k), rest);
    }
  }

  __device__ __forceinline__ ExpSum expSum(i64 n) const {
    ExpSum all;
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      if (first(k) >= n) break;
#pragma unroll
      for (int j = 0; j < V; j++) all.max = Greater()(all.max, widen(packs[k].at[j]));
    }
    all.max = foldLanes(all.max, group, Greater());
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      if (first(k) >= n) break;
#pragma unroll
      for (int j = 0; j < V; j++) all.sum += exp(widen(packs[k].at[j]) - all.max);
    }
    all.sum = foldLanes(all.sum, group, Plus());
    return all;
  }
};

// y = softmax(x), or its logarithm.

ENTRY(softmax_group)(Lines<2> rows, const T* x, T* y, i64 n, i64 xStride, i64 yStride, i32 vector,
                     i32 ofLog, i32 group) {
  Place at(rows.count, group);
  if (!at.works) n = 0;
  Row<const T> in = rowOf(x, rows, 0, at.unit, xStride, n, vector);
  Row<T> out = rowOf(y, rows, 1, at.unit, yStride, n, vector);
  HeldRow held(at, group);
  held.read(in, nothing());
  ExpSum all = held.expSum(n);
#pragma unroll
  for (int k = 0; k < HELD; k++) {
    if (held.first(k) >= n) break;
    out.put(held.first(k), all.softmax(held.packs[k], ofLog));
  }
}

ENTRY(softmax_block)(Lines<2> rows, const T* x, T* y, i64 n, i64 xStride, i64 yStride, i32 vector,
                     i32 ofLog, i32 keep) {
  DH_SHARED_DYNAMIC(P, kept);
  Row<const T> in = rowOf(x, rows, 0, blockIdx.x, xStride, n, vector);
  Row<T> out = rowOf(y, rows, 1, blockIdx.x, yStride, n, vector);
  ExpSum all;
  for (i64 i = threadIdx.x; i * V < n; i += THREADS) {
    P p = in.get(i * V, nothing());
    if (keep) kept[i] = p;
    all.add(p);
  }
  all.foldOverBlock();
  for (i64 i = threadIdx.x; i * V < n; i += THREADS) {
    out.put(i * V, all.softmax(keep ? kept[i] : in.get(i * V, nothing()), ofLog));
  }
}

// dx = y (dy - sum(dy y)), or for the logarithm dy - e^y sum(dy).

struct Backward {
  bool ofLog;
  N sum = 0;

  __device__ __forceinline__ void add(const P& y, const P& dy) {
#pragma unroll
    for (int j = 0; j < V; j++) {
      sum = ofLog ? sum + widen(dy.at[j]) : fma(widen(y.at[j]), widen(dy.at[j]), sum);
    }
  }

  __device__ __forceinline__ P dx(const P& y, const P& dy) const {
    P dx;
#pragma unroll
    for (int j = 0; j < V; j++) {
      N a = widen(y.at[j]);
      N b = widen(dy.at[j]);
      dx.at[j] = narrow<T>(ofLog ? fma(exp(a), -sum, b) : a * (b - sum));
    }
    return dx;
  }
};

ENTRY(softmax_backward_group)(Lines<3> rows, const T* y, const T* dy, T* dx, i64 n, i64 yStride,
                              i64 dyStride, i64 dxStride, i32 vector, i32 ofLog, i32 group) {
  Place at(rows.count, group);
  if (!at.works) n = 0;
  Row<T> out = rowOf(dx, rows, 2, at.unit, dxStride, n, vector);
  HeldRow values(at, group);
  HeldRow slopes(at, group);
  values.read(rowOf(y, rows, 0, at.unit, yStride, n, vector), narrow<T>(N(0)));
  slopes.read(rowOf(dy, rows, 1, at.unit, dyStride, n, vector), narrow<T>(N(0)));
  Backward all{ofLog != 0};
#pragma unroll
  for (int k = 0; k < HELD; k++) {
    if (values.first(k) >= n) break;
    all.add(values.packs[k], slopes.packs[k]);
  }
  all.sum = foldLanes(all.sum, group, Plus());
#pragma unroll
  for (int k = 0; k < HELD; k++) {
    if (values.first(k) >= n) break;
    out.put(values.first(k), all.dx(values.packs[k], slopes.packs[k]));
  }
}

ENTRY(softmax_backward_block)(Lines<3> rows, const T* y, const T* dy, T* dx, i64 n, i64 yStride,
                              i64 dyStride, i64 dxStride, i32 vector, i32 ofLog, i32 keep) {
  DH_SHARED_DYNAMIC(P, kept);
  Row<const T> values = rowOf(y, rows, 0, blockIdx.x, yStride, n, vector);
  Row<const T> slopes = rowOf(dy, rows, 1, blockIdx.x, dyStride, n, vector);
  Row<T> out = rowOf(dx, rows, 2, blockIdx.x, dxStride, n, vector);
  T zero = narrow<T>(N(0));
  Backward all{ofLog != 0};
  for (i64 i = threadIdx.x; i * V < n; i += THREADS) {
    P a = values.get(i * V, zero);
    P b = slopes.get(i * V, zero);
    if (keep) {
      kept[2 * i] = a;
      kept[2 * i + 1] = b;
    }
    all.add(a, b);
  }
  all.sum = foldBlock(all.sum, Plus());
  for (i64 i = threadIdx.x; i * V < n; i += THREADS) {
    P a = keep ? kept[2 * i] : values.get(i * V, zero);
    P b = keep ? kept[2 * i + 1] : slopes.get(i * V, zero);
    out.put(i * V, all.dx(a, b));
  }
}

// z = log(sum(e^x)) and y = z - x[target], 0 where the target is `ignore`. Lines of x, target, y
// and z. y of a target out of range is NaN.

__device__ __forceinline__ void loss(const ExpSum& all, const Row<const T>& row, i64 target,
                                     i64 ignore, T* y, N* z, Fault* fault, i32 code,
                                     i64 position) {
  *z = all.logSum();
  N loss = 0;
  if (target != ignore) {
    if (target >= 0 && target < row.n) {
      // Not z - x: of great logits that would leave few digits.
      loss = log(all.sum) - (widen(row.start[target * row.stride]) - all.max);
    } else {
      loss = N(NAN);
      report(fault, code, target, row.n, position);
    }
  }
  *y = narrow<T>(loss);
}

ENTRY(cross_entropy_group)(Lines<4> rows, const T* x, const i64* target, T* y, N* z, i64 n,
                           i64 xStride, i64 ignore, i32 vector, Fault* fault, i32 code,
                           i32 group) {
  Place at(rows.count, group);
  i64 row = at.unit;
  Row<const T> in = rowOf(x, rows, 0, row, xStride, at.works ? n : 0, vector);
  HeldRow held(at, group);
  held.read(in, nothing());
  ExpSum all = held.expSum(in.n);
  if (at.works && at.lane == 0) {
    loss(all, in, target[rows.start(1, row)], ignore, y + rows.start(2, row),
         z + rows.start(3, row), fault, code, row);
  }
}

ENTRY(cross_entropy_block)(Lines<4> rows, const T* x, const i64* target, T* y, N* z, i64 n,
                           i64 xStride, i64 ignore, i32 vector, Fault* fault, i32 code) {
  i64 row = blockIdx.x;
  Row<const T> in = rowOf(x, rows, 0, row, xStride, n, vector);
  ExpSum all;
  for (i64 i = threadIdx.x; i * V < n; i += THREADS) all.add(in.get(i * V, nothing()));
  all.foldOverBlock();
  if (threadIdx.x == 0) {
    loss(all, in, target[rows.start(1, row)], ignore, y + rows.start(2, row),
         z + rows.start(3, row), fault, code, row);
  }
}

// dx[c] = dy (e^(x[c] - z) - (c == target ? 1 : 0)), 0 where the target is `ignore`. Lines of x,
// target, z, dy and dx. Groups of up to 256 threads; nothing is folded.
ENTRY(cross_entropy_backward)(Lines<5> rows, const T* x, const i64* target, const N* z,
                              const T* dy, T* dx, i64 n, i64 xStride, i64 dxStride, i64 ignore,
                              i32 vector, i32 group) {
  Place at(rows.count, group);
  if (!at.works) return;
  i64 row = at.unit;
  Row<const T> in = rowOf(x, rows, 0, row, xStride, n, vector);
  Row<T> out = rowOf(dx, rows, 4, row, dxStride, n, vector);
  i64 c = target[rows.start(1, row)];
  N logSum = z[rows.start(2, row)];
  N slope = widen(dy[rows.start(3, row)]);
  for (i64 first = i64(at.lane) * V; first < n; first += i64(group) * V) {
    P p = in.get(first, nothing());
#pragma unroll
    for (int j = 0; j < V; j++) {
      N share = exp(widen(p.at[j]) - logSum) - (first + j == c ? N(1) : N(0));
      p.at[j] = narrow<T>(c == ignore ? N(0) : slope * share);
    }
    out.put(first, p);
  }
}
