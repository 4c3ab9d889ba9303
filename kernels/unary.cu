// Functions of one number: y = f(x), the formulas in unary.cuh.
// types: f32 f64 bf16 i64 i32 u8 bool
//
// Views x and y of one shape, scalars a and b, a Walk<2> in packs; predicates write bool. Launch as
// elementwise.cuh says. Deterministic: each element alone. Java counterpart: CudaElementwise.
#include "elementwise.cuh"

#define FUNCTION(name, result, gradient) UNARY(name, T, result)
#define PREDICATE(name, result) UNARY(name, bool, result)

#define UNARY(name, R, result)                                 \
  struct forward_##name {                                      \
    N a, b;                                                    \
    __device__ __forceinline__ R operator()(T element) const { \
      N x = widen(element);                                    \
      return narrow<R>(result);                                \
    }                                                          \
  };                                                           \
  ENTRY(name)(const T* x, R* y, f64 a, f64 b, Walk<2> walk) {  \
    forward_##name f{static_cast<N>(a), static_cast<N>(b)};    \
    map<PACK<T>>(walk, f, y, x);                               \
  }

#include "unary.cuh"
