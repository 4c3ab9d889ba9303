// What the cuBLAS test double multiplies: column-major, one product or a batch of them.
#pragma once

#include "emu.h"

namespace emu {

enum class Element { F32, F64, F16, BF16 };

struct Factor {
  bool transposed;
  long long leading;  // elements from one column to the next
  const void* start = nullptr;
  long long batch_stride = 0;
};

struct Gemm {
  const char* what;
  long long m, n, k, batch;
  Element factor;
  Element result;
  bool tf32 = false;
  double alpha, beta;
  Factor a, b;
  long long ldc;
  void* c = nullptr;
  long long c_batch_stride = 0;
  // Pointers to the matrices of a batch, in device memory; null if strides tell where they are.
  const void* const* a_table = nullptr;
  const void* const* b_table = nullptr;
  void* const* c_table = nullptr;
};

// Checks the operands, multiplies, and returns a CUresult.
int multiply(const Gemm& gemm);

}  // namespace emu
