// Optimiser steps: all parameters of a table in one launch (Update.java has the formulas,
// CudaUpdate.java builds the table).
//
// Block b does task b: one chunk of one parameter. It computes the row's scalars from the counters
// as they were before the step, in f64, and applies them in the parameter's type (bf16 in f32,
// rounded once), with the operations of the CPU backend in their order. The block that finishes
// last, by a ticket in the table, writes the new counters, when no block needs the old ones any
// more, and winds the ticket back for the next step. Where skip[0] is true nothing is written.
// Launch: one block of 256 threads a task. Bits do not depend on how blocks run.
// types: f32 f64 bf16

#include "common.cuh"

constexpr i32 THREADS = 256;
constexpr i64 CHUNK = 4096;

typedef Wide<T> W;

// One parameter; 72 bytes.
struct Row {
  T* p;
  const T* g;
  T* state[3];  // null: not kept
  f64* counters;
  i64 counterStep;
  i64 numel;
  i64 group;
};

struct Task {
  i32 row;
  i32 chunk;
};

// Products that must not become part of an fma, which rounds once where the CPU rounds twice.
__device__ __forceinline__ f32 times(f32 x, f32 y) { return __fmul_rn(x, y); }
__device__ __forceinline__ f64 times(f64 x, f64 y) { return __dmul_rn(x, y); }

// A row of the group block.
struct Scalars {
  const f64* first;
  i64 step;
  __device__ __forceinline__ f64 operator[](i32 i) const { return first[i * step]; }
};

struct Sgd {
  static constexpr i32 COUNTERS = 1;
  static constexpr i32 STATES = 1;
  W decay, sign, momentum, rest, down;
  i32 first, nesterov;

  // The counters after this step.
  static __device__ __forceinline__ void count(const Scalars&, f64 (&counters)[COUNTERS]) {
    counters[0] += 1;
  }

  __device__ __forceinline__ void prepare(const Scalars& s, const f64 (&counters)[COUNTERS]) {
    down = static_cast<W>(-s[0]);
    momentum = static_cast<W>(s[1]);
    rest = static_cast<W>(1 - s[2]);
    decay = static_cast<W>(s[3]);
    nesterov = s[4] != 0;
    sign = s[5] != 0 ? W(-1) : W(1);
    first = counters[0] == 1;
  }

  __device__ __forceinline__ void step(W& p, W g, W (&state)[STATES]) const {
    W& average = state[0];
    W dp = fma(decay, p, times(sign, g));
    average = first ? dp : fma(momentum, average, times(rest, dp));
    W way = nesterov ? fma(momentum, average, dp) : momentum != 0 ? average : dp;
    p = fma(down, way, p);
  }
};

struct Adam {
  static constexpr i32 COUNTERS = 3;
  static constexpr i32 STATES = 3;
  W decay, keep, sign, beta1, beta2, rest1, rest2, eps, rate, scale;
  W amsgrad;  // a truth, but of this type: a rule is copied, and must have no bytes of padding

  static __device__ __forceinline__ void count(const Scalars& s, f64 (&counters)[COUNTERS]) {
    counters[0] += 1;
    counters[1] = times(counters[1], s[1]);
    counters[2] = times(counters[2], s[2]);
  }

  __device__ __forceinline__ void prepare(const Scalars& s, const f64 (&counters)[COUNTERS]) {
    bool decoupled = s[5] != 0;
    decay = static_cast<W>(decoupled ? 0 : s[4]);
    keep = static_cast<W>(decoupled ? 1 - times(s[0], s[4]) : 1);
    sign = s[6] != 0 ? W(-1) : W(1);
    beta1 = static_cast<W>(s[1]);
    beta2 = static_cast<W>(s[2]);
    rest1 = static_cast<W>(1 - s[1]);
    rest2 = static_cast<W>(1 - s[2]);
    eps = static_cast<W>(s[3]);
    rate = static_cast<W>(s[0] / (1 - counters[1]));
    scale = static_cast<W>(1 / sqrt(1 - counters[2]));
    amsgrad = static_cast<W>(s[7] != 0);
  }

  __device__ __forceinline__ void step(W& p, W g, W (&state)[STATES]) const {
    W& mean = state[0];
    W& square = state[1];
    W dp = fma(decay, p, times(sign, g));
    mean = fma(beta1, mean, times(rest1, dp));
    square = fma(beta2, square, times(times(rest2, dp), dp));
    if (amsgrad != 0) state[2] = larger(state[2], square);
    W root = fma(sqrt(amsgrad != 0 ? state[2] : square), scale, eps);
    p = times(p, keep) - times(rate, mean) / root;
  }
};

struct RmsProp {
  static constexpr i32 COUNTERS = 1;
  static constexpr i32 STATES = 3;
  W decay, sign, alpha, rest, eps, momentum, down;
  W centered;  // as amsgrad

