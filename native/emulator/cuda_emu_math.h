// Arithmetic of the device that <math.h> of C++ does not have (part of cuda_emu.h). The overloads
// of exp, fma, pow... for float and double come from <math.h>.
#pragma once

// ---- minimum and maximum: integers by the usual conversions, reals ignore NaN

template <typename A, typename B>
  requires(std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
inline std::common_type_t<A, B> max(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>) return fmax(C(a), C(b));
  return C(a) < C(b) ? C(b) : C(a);
}
template <typename A, typename B>
  requires(std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
inline std::common_type_t<A, B> min(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>) return fmin(C(a), C(b));
  return C(b) < C(a) ? C(b) : C(a);
}

// ---- bits

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return std::countl_zero(unsigned(x)); }
inline int __clzll(long long x) { return std::countl_zero((unsigned long long)x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
  x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
  return __builtin_bswap32(x);
}
inline unsigned long long __brevll(unsigned long long x) {
  return (unsigned long long)__brev(unsigned(x)) << 32 | __brev(unsigned(x >> 32));
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  shift &= 31;
  return ((unsigned long long)high << 32 | low) << shift >> 32;
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return ((unsigned long long)high << 32 | low) >> (shift & 31);
}

inline int __mulhi(int a, int b) { return (long long)a * b >> 32; }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned long long)a * b >> 32; }
inline long long __mul64hi(long long a, long long b) { return (__int128)a * b >> 64; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned __int128)a * b >> 64;
}

inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline int __double2hiint(double x) { return __double_as_longlong(x) >> 32; }
inline int __double2loint(double x) { return int(__double_as_longlong(x)); }
inline double __hiloint2double(int high, int low) {
  return __longlong_as_double((long long)high << 32 | unsigned(low));
}

// ---- conversions: the device saturates and turns NaN to 0, where C++ leaves it undefined

template <typename I, typename F>
inline I emu_saturate(F x) {
  using Limits = std::numeric_limits<I>;
  if (x != x) return 0;
  if (x <= F(Limits::min())) return Limits::min();
  if (x >= F(Limits::max())) return Limits::max();
  return I(x);
}
inline int __float2int_rz(float x) { return emu_saturate<int>(x); }
inline int __float2int_rn(float x) { return emu_saturate<int>(rintf(x)); }
inline int __float2int_rd(float x) { return emu_saturate<int>(floorf(x)); }
inline int __float2int_ru(float x) { return emu_saturate<int>(ceilf(x)); }
inline unsigned __float2uint_rz(float x) { return emu_saturate<unsigned>(x); }
inline long long __float2ll_rz(float x) { return emu_saturate<long long>(x); }
inline long long __float2ll_rn(float x) { return emu_saturate<long long>(rintf(x)); }
inline int __double2int_rz(double x) { return emu_saturate<int>(x); }
inline int __double2int_rn(double x) { return emu_saturate<int>(rint(x)); }
inline long long __double2ll_rz(double x) { return emu_saturate<long long>(x); }
inline long long __double2ll_rn(double x) { return emu_saturate<long long>(rint(x)); }
inline float __int2float_rn(int x) { return float(x); }
inline float __uint2float_rn(unsigned x) { return float(x); }
inline float __ll2float_rn(long long x) { return float(x); }
inline double __int2double_rn(int x) { return x; }
inline double __ll2double_rn(long long x) { return double(x); }
inline float __double2float_rn(double x) { return float(x); }

// ---- rounded operations that must not be contracted to fma

template <typename F>
inline F emu_rounded(F x) {
  __asm__("" : "+x"(x));
  return x;
}
inline float __fadd_rn(float a, float b) { return emu_rounded(a + b); }
inline float __fsub_rn(float a, float b) { return emu_rounded(a - b); }
inline float __fmul_rn(float a, float b) { return emu_rounded(a * b); }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dadd_rn(double a, double b) { return emu_rounded(a + b); }
inline double __dsub_rn(double a, double b) { return emu_rounded(a - b); }
inline double __dmul_rn(double a, double b) { return emu_rounded(a * b); }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __saturatef(float a) { return fminf(fmaxf(a, 0.0f), 1.0f); }

// ---- functions

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float rsqrt(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rcbrtf(float x) { return 1.0f / cbrtf(x); }
inline double rcbrt(double x) { return 1.0 / cbrt(x); }
inline float exp10(float x) { return exp10f(x); }
inline void sincos(float x, float* sine, float* cosine) { sincosf(x, sine, cosine); }

inline double sinpi(double x) { return sin(M_PI * remainder(x, 2.0)); }
inline double cospi(double x) { return cos(M_PI * remainder(x, 2.0)); }
inline float sinpi(float x) { return float(sinpi(double(x))); }
inline float cospi(float x) { return float(cospi(double(x))); }
inline float sinpif(float x) { return sinpi(x); }
inline float cospif(float x) { return cospi(x); }
inline void sincospi(double x, double* sine, double* cosine) {
  *sine = sinpi(x);
  *cosine = cospi(x);
}
inline void sincospi(float x, float* sine, float* cosine) {
  *sine = sinpi(x);
  *cosine = cospi(x);
}
inline void sincospif(float x, float* sine, float* cosine) { sincospi(x, sine, cosine); }

inline double normcdf(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
inline float normcdf(float x) { return float(normcdf(double(x))); }
inline float normcdff(float x) { return normcdf(x); }
inline double erfcx(double x) { return exp(x * x) * erfc(x); }

// The inverse of erfc: a rough start (tails by the asymptotic form), then Halley's iteration.
inline double erfcinv(double y) {
  if (!(y >= 0 && y <= 2)) return NAN;
  if (y == 0 || y == 2) return y == 0 ? INFINITY : -INFINITY;
  double tail = y < 1 ? y : 2 - y;
  double t = sqrt(-2 * log(tail / 2));
  double x = -M_SQRT1_2 * ((2.30753 + t * 0.27061) / (1 + t * (0.99229 + t * 0.04481)) - t);
  for (int i = 0; i < 4; i++) {
    double error = erfc(x) - tail;
    double step = error / (M_2_SQRTPI * exp(-x * x) - x * error);
    if (!(fabs(step) < 1e3)) break;
    x += step;
  }
  return y < 1 ? x : -x;
}
inline double erfinv(double x) {
  if (fabs(x) > 0.5) return x < 0 ? erfcinv(1 + x) * -1 : erfcinv(1 - x);
  double root = 0.8862269254527580 * x;
  for (int i = 0; i < 6; i++) {
    double error = erf(root) - x;
    root -= error / (M_2_SQRTPI * exp(-root * root) + root * error);
  }
  return root;
}
inline float erfinv(float x) { return float(erfinv(double(x))); }
inline float erfinvf(float x) { return erfinv(x); }
inline float erfcinv(float x) { return float(erfcinv(double(x))); }
inline float erfcinvf(float x) { return erfcinv(x); }
inline double normcdfinv(double x) { return -M_SQRT2 * erfcinv(2 * x); }
inline float normcdfinv(float x) { return float(normcdfinv(double(x))); }
inline float normcdfinvf(float x) { return normcdfinv(x); }

// Fast versions: macros, because the C library declares functions of some of these names.
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __log10f(x) log10f(x)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __tanf(x) tanf(x)
#define __sincosf(x, s, c) sincosf(x, s, c)
#define __powf(x, y) powf(x, y)
#define __fdividef(x, y) (float(x) / float(y))
#define __frsqrt_rn(x) rsqrtf(x)
