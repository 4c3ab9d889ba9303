// The device language of CUDA for g++ on x86-64: kernels become ordinary functions, one call for
// each thread, and everything that involves other threads is asked of the runtime (device.h).
//
// A kernel file is compiled as ci/build-emulator generates it:
//     #define DH_EMU 1
//     #define DH_TYPE f32             (typed files)
//     #include "cuda_emu.h"
//     namespace {
//     #include "family.cu"
//     }
//     EMU_REGISTER(entry)             (for each entry)
// The namespace keeps shared variables of templates local to the unit: together they are its .bss.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <math.h>
#include <vector_functions.h>
#include <vector_types.h>

#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "device.h"

#undef __global__
#undef __device__
#undef __host__
#undef __constant__
#undef __shared__
#undef __forceinline__
#undef __launch_bounds__
#undef __grid_constant__
#undef __noinline__
#define __global__
#define __device__
#define __host__
#define __constant__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __noinline__ __attribute__((noinline))

#define DH_SHARED_DYNAMIC(type, name) type* const name = static_cast<type*>(emu_dynamic_shared)

// ---- built-in variables: constant for the thread, set by the runtime between threads

#define EMU_VARIABLE(symbol) __asm__(symbol) __attribute__((visibility("hidden")))

extern const uint3 threadIdx EMU_VARIABLE("emu_thread_index");
extern const uint3 blockIdx EMU_VARIABLE("emu_block_index");
extern const dim3 blockDim EMU_VARIABLE("emu_block_size");
extern const dim3 gridDim EMU_VARIABLE("emu_grid_size");
extern void* const emu_dynamic_shared EMU_VARIABLE("emu_dynamic_shared");
constexpr int warpSize = 32;

// ---- barriers, fences, warps

inline void __syncthreads(emu::Where where = emu::here()) {
  emu::barrier(emu::Barrier::PLAIN, 0, where);
}
inline int __syncthreads_or(int predicate, emu::Where where = emu::here()) {
  return emu::barrier(emu::Barrier::OR, predicate, where);
}
inline int __syncthreads_and(int predicate, emu::Where where = emu::here()) {
  return emu::barrier(emu::Barrier::AND, predicate, where);
}
inline int __syncthreads_count(int predicate, emu::Where where = emu::here()) {
  return emu::barrier(emu::Barrier::COUNT, predicate, where);
}

inline void __threadfence() { emu::fence(); }
inline void __threadfence_system() { emu::fence(); }
inline void __threadfence_block() { __asm__ volatile("" ::: "memory"); }

inline void __syncwarp(unsigned mask = 0xffffffffu, emu::Where where = emu::here()) {
  emu::warp(emu::Warp::SYNC, mask, 0, 0, 32, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, emu::Where where = emu::here()) {
  return emu::warp(emu::Warp::BALLOT, mask, predicate != 0, 0, 32, where);
}
inline int __any_sync(unsigned mask, int predicate, emu::Where where = emu::here()) {
  return emu::warp(emu::Warp::ANY, mask, predicate != 0, 0, 32, where);
}
inline int __all_sync(unsigned mask, int predicate, emu::Where where = emu::here()) {
  return emu::warp(emu::Warp::ALL, mask, predicate != 0, 0, 32, where);
}

template <typename V>
inline V emu_shuffle(emu::Warp operation, unsigned mask, V value, unsigned argument, int width,
                     emu::Where where) {
  static_assert(sizeof(V) == 2 || sizeof(V) == 4 || sizeof(V) == 8);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(V));
  bits = emu::warp(operation, mask, bits, argument, width, where);
  std::memcpy(&value, &bits, sizeof(V));
  return value;
}

template <typename V>
inline V __shfl_sync(unsigned mask, V value, int lane, int width = 32,
                     emu::Where where = emu::here()) {
  return emu_shuffle(emu::Warp::SHUFFLE, mask, value, lane, width, where);
}
template <typename V>
inline V __shfl_up_sync(unsigned mask, V value, unsigned delta, int width = 32,
                        emu::Where where = emu::here()) {
  return emu_shuffle(emu::Warp::SHUFFLE_UP, mask, value, delta, width, where);
}
template <typename V>
inline V __shfl_down_sync(unsigned mask, V value, unsigned delta, int width = 32,
                          emu::Where where = emu::here()) {
  return emu_shuffle(emu::Warp::SHUFFLE_DOWN, mask, value, delta, width, where);
}
template <typename V>
inline V __shfl_xor_sync(unsigned mask, V value, int lanes, int width = 32,
                         emu::Where where = emu::here()) {
  return emu_shuffle(emu::Warp::SHUFFLE_XOR, mask, value, lanes, width, where);
}

#define __trap() emu::trap(emu::here())

// ---- atomics: threads are never interrupted, so reading and then writing is enough

#ifdef __SANITIZE_THREAD__
#define EMU_UNSEEN __attribute__((no_sanitize("thread"), noinline))
#else
#define EMU_UNSEEN inline
#endif

template <typename A>
EMU_UNSEEN A emu_peek(const A* address) {
  return *address;
}
template <typename A>
EMU_UNSEEN void emu_poke(A* address, A value) {
  *address = value;
}

template <typename A, typename Change>
inline A emu_update(A* address, Change change) {
#ifdef __SANITIZE_THREAD__
  emu::atomic(address, sizeof(A));
#endif
  A old = emu_peek(address);
  emu_poke(address, A(change(old)));
  return old;
}

template <typename A>
using EmuOperand = std::type_identity_t<A>;

template <typename A> inline A atomicAdd(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return old + value; });
}
template <typename A> inline A atomicSub(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return old - value; });
}
template <typename A> inline A atomicExch(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A) { return value; });
}
template <typename A> inline A atomicMin(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return value < old ? value : old; });
}
template <typename A> inline A atomicMax(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return old < value ? value : old; });
}
template <typename A> inline A atomicAnd(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return old & value; });
}
template <typename A> inline A atomicOr(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return old | value; });
}
template <typename A> inline A atomicXor(A* address, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return old ^ value; });
}
template <typename A>
inline A atomicCAS(A* address, EmuOperand<A> compare, EmuOperand<A> value) {
  return emu_update(address, [=](A old) { return old == compare ? value : old; });
}
inline unsigned atomicInc(unsigned* address, unsigned limit) {
  return emu_update(address, [=](unsigned old) { return old >= limit ? 0 : old + 1; });
}
inline unsigned atomicDec(unsigned* address, unsigned limit) {
  return emu_update(address,
                    [=](unsigned old) { return old == 0 || old > limit ? limit : old - 1; });
}

// ---- loads and stores with a caching hint

template <typename V> inline V __ldg(const V* address) { return *address; }
template <typename V> inline V __ldca(const V* address) { return *address; }
template <typename V> inline V __ldcg(const V* address) { return *address; }
template <typename V> inline V __ldcs(const V* address) { return *address; }
template <typename V> inline void __stcg(V* address, EmuOperand<V> value) { *address = value; }
template <typename V> inline void __stcs(V* address, EmuOperand<V> value) { *address = value; }
template <typename V> inline void __stwt(V* address, EmuOperand<V> value) { *address = value; }

#include "cuda_emu_math.h"
#include "cuda_emu_register.h"