  static __device__ __forceinline__ void count(const Scalars&, f64 (&counters)[COUNTERS]) {
    counters[0] += 1;
  }

  __device__ __forceinline__ void prepare(const Scalars& s, const f64 (&)[COUNTERS]) {
    down = static_cast<W>(-s[0]);
    alpha = static_cast<W>(s[1]);
    rest = static_cast<W>(1 - s[1]);
    eps = static_cast<W>(s[2]);
    decay = static_cast<W>(s[3]);
    momentum = static_cast<W>(s[4]);
    centered = static_cast<W>(s[5] != 0);
    sign = s[6] != 0 ? W(-1) : W(1);
  }

  __device__ __forceinline__ void step(W& p, W g, W (&state)[STATES]) const {
    W& square = state[0];
    W& mean = state[1];
    W& average = state[2];
    W dp = fma(decay, p, times(sign, g));
    square = fma(alpha, square, times(times(rest, dp), dp));
    if (centered != 0) mean = fma(alpha, mean, times(rest, dp));
    W way = dp / (sqrt(centered != 0 ? fma(-mean, mean, square) : square) + eps);
    if (momentum != 0) way = average = fma(momentum, average, way);
    p = fma(down, way, p);
  }
};

struct Adagrad {
  static constexpr i32 COUNTERS = 1;
  static constexpr i32 STATES = 1;
  W decay, sign, eps, down;

  static __device__ __forceinline__ void count(const Scalars&, f64 (&counters)[COUNTERS]) {
    counters[0] += 1;
  }

  __device__ __forceinline__ void prepare(const Scalars& s, const f64 (&counters)[COUNTERS]) {
    down = static_cast<W>(-(s[0] / (1 + times(counters[0] - 1, s[1]))));
    eps = static_cast<W>(s[2]);
    decay = static_cast<W>(s[3]);
    sign = s[4] != 0 ? W(-1) : W(1);
  }

  __device__ __forceinline__ void step(W& p, W g, W (&state)[STATES]) const {
    W& sum = state[0];
    W dp = fma(decay, p, times(sign, g));
    sum = fma(dp, dp, sum);
    p = fma(down, dp / (sqrt(sum) + eps), p);
  }
};

struct NAdam {
  static constexpr i32 COUNTERS = 4;
  static constexpr i32 STATES = 2;
  W decay, keep, sign, beta1, beta2, rest1, rest2, eps, ofGradient, ofMean, scale;

  // The momentum of a step, where power is momentum_factor to its number.
  static __device__ __forceinline__ f64 mu(const Scalars& s, f64 power) {
    return times(s[1], 1 - times(0.5, power));
  }

  static __device__ __forceinline__ void count(const Scalars& s, f64 (&counters)[COUNTERS]) {
    counters[0] += 1;
    counters[1] = times(counters[1], s[2]);
    counters[2] = times(counters[2], s[7]);
    counters[3] = times(counters[3], mu(s, counters[2]));
  }

  __device__ __forceinline__ void prepare(const Scalars& s, const f64 (&counters)[COUNTERS]) {
    bool decoupled = s[5] != 0;
    decay = static_cast<W>(decoupled ? 0 : s[4]);
    keep = static_cast<W>(decoupled ? 1 - times(s[0], s[4]) : 1);
    sign = s[6] != 0 ? W(-1) : W(1);
    beta1 = static_cast<W>(s[1]);
    beta2 = static_cast<W>(s[2]);
    rest1 = static_cast<W>(1 - s[1]);
    rest2 = static_cast<W>(1 - s[2]);
    eps = static_cast<W>(s[3]);
    f64 now = mu(s, counters[2]);
    f64 next = mu(s, times(counters[2], s[7]));
    ofGradient = static_cast<W>(times(s[0], 1 - now) / (1 - counters[3]));
    ofMean = static_cast<W>(times(s[0], next) / (1 - times(counters[3], next)));
    scale = static_cast<W>(1 / sqrt(1 - counters[1]));
  }

  __device__ __forceinline__ void step(W& p, W g, W (&state)[STATES]) const {
    W& mean = state[0];
    W& square = state[1];
    W dp = fma(decay, p, times(sign, g));
    mean = fma(beta1, mean, times(rest1, dp));
    square = fma(beta2, square, times(times(rest2, dp), dp));
    W root = fma(sqrt(square), scale, eps);
    p = times(p, keep) - fma(ofMean, mean, times(ofGradient, dp)) / root;
  }
};

template <typename Rule>
__device__ __forceinline__ void count(const Row& row, const Scalars& s,
                                      f64 (&counters)[Rule::COUNTERS]) {
  for (i32 i = 0; i < Rule::COUNTERS; i++) counters[i] = row.counters[i * row.counterStep];
  Rule::count(s, counters);
}

