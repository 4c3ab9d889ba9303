// Elementwise loops: z[i] = f(x[i], y[i], ...) for views of one shape. The walk of N operands is a
// Walk<N + 1> in packs, the result its last view. The result may lie over an operand that has the
// same layout. Launch: one thread a pack or element, or fewer; any grid gives the same bits.
#pragma once

#include <utility>

#include "common.cuh"

// The operand's pack number `at`, or its element number `at` for all places of the pack. A family
// may add kinds of operands.
template <int V, typename S, typename I>
__device__ __forceinline__ Pack<S, V> load(const S* x, I at, bool repeats) {
  if (!repeats) return reinterpret_cast<const Pack<S, V>*>(x)[at];
  Pack<S, V> pack;
  S element = x[at];
  for (int i = 0; i < V; i++) pack.at[i] = element;
  return pack;
}

template <typename R, int V, typename F, typename... S>
__device__ __forceinline__ Pack<R, V> apply(F f, const Pack<S, V>&... x) {
  Pack<R, V> z;
  for (int i = 0; i < V; i++) z.at[i] = f(x.at[i]...);
  return z;
}

// Step n of a walk, with V elements a step.
template <int V, typename I, int K, typename F, typename R, typename... X, size_t... k>
__device__ __forceinline__ void step(std::index_sequence<k...>, const Walk<K>& walk, I n,
                                     const bool (&repeats)[K], F f, R* z, const X&... x) {
  I at[K];
  walk.locate(n, at);
  reinterpret_cast<Pack<R, V>*>(z)[at[K - 1]] = apply<R, V>(f, load<V>(x, at[k], repeats[k])...);
}

// All steps: V is the PACK of the widest type.
template <int V, int K, typename F, typename R, typename... X>
__device__ __forceinline__ void map(const Walk<K>& walk, F f, R* z, const X&... x) {
  constexpr std::make_index_sequence<K - 1> operands;
  i64 thread = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
  i64 threads = static_cast<i64>(gridDim.x) * blockDim.x;
  bool repeats[K] = {};
  if (walk.kind == WALK_SMALL) {
    u32 end = static_cast<u32>(walk.numel);
#pragma unroll 1
    for (u32 n = static_cast<u32>(thread); n < end; n += static_cast<u32>(threads)) {
      step<1>(operands, walk, n, repeats, f, z, x...);
    }
    return;
  }
  i64 done = 0;
  if (walk.kind == WALK_PACKS) {
    bool repeating[K];
    for (int i = 0; i < K; i++) repeating[i] = walk.stride[i][walk.rank - 1] == 0;
    u32 packs = static_cast<u32>(walk.numel / V);
#pragma unroll 1
    for (u32 n = static_cast<u32>(thread); n < packs; n += static_cast<u32>(threads)) {
      step<V>(operands, walk, n, repeating, f, z, x...);
    }
    done = static_cast<i64>(packs) * V;
  }
  // All, or what is left of a single dimension.
#pragma unroll 1
  for (i64 n = done + thread; n < walk.numel; n += threads) {
    step<1>(operands, walk, n, repeats, f, z, x...);
  }
}
