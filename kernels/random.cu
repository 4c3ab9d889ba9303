// Random elements by position: y[i] is made of the four words of Philox4x32-10 at position
// base[0] + offset + i of a stream (Philox.java), i counted in row-major order of y's shape. One
// thread an element, or fewer; every element is a function of its position alone.
//
// f32, f64 and bf16 are uniform on [0, 1) or normal, bool is true with probability threshold 2^-32,
// i64 is the first word. All but normals have the bits of the CPU backend; normals are within a few
// units in the last place of it. Java: CudaRandom.
// types: f32 f64 bf16 i64 bool

#include "common.cuh"

struct Words {
  u32 at[4];
};

__device__ __forceinline__ Words philox(u64 seed, u64 stream, u64 position) {
  u32 x0 = static_cast<u32>(position);
  u32 x1 = static_cast<u32>(position >> 32);
  u32 x2 = static_cast<u32>(stream);
  u32 x3 = static_cast<u32>(stream >> 32);
  u32 k0 = static_cast<u32>(seed);
  u32 k1 = static_cast<u32>(seed >> 32);
  for (i32 round = 0; round < 10; round++) {
    u64 p0 = static_cast<u64>(0xD2511F53u) * x0;
    u64 p1 = static_cast<u64>(0xCD9E8D57u) * x2;
    x0 = static_cast<u32>(p1 >> 32) ^ x1 ^ k0;
    x1 = static_cast<u32>(p1);
    x2 = static_cast<u32>(p0 >> 32) ^ x3 ^ k1;
    x3 = static_cast<u32>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{x0, x1, x2, x3}};
}

__device__ __forceinline__ u64 upper53(u32 high, u32 low) {
  return (static_cast<u64>(high) << 32 | low) >> 11;
}

// 2^-n.
template <typename W> __device__ __forceinline__ W fraction(i32 n) {
  return W(1) / static_cast<W>(static_cast<u64>(1) << n);
}

__device__ __forceinline__ void uniform(const Words& words, f32& y) {
  y = static_cast<f32>(words.at[0] >> 8) * fraction<f32>(24);
}

__device__ __forceinline__ void uniform(const Words& words, f64& y) {
  y = static_cast<f64>(upper53(words.at[0], words.at[1])) * fraction<f64>(53);
}

// sqrt(-2 log u) cos(2 pi v), with u on (0, 1] and v on [0, 1) of 53 bits each. Both are taken as
// distances from the nearest zero of their function, which keeps f32 as exact there as elsewhere.
template <typename W> __device__ __forceinline__ W normal(const Words& words) {
  constexpr u64 ONE = static_cast<u64>(1) << 53;
  u64 u = upper53(words.at[0], words.at[1]) + 1;
  W logarithm = u <= ONE / 2 ? log(static_cast<W>(u) * fraction<W>(53))
                             : log1p(-(static_cast<W>(ONE - u) * fraction<W>(53)));
  u64 v = upper53(words.at[2], words.at[3]);
  u32 quarter = static_cast<u32>((v + ONE / 8) / (ONE / 4));
  i64 rest = static_cast<i64>(v) - static_cast<i64>(quarter * (ONE / 4));
  W halfTurns = static_cast<W>(rest) * fraction<W>(52);
  W cosine = quarter % 2 == 0 ? cospi(halfTurns) : sinpi(halfTurns);
  return sqrt(W(-2) * logarithm) * (quarter % 4 == 1 || quarter % 4 == 2 ? -cosine : cosine);
}

#if DH_IS_FLOATING
__device__ __forceinline__ T element(const Words& words, bool normals, u64) {
  Wide<T> y;
  uniform(words, y);
  return narrow<T>(normals ? normal<Wide<T>>(words) : y);
}
#elif DH_IS_BOOL
__device__ __forceinline__ T element(const Words& words, bool, u64 threshold) {
  return words.at[0] < threshold;
}
#else
__device__ __forceinline__ T element(const Words& words, bool, u64) { return words.at[0]; }
#endif

ENTRY(random)(Walk<1> walk, u64 seed, u64 stream, const i64* base, i64 offset, i32 normals,
              u64 threshold, T* y) {
  u64 first = static_cast<u64>(base[0] + offset);
  i64 threads = static_cast<i64>(gridDim.x) * blockDim.x;
  for (i64 n = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; n < walk.numel;
       n += threads) {
    i64 at[1];
    if (walk.kind == WALK_SMALL) {
      u32 small[1];
      walk.locate(static_cast<u32>(n), small);
      at[0] = small[0];
    } else {
      walk.locate(n, at);
    }
    y[at[0]] = element(philox(seed, stream, first + static_cast<u64>(n)), normals != 0, threshold);
  }
}