// V elements from element i on.
template <i32 V, typename Rule>
__device__ __forceinline__ void step(const Rule& rule, const Row& row, i64 i) {
  typedef Pack<T, V> P;
  P p = *reinterpret_cast<const P*>(row.p + i);
  P g = *reinterpret_cast<const P*>(row.g + i);
  P state[Rule::STATES];
  for (i32 s = 0; s < Rule::STATES; s++) {
    // A rule does not use what is not kept.
    state[s] = row.state[s] ? *reinterpret_cast<const P*>(row.state[s] + i) : p;
  }
  for (i32 k = 0; k < V; k++) {
    W value = widen(p.at[k]);
    W wide[Rule::STATES];
    for (i32 s = 0; s < Rule::STATES; s++) wide[s] = widen(state[s].at[k]);
    rule.step(value, widen(g.at[k]), wide);
    p.at[k] = narrow<T>(value);
    for (i32 s = 0; s < Rule::STATES; s++) state[s].at[k] = narrow<T>(wide[s]);
  }
  *reinterpret_cast<P*>(row.p + i) = p;
  for (i32 s = 0; s < Rule::STATES; s++) {
    if (row.state[s]) *reinterpret_cast<P*>(row.state[s] + i) = state[s];
  }
}

template <typename Rule>
__device__ __forceinline__ void update(const Row* rows, i32 rowCount, const Task* tasks,
                                       u32* ticket, const f64* groups, i64 groupStep,
                                       i64 scalarStep, const bool* skip) {
  __shared__ Rule shared;
  __shared__ bool last;
  if (skip[0]) return;
  Task task = tasks[blockIdx.x];
  Row row = rows[task.row];
  if (threadIdx.x == 0) {
    f64 counters[Rule::COUNTERS];
    Scalars s = {groups + row.group * groupStep, scalarStep};
    count<Rule>(row, s, counters);
    shared.prepare(s, counters);
    __threadfence();
    last = atomicAdd(ticket, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  Rule rule = shared;

  i64 from = task.chunk * CHUNK;
  i64 to = min(row.numel, from + CHUNK);
  constexpr i32 V = PACK<T>;
  u64 addresses = reinterpret_cast<u64>(row.p) | reinterpret_cast<u64>(row.g);
  for (i32 k = 0; k < Rule::STATES; k++) addresses |= reinterpret_cast<u64>(row.state[k]);
  if (addresses % 16 == 0) {
    for (i64 i = from + threadIdx.x * V; i + V <= to; i += THREADS * V) step<V>(rule, row, i);
    from = max(from, to - to % V);
  }
  for (i64 i = from + threadIdx.x; i < to; i += THREADS) step<1>(rule, row, i);

  if (last) {
    for (i32 r = threadIdx.x; r < rowCount; r += THREADS) {
      f64 counters[Rule::COUNTERS];
      count<Rule>(rows[r], {groups + rows[r].group * groupStep, scalarStep}, counters);
      for (i32 i = 0; i < Rule::COUNTERS; i++) {
        rows[r].counters[i * rows[r].counterStep] = counters[i];
      }
    }
    if (threadIdx.x == 0) *ticket = 0;
  }
}

ENTRY(sgd)(const Row* rows, i32 rowCount, const Task* tasks, u32* ticket, const f64* groups,
           i64 groupStep, i64 scalarStep, const bool* skip) {
  update<Sgd>(rows, rowCount, tasks, ticket, groups, groupStep, scalarStep, skip);
}

ENTRY(adam)(const Row* rows, i32 rowCount, const Task* tasks, u32* ticket, const f64* groups,
            i64 groupStep, i64 scalarStep, const bool* skip) {
  update<Adam>(rows, rowCount, tasks, ticket, groups, groupStep, scalarStep, skip);
}

ENTRY(rmsprop)(const Row* rows, i32 rowCount, const Task* tasks, u32* ticket, const f64* groups,
               i64 groupStep, i64 scalarStep, const bool* skip) {
  update<RmsProp>(rows, rowCount, tasks, ticket, groups, groupStep, scalarStep, skip);
}

ENTRY(adagrad)(const Row* rows, i32 rowCount, const Task* tasks, u32* ticket, const f64* groups,
               i64 groupStep, i64 scalarStep, const bool* skip) {
  update<Adagrad>(rows, rowCount, tasks, ticket, groups, groupStep, scalarStep, skip);
}

ENTRY(nadam)(const Row* rows, i32 rowCount, const Task* tasks, u32* ticket, const f64* groups,
             i64 groupStep, i64 scalarStep, const bool* skip) {
  update<NAdam>(rows, rowCount, tasks, ticket, groups, groupStep, scalarStep, skip);
}
