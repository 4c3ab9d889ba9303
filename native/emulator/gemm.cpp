// The matrix product behind the cuBLAS test double: c = alpha op(a) op(b) + beta c.
//
// Both factors are unpacked to rows of the computing type (f32, or f64 for f64), then each element
// is summed in the order of k, for four columns of the result at a time.
#include "gemm.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cstring>

namespace emu {
namespace {

constexpr int FAULT = 700;

size_t bytes_of(Element element) {
  switch (element) {
    case Element::F64: return 8;
    case Element::F32: return 4;
    default: return 2;
  }
}

// ---- elements to the computing type and back

template <typename Stored, typename Wide>
Wide widen(Stored value) {
  if constexpr (std::is_same_v<Stored, __nv_bfloat16>) {
    return __bfloat162float(value);
  } else if constexpr (std::is_same_v<Stored, __half>) {
    return __half2float(value);
  } else {
    return value;
  }
}

template <typename Stored, typename Wide>
Stored narrow(Wide value) {
  if constexpr (std::is_same_v<Stored, __nv_bfloat16>) {
    return __float2bfloat16_rn(value);
  } else if constexpr (std::is_same_v<Stored, __half>) {
    return __float2half_rn(value);
  } else {
    return value;
  }
}

// Ten bits of mantissa, to the nearest, ties away from zero.
float to_tf32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7f800000u) != 0x7f800000u) {
    bits = (bits + 0x1000u) & ~0x1fffu;
  }
  memcpy(&value, &bits, sizeof bits);
  return value;
}

// ---- operands

// Whether the columns of a matrix are inside live memory.
template <typename Check, typename Start>
bool columns(Check check, Start start, long long rows, long long columns, long long leading,
             size_t bytes, const char* what) {
  using Byte = std::conditional_t<std::is_const_v<std::remove_pointer_t<Start>>, const char, char>;
  auto at = static_cast<Byte*>(start);
  if (rows == leading) return check(at, rows * columns * bytes, what);
  for (long long column = 0; column < columns; column++) {
    if (!check(at + column * leading * bytes, rows * bytes, what)) return false;
  }
  return true;
}

// The matrix of a batch: from the table, or at its stride.
template <typename Pointer>
Pointer matrix(Pointer const* table, Pointer start, long long stride, size_t bytes,
               long long index) {
  using Byte =
      std::conditional_t<std::is_const_v<std::remove_pointer_t<Pointer>>, const char, char>;
  return table != nullptr ? table[index]
                          : static_cast<Byte*>(start) + index * stride * (long long)bytes;
}

// As rows of `length` elements, `rows` of them; element (row, i) is a column-major one at
// (i, row), or at (row, i) if across.
template <typename Stored, typename Wide>
void unpack(const void* start, long long rows, long long length, long long leading, bool across,
            bool tf32, Wide* to) {
  const Stored* from = static_cast<const Stored*>(start);
  for (long long row = 0; row < rows; row++) {
    for (long long i = 0; i < length; i++) {
      Wide value =
          widen<Stored, Wide>(across ? from[row + i * leading] : from[row * leading + i]);
      to[row * length + i] = tf32 ? Wide(to_tf32(float(value))) : value;
    }
  }
}

template <typename Wide>
void unpack(Element element, const void* start, long long rows, long long length,
            long long leading, bool across, bool tf32, Wide* to) {
  switch (element) {
    case Element::F32:
      return unpack<float>(start, rows, length, leading, across, tf32, to);
    case Element::F64:
      return unpack<double>(start, rows, length, leading, across, tf32, to);
    case Element::F16:
      return unpack<__half>(start, rows, length, leading, across, tf32, to);
    case Element::BF16:
      return unpack<__nv_bfloat16>(start, rows, length, leading, across, tf32, to);
  }
}

// ---- the product

// sums[j][i] += a[l][i] * b[j][l] for four columns j of the result. Without fused multiply-add, so
// that every x86-64 computes the same bits.
template <typename Wide>
__attribute__((always_inline)) inline void multiply_columns(const Wide* __restrict a, const Wide* __restrict b, long long m,
                             long long k, Wide* __restrict sums) {
  Wide* s0 = sums;
  Wide* s1 = sums + m;
  Wide* s2 = sums + 2 * m;
  Wide* s3 = sums + 3 * m;
  for (long long l = 0; l < k; l++) {
    const Wide b0 = b[l], b1 = b[k + l], b2 = b[2 * k + l], b3 = b[3 * k + l];
    const Wide* row = a + l * m;
#pragma GCC ivdep
    for (long long i = 0; i < m; i++) {
      const Wide factor = row[i];
      s0[i] += factor * b0;
      s1[i] += factor * b1;
      s2[i] += factor * b2;
      s3[i] += factor * b3;
    }
  }
}

