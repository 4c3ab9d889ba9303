// Functions of two numbers: z = f(x, y), where x or y may be one number for all elements.
// types: f32 f64 bf16 i64 i32 u8 bool
//
// Views x, y and z of one shape and a Walk<3> in packs. `number` says which operand is the scalar
// instead of its view: 0 none, 1 x, 2 y; its view is not read then. Comparisons write bool. Whole
// numbers wrap around. Entries are called <op>_binary, for there is a unary pow too. Launch as
// elementwise.cuh says. Deterministic: each element alone. Java counterpart: CudaElementwise.
#include "elementwise.cuh"

typedef Wide<T> N;

// A view, or one number.
struct Operand {
  const T* view;
  bool is_number;
  T number;
};

template <int V, typename I>
__device__ __forceinline__ Pack<T, V> load(const Operand& x, I at, bool repeats) {
  if (!x.is_number) return load<V>(x.view, at, repeats);
  Pack<T, V> pack;
  for (int i = 0; i < V; i++) pack.at[i] = x.number;
  return pack;
}

#define FUNCTION(name, result) BINARY(name, T, result)
#define COMPARISON(name, result) BINARY(name, bool, result)

#define BINARY(name, R, result)                                                              \
  struct binary_##name {                                                                     \
    __device__ __forceinline__ R operator()(T left, T right) const {                         \
      N x = widen(left);                                                                     \
      N y = widen(right);                                                                    \
      return narrow<R>(result);                                                              \
    }                                                                                        \
  };                                                                                         \
  ENTRY(name##_binary)(const T* x, const T* y, R* z, f64 scalar, i32 number, Walk<3> walk) { \
    T rounded = convert<T>(scalar);                                                          \
    Operand left{x, number == 1, rounded};                                                   \
    Operand right{y, number == 2, rounded};                                                  \
    map<PACK<T>>(walk, binary_##name{}, z, left, right);                                     \
  }

#if !DH_IS_BOOL
FUNCTION(add, plus(x, y))
FUNCTION(sub, minus(x, y))
FUNCTION(mul, times(x, y))
#endif
#if DH_IS_FLOATING
FUNCTION(div, x / y)
FUNCTION(pow, pow(x, y))
#endif
FUNCTION(maximum, larger(x, y))
FUNCTION(minimum, smaller(x, y))
COMPARISON(eq, x == y)
COMPARISON(ne, x != y)
COMPARISON(lt, x < y)
COMPARISON(le, x <= y)
COMPARISON(gt, x > y)
COMPARISON(ge, x >= y)
