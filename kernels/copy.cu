// What is moved, not computed, to elements of T: copies of any type, fillings, sequences, choices.
// types: f32 f64 bf16 i64 i32 u8 bool
//
// Views of one shape with a Walk in packs, of as many views as there are; a sequence is contiguous.
// Launch as elementwise.cuh says. Deterministic: each element alone. Java counterpart:
// CudaElementwise.
#include "elementwise.cuh"

// y = x converted from another type, as convert says: copy_<from>_<to>, here <to> is T.
struct conversion {
  template <typename S> __device__ __forceinline__ T operator()(S x) const { return convert<T>(x); }
};

#define COPY(S)                                                             \
  ENTRY(copy_##S)(const S* x, T* y, Walk<2> walk) {                         \
    map<(PACK<S> < PACK<T> ? PACK<S> : PACK<T>)>(walk, conversion{}, y, x); \
  }

COPY(f32)
COPY(f64)
COPY(bf16)
COPY(i64)
COPY(i32)
COPY(u8)
COPY(bool)

// y = value everywhere.
struct constant {
  T value;
  __device__ __forceinline__ T operator()() const { return value; }
};

ENTRY(fill)(T* y, f64 value, Walk<1> walk) { map<PACK<T>>(walk, constant{convert<T>(value)}, y); }

// y[i] = start + i step, in f64 with two roundings, or in i64.
ENTRY(arange)(T* y, f64 start, f64 step, i64 n) {
  i64 threads = static_cast<i64>(gridDim.x) * blockDim.x;
  for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += threads) {
#if DH_IS_FLOATING
    y[i] = convert<T>(__dadd_rn(start, __dmul_rn(static_cast<f64>(i), step)));
#else
    y[i] = convert<T>(plus(convert<i64>(start), times(i, convert<i64>(step))));
#endif
  }
}

// z = condition ? x : y; a condition is true if it is not 0.
struct choice {
  __device__ __forceinline__ T operator()(u8 condition, T x, T y) const {
    return condition != 0 ? x : y;
  }
};

ENTRY(where)(const u8* condition, const T* x, const T* y, T* z, Walk<4> walk) {
  map<PACK<T>>(walk, choice{}, z, condition, x, y);
}
