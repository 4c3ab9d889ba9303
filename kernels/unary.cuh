// The functions of one number with their derivatives, as a list for unary.cu and unary_backward.cu,
// which define FUNCTION and PREDICATE before they include it. Java counterparts: Unary says what
// the functions are, CpuUnary has the same formulas.
//
//   FUNCTION(name, result, gradient)      PREDICATE(name, result)
//
// are formulas of type N of
//   x, a, b   the argument and the scalars of the call
//   y         the result; the derivative of a function reads x or y, not both
//   dy        the gradient of the result
//
// Whole numbers are exact in any type; other constants are written N(0.5), so that f32 is never
// computed in double.

#include "common.cuh"

typedef Wide<T> N;

__device__ __forceinline__ N sign(N x) { return x > 0 ? N(1) : x < 0 ? N(-1) : x; }

#if !DH_IS_FLOATING
__device__ __forceinline__ N negative(N x) { return minus(N(0), x); }
__device__ __forceinline__ N absolute(N x) { return x < 0 ? negative(x) : x; }
__device__ __forceinline__ N whole(N x) { return x; }
#else
__device__ __forceinline__ N negative(N x) { return -x; }
__device__ __forceinline__ N absolute(N x) { return fabs(x); }
__device__ __forceinline__ N whole(N x) { return floor(x); }

__device__ __forceinline__ N clamp(N x, N low, N high) { return smaller(larger(x, low), high); }

__device__ __forceinline__ N inside(N low, N x, N high, N value) {
  return low < x && x < high ? value : N(0);
}

__device__ __forceinline__ N sigmoid(N x) {
  N z = exp(-fabs(x));
  return (x < 0 ? z : 1) / (1 + z);
}

// log(1 + e^x) without overflow.
__device__ __forceinline__ N softplus(N x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }

__device__ __forceinline__ N elu(N x, N alpha) { return x > 0 ? x : alpha * expm1(x); }

__device__ __forceinline__ N elu_gradient(N x, N alpha, N dy) {
  return x > 0 ? dy : dy * (alpha * exp(x));
}

// Klambauer et al., Self-Normalizing Neural Networks, 2017.
constexpr f64 SELU_ALPHA = 1.6732632423543772;
constexpr f64 SELU_SCALE = 1.0507009873554805;

constexpr f64 SQRT_HALF = 0.70710678118654752440;
constexpr f64 ONE_OVER_SQRT_TWO_PI = 0.39894228040143267794;
constexpr f64 TWO_OVER_SQRT_PI = 1.12837916709551257390;
constexpr f64 SQRT_TWO_OVER_PI = 0.79788456080286535588;
constexpr f64 GELU_CUBIC = 0.044715;

__device__ __forceinline__ N normal_cdf(N x) { return N(0.5) * (1 + erf(N(SQRT_HALF) * x)); }

__device__ __forceinline__ N normal_pdf(N x) {
  return N(ONE_OVER_SQRT_TWO_PI) * exp(N(-0.5) * (x * x));
}

// The z with (1 + tanh(z / 2)) / 2 = sigmoid(z) as the approximation of the normal cdf.
__device__ __forceinline__ N gelu_argument(N x) {
  return N(2 * SQRT_TWO_OVER_PI) * (x * (1 + N(GELU_CUBIC) * (x * x)));
}

// For |x| <= 10, where nothing overflows; the derivative is 0 or 1 beyond.
__device__ __forceinline__ N gelu_tanh_derivative(N x) {
  N s = sigmoid(gelu_argument(x));
  N dz = N(2 * SQRT_TWO_OVER_PI) * (1 + N(3 * GELU_CUBIC) * (x * x));
  return s * (1 + x * ((1 - s) * dz));
}

__device__ __forceinline__ N silu_derivative(N x) {
  N s = sigmoid(x);
  return s * (1 + x * (1 - s));
}

__device__ __forceinline__ N mish_derivative(N x) {
  N t = tanh(softplus(x));
  return t + x * ((1 - t * t) * sigmoid(x));
}

__device__ __forceinline__ N hard_sigmoid(N x) { return clamp(x + 3, 0, 6) / 6; }

#endif

// The list

#if !DH_IS_BOOL
FUNCTION(neg, negative(x), -dy)
FUNCTION(abs, absolute(x), dy * sign(x))
FUNCTION(square, times(x, x), dy * (x + x))
FUNCTION(sign, sign(x), 0)
FUNCTION(floor, whole(x), 0)
FUNCTION(relu, larger(x, N(0)), y <= 0 ? 0 : dy)
#endif

#if DH_IS_FLOATING
FUNCTION(exp, exp(x), dy * y)
FUNCTION(expm1, expm1(x), dy * (y + 1))
FUNCTION(log, log(x), dy / x)
FUNCTION(log1p, log1p(x), dy / (x + 1))
FUNCTION(sqrt, sqrt(x), dy / (y + y))
FUNCTION(rsqrt, 1 / sqrt(x), dy * (N(-0.5) * (y * (y * y))))
FUNCTION(reciprocal, 1 / x, -(dy * (y * y)))
FUNCTION(pow, pow(x, a), a == 0 ? 0 : dy * (a * pow(x, a - 1)))
FUNCTION(sin, sin(x), dy * cos(x))
FUNCTION(cos, cos(x), -(dy * sin(x)))
FUNCTION(tanh, tanh(x), dy * ((1 - y) * (1 + y)))
FUNCTION(sigmoid, sigmoid(x), dy * (y * (1 - y)))
FUNCTION(erf, erf(x), dy * (N(TWO_OVER_SQRT_PI) * exp(-(x * x))))
FUNCTION(clamp, clamp(x, a, b), a <= x && x <= b ? dy : 0)
FUNCTION(leaky_relu, x > 0 ? x : a * x, x > 0 ? dy : a * dy)
FUNCTION(elu, elu(x, a), elu_gradient(x, a, dy))
FUNCTION(selu, N(SELU_SCALE) * elu(x, N(SELU_ALPHA)),
         N(SELU_SCALE) * elu_gradient(x, N(SELU_ALPHA), dy))
FUNCTION(gelu, x * normal_cdf(x), dy * (normal_cdf(x) + x * normal_pdf(x)))
FUNCTION(gelu_tanh, x * sigmoid(gelu_argument(x)), dy * gelu_tanh_derivative(clamp(x, -10, 10)))
FUNCTION(silu, x * sigmoid(x), dy * silu_derivative(x))
FUNCTION(softplus, b < a * x ? x : softplus(a * x) / a, b < a * x ? dy : dy * sigmoid(a * x))
FUNCTION(mish, x * tanh(softplus(x)), dy * mish_derivative(x))
FUNCTION(hardtanh, clamp(x, a, b), inside(a, x, b, dy))
FUNCTION(hardsigmoid, hard_sigmoid(x), inside(-3, x, 3, dy / 6))
FUNCTION(hardswish, x * hard_sigmoid(x),
         x >= 3 ? dy : inside(-3, x, 3, dy * (x / 3 + N(0.5))))
PREDICATE(is_finite, fabs(x) < N(INFINITY))
#endif

#if DH_IS_BOOL
PREDICATE(not, x == 0)
#endif
