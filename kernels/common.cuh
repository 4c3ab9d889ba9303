// What all kernel families share: element types, how several views of one shape are walked
// together, vector loads, and the report of an index that is out of range.
//
// A family with a line "// types: ..." is compiled once for each type named there, with DH_TYPE
// set; in it T is the element type and ENTRY(name) declares the entry name_<type>.
#pragma once

#ifdef DH_EMU
#include "cuda_emu.h"
#else
#include <cuda_bf16.h>
#endif

#include <type_traits>

typedef float f32;
typedef double f64;
typedef __nv_bfloat16 bf16;
typedef long long i64;
typedef int i32;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned char u8;

#define DH_JOIN_(name, type) name##_##type
#define DH_JOIN(name, type) DH_JOIN_(name, type)

#ifdef DH_TYPE
typedef DH_TYPE T;
#define ENTRY(name) extern "C" __global__ void DH_JOIN(name, DH_TYPE)
#endif

// Under the test double cuda_emu.h defines its own.
#ifndef DH_SHARED_DYNAMIC
#define DH_SHARED_DYNAMIC(type, name)                          \
  extern __shared__ __align__(16) unsigned char name##_raw[]; \
  type* name = reinterpret_cast<type*>(name##_raw)
#endif

// 1 in a file that is compiled for a floating type, for #if; likewise DH_IS_BOOL.
#define DH_FLOATING_f32 1
#define DH_FLOATING_f64 1
#define DH_FLOATING_bf16 1
#define DH_BOOL_bool 1
#define DH_IS_FLOATING DH_JOIN(DH_FLOATING, DH_TYPE)
#define DH_IS_BOOL DH_JOIN(DH_BOOL, DH_TYPE)

// The type in which elements of S are computed: bf16 in f32, whole numbers and truth values in i64.
template <typename S> struct WideOf { typedef i64 type; };
template <> struct WideOf<f64> { typedef f64 type; };
template <> struct WideOf<f32> { typedef f32 type; };
template <> struct WideOf<bf16> { typedef f32 type; };
template <typename S> using Wide = typename WideOf<S>::type;

template <typename S> __device__ __forceinline__ Wide<S> widen(S x) { return x; }
__device__ __forceinline__ f32 widen(bf16 x) { return __bfloat162float(x); }

// Rounds bf16 to the nearest, cuts i32 and u8 to their bits; anything but 0 is true.
template <typename S> __device__ __forceinline__ S narrow(Wide<S> x) { return static_cast<S>(x); }
template <> __device__ __forceinline__ bf16 narrow<bf16>(f32 x) { return __float2bfloat16_rn(x); }

// A floating number cut off to a whole one, the nearest there is; 0 for NaN. As Java's casts.
template <typename I, typename F> __device__ __forceinline__ I cut(F x) {
  constexpr F limit = sizeof(I) == 8 ? 9223372036854775808.0 : 2147483648.0;
  constexpr I least = I(1) << (8 * sizeof(I) - 1);
  return x != x ? 0 : x >= limit ? ~least : x <= -limit ? least : static_cast<I>(x);
}

// Any element, or a scalar of a call, as an element of R: floating numbers are rounded, or cut off,
// for u8 by way of i32; whole ones keep their low bits; anything but 0 is true.
template <typename R, typename S> __device__ __forceinline__ R convert(S x) {
  Wide<S> wide = widen(x);
  if constexpr (std::is_same_v<R, bool>) {
    return wide != 0;
  } else if constexpr (std::is_floating_point_v<Wide<R>>) {
    return narrow<R>(static_cast<Wide<R>>(wide));
  } else if constexpr (std::is_floating_point_v<Wide<S>>) {
    return narrow<R>(cut<std::conditional_t<std::is_same_v<R, i64>, i64, i32>>(wide));
  } else {
    return narrow<R>(wide);
  }
}

// Arithmetic that holds for whole numbers, which wrap around, and for floating ones alike.
template <typename N> __device__ __forceinline__ N plus(N x, N y) { return x + y; }
template <typename N> __device__ __forceinline__ N minus(N x, N y) { return x - y; }
template <typename N> __device__ __forceinline__ N times(N x, N y) { return x * y; }
__device__ __forceinline__ i64 plus(i64 x, i64 y) { return i64(u64(x) + u64(y)); }
__device__ __forceinline__ i64 minus(i64 x, i64 y) { return i64(u64(x) - u64(y)); }
__device__ __forceinline__ i64 times(i64 x, i64 y) { return i64(u64(x) * u64(y)); }

// The larger and the smaller; NaN if either is, and 0 is above -0: those two cases are the sums.
template <typename N> __device__ __forceinline__ N larger(N x, N y) {
  return x > y ? x : x < y ? y : x == y && x != 0 ? x : x + y;
}
template <typename N> __device__ __forceinline__ N smaller(N x, N y) {
  return x < y ? x : x > y ? y : x == y && x != 0 ? x : -(-x - y);
}

// N neighbouring elements that are loaded and stored at once.
template <typename S, int N> struct alignas(sizeof(S) * N) Pack { S at[N]; };

// How many elements of S make a pack of 16 bytes, but at most 8.
template <typename S> constexpr int PACK = sizeof(S) == 1 ? 8 : 16 / sizeof(S);

// How K views of one shape are walked together, in row-major order of the shape. Java has dropped
// dimensions of size 1 and merged neighbours (Walk.java). Pointers include the views' offsets.
enum WalkKind : i32 {
  WALK_VECTOR = 0,      // all views have unit stride and start at a multiple of 16 bytes
  WALK_CONTIGUOUS = 1,  // all views have unit stride
  WALK_SMALL = 2,       // strided; all element offsets and the count are below 2^31
  WALK_LARGE = 3,       // strided
  WALK_PACKS = 4,       // in packs; for families that ask for it
};

// Of a walk in packs, the last dimension counts packs of as many elements as PACK has of the widest
// type among the views; the strides of a view count packs too, unless its last stride is 0: then
// they count elements, and one element stands for a whole pack. Every position and count is below
// 2^31. With one dimension, numel may leave a rest after the last whole pack.
template <int K> struct Walk {
  i64 numel;
  i32 rank;
  WalkKind kind;
  i64 size[8];
  i64 stride[K][8];  // in elements; 0 repeats
  // n / size[d] = n magic[d] >> shift[d] for n < 2^31; not for WALK_LARGE, nor the first dimension.
  u32 magic[8];
  i32 shift[8];

  // Where element n (of WALK_PACKS: pack n) lies in each view, where all of that is below 2^31.
  __device__ __forceinline__ void locate(u32 n, u32 (&at)[K]) const {
    for (int k = 0; k < K; k++) at[k] = 0;
#pragma unroll 1
    for (i32 d = rank - 1; d > 0; d--) {
      u32 outer = static_cast<u32>(static_cast<u64>(n) * magic[d] >> shift[d]);
      u32 i = n - outer * static_cast<u32>(size[d]);
      for (int k = 0; k < K; k++) at[k] += i * static_cast<u32>(stride[k][d]);
      n = outer;
    }
    for (int k = 0; k < K; k++) at[k] += n * static_cast<u32>(stride[k][0]);
  }

  // The same of elements for any kind; of WALK_PACKS with one dimension only.
  __device__ __forceinline__ void locate(i64 n, i64 (&at)[K]) const {
    for (int k = 0; k < K; k++) at[k] = 0;
#pragma unroll 1
    for (i32 d = rank - 1; d > 0; d--) {
      u64 outer = static_cast<u64>(n) / static_cast<u64>(size[d]);
      i64 i = n - static_cast<i64>(outer) * size[d];
      for (int k = 0; k < K; k++) at[k] += i * stride[k][d];
      n = static_cast<i64>(outer);
    }
    for (int k = 0; k < K; k++) at[k] += n * stride[k][0];
  }
};

// The first index out of range that a kernel met; reported to the host at its next wait.
struct Fault {
  i32 code;  // 0: none; else what CudaFault.java knows by this number
  i32 unused;
  i64 index;
  i64 size;      // indices 0 to size - 1 were allowed
  i64 position;  // where the index stood
  i64 reserved[4];
};

__device__ __forceinline__ void report(Fault* fault, i32 code, i64 index, i64 size, i64 position) {
  if (atomicCAS(&fault->code, 0, code) == 0) {
    fault->index = index;
    fault->size = size;
    fault->position = position;
  }
}
