// Derivatives of the functions of one number: dx = dy f', the formulas in unary.cuh.
// types: f32 f64 bf16
//
// Views saved (the argument or the result of the function, as Unary.reads says), dy and dx of one
// shape, scalars a and b, a Walk<3> in packs. Launch as elementwise.cuh says. Deterministic: each
// element alone. Java counterpart: CudaElementwise.
#include "elementwise.cuh"

#define FUNCTION(name, result, gradient)                                                   \
  struct backward_##name {                                                                 \
    N a, b;                                                                                \
    __device__ __forceinline__ T operator()(T saved, T element) const {                    \
      [[maybe_unused]] N x = widen(saved);                                                 \
      [[maybe_unused]] N y = x;                                                            \
      [[maybe_unused]] N dy = widen(element);                                              \
      return narrow<T>(gradient);                                                          \
    }                                                                                      \
  };                                                                                       \
  ENTRY(name##_backward)(const T* saved, const T* dy, T* dx, f64 a, f64 b, Walk<3> walk) { \
    backward_##name f{static_cast<N>(a), static_cast<N>(b)};                               \
    map<PACK<T>>(walk, f, dx, saved, dy);                                                  \
  }

#define PREDICATE(name, result)

#include "unary.cuh"