__attribute__((target_clones("avx2", "default"))) void multiply_four(
    const float* a, const float* b, long long m, long long k, float* sums) {
  multiply_columns(a, b, m, k, sums);
}

__attribute__((target_clones("avx2", "default"))) void multiply_four(
    const double* a, const double* b, long long m, long long k, double* sums) {
  multiply_columns(a, b, m, k, sums);
}

template <typename Stored, typename Wide>
void store(const Gemm& gemm, const Wide* sums, Stored* column) {
  const Wide alpha = Wide(gemm.alpha);
  const Wide beta = Wide(gemm.beta);
  for (long long i = 0; i < gemm.m; i++) {
    Wide value = alpha * sums[i];
    // With beta 0 the old value is not read: it may be NaN.
    if (beta != 0) value += beta * widen<Stored, Wide>(column[i]);
    column[i] = narrow<Stored, Wide>(value);
  }
}

template <typename Wide>
void store(const Gemm& gemm, const Wide* sums, void* c, long long j) {
  const long long at = j * gemm.ldc;
  switch (gemm.result) {
    case Element::F32: return store(gemm, sums, static_cast<float*>(c) + at);
    case Element::F64: return store(gemm, sums, static_cast<double*>(c) + at);
    case Element::F16: return store(gemm, sums, static_cast<__half*>(c) + at);
    case Element::BF16: return store(gemm, sums, static_cast<__nv_bfloat16*>(c) + at);
  }
}

template <typename Wide>
void multiply_one(const Gemm& gemm, const void* a, const void* b, void* c) {
  const long long m = gemm.m, n = gemm.n, k = gemm.alpha == 0 ? 0 : gemm.k;
  const long long padded = (n + 3) / 4 * 4;
  std::vector<Wide> a_rows(k * m);           // k rows of op(a)'s columns
  std::vector<Wide> b_rows(padded * k, 0);  // op(b)'s columns
  if (k > 0) {
    unpack(gemm.factor, a, k, m, gemm.a.leading, gemm.a.transposed, gemm.tf32, a_rows.data());
    unpack(gemm.factor, b, n, k, gemm.b.leading, gemm.b.transposed, gemm.tf32, b_rows.data());
  }
  std::vector<Wide> sums(4 * m);
  for (long long j = 0; j < n; j += 4) {
    std::fill(sums.begin(), sums.end(), Wide(0));
    multiply_four(a_rows.data(), b_rows.data() + j * k, m, k, sums.data());
    for (long long column = j; column < std::min(j + 4, n); column++) {
      store(gemm, sums.data() + (column - j) * m, c, column);
    }
  }
}

bool operands_live(const Gemm& gemm, const void* a, const void* b, void* c) {
  const size_t in = bytes_of(gemm.factor);
  const size_t out = bytes_of(gemm.result);
  if (gemm.k > 0 && gemm.alpha != 0) {
    const long long a_rows = gemm.a.transposed ? gemm.k : gemm.m;
    const long long a_columns = gemm.a.transposed ? gemm.m : gemm.k;
    const long long b_rows = gemm.b.transposed ? gemm.n : gemm.k;
    const long long b_columns = gemm.b.transposed ? gemm.k : gemm.n;
    if (!columns(readable, a, a_rows, a_columns, gemm.a.leading, in, gemm.what) ||
        !columns(readable, b, b_rows, b_columns, gemm.b.leading, in, gemm.what)) {
      return false;
    }
  }
  if (gemm.beta != 0 && !columns(readable, c, gemm.m, gemm.n, gemm.ldc, out, gemm.what)) {
    return false;
  }
  return columns(writable, c, gemm.m, gemm.n, gemm.ldc, out, gemm.what);
}

}  // namespace

int multiply(const Gemm& gemm) {
  if (gemm.a_table != nullptr) {
    const size_t bytes = gemm.batch * sizeof(void*);
    if (!readable(gemm.a_table, bytes, gemm.what) || !readable(gemm.b_table, bytes, gemm.what) ||
        !readable(gemm.c_table, bytes, gemm.what)) {
      return FAULT;
    }
  }
  const size_t in = bytes_of(gemm.factor);
  for (long long index = 0; index < gemm.batch; index++) {
    const void* a = matrix(gemm.a_table, gemm.a.start, gemm.a.batch_stride, in, index);
    const void* b = matrix(gemm.b_table, gemm.b.start, gemm.b.batch_stride, in, index);
    void* c =
        matrix(gemm.c_table, gemm.c, gemm.c_batch_stride, bytes_of(gemm.result), index);
    if (!operands_live(gemm, a, b, c)) return FAULT;
    if (gemm.factor == Element::F64) {
      multiply_one<double>(gemm, a, b, c);
    } else {
      multiply_one<float>(gemm, a, b, c);
    }
  }
  return 0;
}

}  // namespace emu
