// The norm of many tensors as one vector, and their scaling: clipping of gradients.
//
// norm_part:   the sum of |x|^p (p 1 or 2), or the largest |x| (p 0, for infinity), of each chunk of
//              each tensor, in f64; a NaN wins. Chunks are cut and summed by shapes alone: grid and
//              alignment do not matter.
// norm_finish: y[0] = the norm, of all chunks of all launches before; one block.
// norm_scale:  x *= factor[0], in f64, rounded to f32 or f64, and from f32 to bf16; a factor of 1
//              touches nothing.
//
// Launch: blocks of 256 threads that take chunk after chunk, any number of them. Java: CudaNorm.
// types: f32 f64 bf16

#include "common.cuh"

constexpr i32 THREADS = 256;
constexpr i64 CHUNK = 16384;
constexpr i32 SLICES = 64;

// Tensors of one launch; none is empty.
struct Slices {
  i64 count;
  i64 chunks;
  T* x[SLICES];
  i64 numel[SLICES];
  i64 first[SLICES];  // the number of a tensor's first chunk
};

// The tensor of a chunk: the last whose first chunk is not behind it.
__device__ __forceinline__ i32 owner(const Slices& slices, i64 chunk) {
  i32 low = 0;
  i32 high = static_cast<i32>(slices.count);
  while (high - low > 1) {
    i32 middle = (low + high) / 2;
    if (slices.first[middle] <= chunk) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

template <i32 P> __device__ __forceinline__ f64 join(f64 x, f64 y) {
  if (P != 0) return x + y;
  return y > x || y != y ? y : x;  // where x is NaN it stays
}

template <i32 P> __device__ __forceinline__ f64 add(f64 sum, T x) {
  f64 wide = static_cast<f64>(widen(x));
  return P == 2 ? fma(wide, wide, sum) : join<P>(sum, fabs(wide));
}

// The joined values of all threads, in thread 0.
template <i32 P> __device__ __forceinline__ f64 joinBlock(f64 value) {
  __shared__ f64 warps[THREADS / 32];
  for (i32 half = 16; half > 0; half /= 2) {
    value = join<P>(value, __shfl_down_sync(0xffffffffu, value, half));
  }
  __syncthreads();  // the last use of warps is over
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (i32 w = 1; w < THREADS / 32; w++) value = join<P>(value, warps[w]);
  }
  return value;
}

template <i32 P>
__device__ __forceinline__ void parts(const Slices& slices, f64* results) {
  constexpr i32 V = PACK<T>;
  for (i64 chunk = blockIdx.x; chunk < slices.chunks; chunk += gridDim.x) {
    i32 s = owner(slices, chunk);
    const T* x = slices.x[s];
    i64 from = (chunk - slices.first[s]) * CHUNK;
    i64 to = min(slices.numel[s], from + CHUNK);
    bool aligned = reinterpret_cast<u64>(x) % 16 == 0;
    f64 sum = 0;
    for (i64 i = from + threadIdx.x * V; i < to; i += THREADS * V) {
      if (aligned && i + V <= to) {
        Pack<T, V> pack = *reinterpret_cast<const Pack<T, V>*>(x + i);
        for (i32 k = 0; k < V; k++) sum = add<P>(sum, pack.at[k]);
      } else {
        for (i64 k = i; k < min(i + V, to); k++) sum = add<P>(sum, x[k]);
      }
    }
    sum = joinBlock<P>(sum);
    if (threadIdx.x == 0) results[chunk] = sum;
  }
}

ENTRY(norm_part)(Slices slices, i32 p, f64* results) {
  if (p == 2) {
    parts<2>(slices, results);
  } else if (p == 1) {
    parts<1>(slices, results);
  } else {
    parts<0>(slices, results);
  }
}

template <i32 P>
__device__ __forceinline__ void finish(const f64* results, i64 count, f64* y) {
  f64 sum = 0;
  for (i64 i = threadIdx.x; i < count; i += THREADS) sum = join<P>(sum, results[i]);
  sum = joinBlock<P>(sum);
  if (threadIdx.x == 0) y[0] = P == 2 ? sqrt(sum) : sum;
}

ENTRY(norm_finish)(const f64* results, i64 count, i32 p, f64* y) {
  if (p == 2) {
    finish<2>(results, count, y);
  } else if (p == 1) {
    finish<1>(results, count, y);
  } else {
    finish<0>(results, count, y);
  }
}

__device__ __forceinline__ T scaled(T x, f64 factor) {
  return narrow<T>(static_cast<Wide<T>>(static_cast<f64>(widen(x)) * factor));
}

ENTRY(norm_scale)(Slices slices, const f64* factor) {
  constexpr i32 V = PACK<T>;
  f64 f = factor[0];
  if (f == 1) return;
  for (i64 chunk = blockIdx.x; chunk < slices.chunks; chunk += gridDim.x) {
    i32 s = owner(slices, chunk);
    T* x = slices.x[s];
    i64 from = (chunk - slices.first[s]) * CHUNK;
    i64 to = min(slices.numel[s], from + CHUNK);
    if (reinterpret_cast<u64>(x) % 16 == 0) {
      for (i64 i = from + threadIdx.x * V; i + V <= to; i += THREADS * V) {
        Pack<T, V>* at = reinterpret_cast<Pack<T, V>*>(x + i);
        Pack<T, V> pack = *at;
        for (i32 k = 0; k < V; k++) pack.at[k] = scaled(pack.at[k], f);
        *at = pack;
      }
      from = to - to % V;
    }
    for (i64 i = from + threadIdx.x; i < to; i += THREADS) x[i] = scaled(x[i], f);
  }
}
