// The cuBLAS test double: handles and the family of general matrix products, in the order of the
// stream. Built twice, as version 12 and 13; everything else that JCublas2 binds is a stub.
//
// Products of f32 are summed in f32 in the order of k, products of bf16 and f16 likewise with the
// factors widened first, and those of f64 in f64. TF32 rounds the factors to ten bits of mantissa.
#include <algorithm>
#include <mutex>
#include <set>

#include "gemm.h"

#ifndef CUBLAS_MAJOR
#define CUBLAS_MAJOR 12
#endif

namespace {

using emu::Gemm;

enum Status {
  SUCCESS = 0,
  NOT_INITIALIZED = 1,
  ALLOC_FAILED = 3,
  INVALID_VALUE = 7,
  MAPPING_ERROR = 11,
  EXECUTION_FAILED = 13,
  NOT_SUPPORTED = 15,
};

// cudaDataType
enum Type { R_32F = 0, R_64F = 1, R_16F = 2, R_16BF = 14 };

// cublasComputeType_t
enum Compute {
  COMPUTE_32F = 68,
  COMPUTE_32F_PEDANTIC = 69,
  COMPUTE_64F = 70,
  COMPUTE_64F_PEDANTIC = 71,
  COMPUTE_32F_FAST_TF32 = 77,
};

enum MathMode { DEFAULT_MATH = 0, PEDANTIC_MATH = 2, TF32_MATH = 3 };

struct Handle {
  void* stream;
  int pointer_mode;  // 1: alpha and beta are in device memory
  int math_mode;
  void* workspace;
  size_t workspace_bytes;
};

std::mutex handles_lock;

std::set<Handle*>& handles() {
  static auto* live = new std::set<Handle*>();
  return *live;
}

bool known(Handle* handle) {
  std::lock_guard<std::mutex> locked(handles_lock);
  if (handles().count(handle) != 0) return true;
  emu::finding("cublas", "%p is no live handle", static_cast<void*>(handle));
  return false;
}

bool element_of(int type, emu::Element* element) {
  switch (type) {
    case R_32F: *element = emu::Element::F32; return true;
    case R_64F: *element = emu::Element::F64; return true;
    case R_16F: *element = emu::Element::F16; return true;
    case R_16BF: *element = emu::Element::BF16; return true;
    default: return false;
  }
}

// The types of the two factors and the result, and how they are computed; false if cuBLAS has no
// such product.
bool set_types(Gemm* gemm, int a, int b, int c, int compute, int math_mode) {
  if (!element_of(a, &gemm->factor) || a != b || !element_of(c, &gemm->result)) return false;
  switch (compute) {
    case COMPUTE_64F:
    case COMPUTE_64F_PEDANTIC: return a == R_64F && c == R_64F;
    case COMPUTE_32F: gemm->tf32 = a == R_32F && math_mode == TF32_MATH; break;
    case COMPUTE_32F_PEDANTIC: break;
    case COMPUTE_32F_FAST_TF32:
      if (a != R_32F) return false;
      gemm->tf32 = true;
      break;
    default: return false;
  }
  return a != R_64F && (c == a || (c == R_32F && a != R_32F));
}

// Sizes and strides of a column-major product; false if cuBLAS refuses them.
bool set_sizes(Gemm* gemm, int a_operation, int b_operation, int m, int n, int k, int lda, int ldb,
               int ldc, int batch) {
  if (a_operation < 0 || a_operation > 2 || b_operation < 0 || b_operation > 2) return false;
  if (m < 0 || n < 0 || k < 0 || batch < 0) return false;
  gemm->m = m;
  gemm->n = n;
  gemm->k = k;
  gemm->batch = batch;
  gemm->a = {a_operation != 0, lda};
  gemm->b = {b_operation != 0, ldb};
  gemm->ldc = ldc;
  return lda >= std::max(1, a_operation != 0 ? k : m) &&
         ldb >= std::max(1, b_operation != 0 ? n : k) && ldc >= std::max(1, m);
}

// Reads alpha and beta: at once from the host, when the work runs from the device.
Status give(Handle* handle, const char* what, Gemm gemm, const void* alpha, const void* beta) {
  if (gemm.m == 0 || gemm.n == 0 || gemm.batch == 0) return SUCCESS;
  if (alpha == nullptr || beta == nullptr) return INVALID_VALUE;
  const bool wide = gemm.factor == emu::Element::F64;
  const bool on_device = handle->pointer_mode == 1;
  auto scalar = [wide](const void* at) {
    return wide ? *static_cast<const double*>(at) : double(*static_cast<const float*>(at));
  };
  if (!on_device) {
    gemm.alpha = scalar(alpha);
    gemm.beta = scalar(beta);
  }
  gemm.what = what;
  void* workspace = handle->workspace;
  const size_t workspace_bytes = handle->workspace_bytes;
  int error = emu::enqueue(handle->stream, what, [=]() mutable {
    if (workspace_bytes != 0 && !emu::writable(workspace, workspace_bytes, "cublas workspace")) {
      return 700;
    }
    if (on_device) {
      const size_t bytes = wide ? sizeof(double) : sizeof(float);
      if (!emu::readable(alpha, bytes, what) || !emu::readable(beta, bytes, what)) return 700;
      gemm.alpha = scalar(alpha);
      gemm.beta = scalar(beta);
    }
    return emu::multiply(gemm);
  });
  return error == 0 ? SUCCESS : EXECUTION_FAILED;
}

Status strided(const char* what, Handle* handle, int a_operation, int b_operation, int m, int n,
               int k, const void* alpha, const void* a, int a_type, int lda, long long a_stride,
               const void* b, int b_type, int ldb, long long b_stride, const void* beta, void* c,
               int c_type, int ldc, long long c_stride, int batch, int compute) {
  if (!known(handle)) return NOT_INITIALIZED;
  Gemm gemm;
  if (!set_sizes(&gemm, a_operation, b_operation, m, n, k, lda, ldb, ldc, batch)) {
    emu::finding("cublas", "%s: m %d, n %d, k %d, lda %d, ldb %d, ldc %d, batch %d", what, m, n, k,
                 lda, ldb, ldc, batch);
    return INVALID_VALUE;
  }
  if (!set_types(&gemm, a_type, b_type, c_type, compute, handle->math_mode)) return NOT_SUPPORTED;
  gemm.a.start = a;
  gemm.a.batch_stride = a_stride;
  gemm.b.start = b;
  gemm.b.batch_stride = b_stride;
  gemm.c = c;
  gemm.c_batch_stride = c_stride;
  return give(handle, what, gemm, alpha, beta);
}

Status batched(const char* what, Handle* handle, int a_operation, int b_operation, int m, int n,
               int k, const void* alpha, const void* const* a, int a_type, int lda,
               const void* const* b, int b_type, int ldb, const void* beta, void* const* c,
               int c_type, int ldc, int batch, int compute) {
  if (!known(handle)) return NOT_INITIALIZED;
  Gemm gemm;
  if (!set_sizes(&gemm, a_operation, b_operation, m, n, k, lda, ldb, ldc, batch)) {
    emu::finding("cublas", "%s: m %d, n %d, k %d, lda %d, ldb %d, ldc %d, batch %d", what, m, n, k,
                 lda, ldb, ldc, batch);
    return INVALID_VALUE;
  }
  if (!set_types(&gemm, a_type, b_type, c_type, compute, handle->math_mode)) return NOT_SUPPORTED;
  gemm.a_table = a;
  gemm.b_table = b;
  gemm.c_table = c;
  return give(handle, what, gemm, alpha, beta);
}

}  // namespace

#define CUBLAS extern "C" Status

CUBLAS cublasCreate_v2(Handle** handle) {
  // cuBLAS allocates here, which needs a context and is illegal in a capture.
  if (int error = emu::may_allocate("cublasCreate")) {
    return error >= 900 ? ALLOC_FAILED : NOT_INITIALIZED;
  }
  *handle = new Handle{nullptr, 0, DEFAULT_MATH, nullptr, 0};
  std::lock_guard<std::mutex> locked(handles_lock);
  handles().insert(*handle);
  return SUCCESS;
}

CUBLAS cublasDestroy_v2(Handle* handle) {
  if (!known(handle)) return NOT_INITIALIZED;
  std::lock_guard<std::mutex> locked(handles_lock);
  handles().erase(handle);
  delete handle;
  return SUCCESS;
}

CUBLAS cublasSetStream_v2(Handle* handle, void* stream) {
  if (!known(handle)) return NOT_INITIALIZED;
  // As in cuBLAS, a new stream takes the handle back to its own workspace.
  handle->stream = stream;
  handle->workspace_bytes = 0;
  return SUCCESS;
}

CUBLAS cublasGetStream_v2(Handle* handle, void** stream) {
  if (!known(handle)) return NOT_INITIALIZED;
  *stream = handle->stream;
  return SUCCESS;
}

CUBLAS cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
  if (!known(handle)) return NOT_INITIALIZED;
  if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0) return INVALID_VALUE;
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  return SUCCESS;
}

CUBLAS cublasSetPointerMode_v2(Handle* handle, int mode) {
  if (!known(handle)) return NOT_INITIALIZED;
  if (mode != 0 && mode != 1) return INVALID_VALUE;
  handle->pointer_mode = mode;
  return SUCCESS;
}

CUBLAS cublasGetPointerMode_v2(Handle* handle, int* mode) {
  if (!known(handle)) return NOT_INITIALIZED;
  *mode = handle->pointer_mode;
  return SUCCESS;
}

CUBLAS cublasSetMathMode(Handle* handle, int mode) {
  if (!known(handle)) return NOT_INITIALIZED;
  handle->math_mode = mode & 15;
  return SUCCESS;
}

CUBLAS cublasGetMathMode(Handle* handle, int* mode) {
  if (!known(handle)) return NOT_INITIALIZED;
  *mode = handle->math_mode;
  return SUCCESS;
}

CUBLAS cublasGetVersion_v2(Handle* handle, int* version) {
  if (!known(handle)) return NOT_INITIALIZED;
  *version = CUBLAS_MAJOR * 10000;
  return SUCCESS;
}

CUBLAS cublasGetProperty(int which, int* value) {
  if (which < 0 || which > 2) return INVALID_VALUE;
  *value = which == 0 ? CUBLAS_MAJOR : 0;
  return SUCCESS;
}

extern "C" size_t cublasGetCudartVersion() { return CUBLAS_MAJOR * 1000; }

extern "C" const char* cublasGetStatusName(Status status) {
  switch (status) {
    case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case MAPPING_ERROR: return "CUBLAS_STATUS_MAPPING_ERROR";
    case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "CUBLAS_STATUS_INTERNAL_ERROR";
  }
}

extern "C" const char* cublasGetStatusString(Status status) { return cublasGetStatusName(status); }

CUBLAS cublasGemmEx(Handle* handle, int a_operation, int b_operation, int m, int n, int k,
                    const void* alpha, const void* a, int a_type, int lda, const void* b,
                    int b_type, int ldb, const void* beta, void* c, int c_type, int ldc,
                    int compute, int) {
  return strided(__func__, handle, a_operation, b_operation, m, n, k, alpha, a, a_type, lda, 0, b,
                 b_type, ldb, 0, beta, c, c_type, ldc, 0, 1, compute);
}

CUBLAS cublasGemmStridedBatchedEx(Handle* handle, int a_operation, int b_operation, int m, int n,
                                  int k, const void* alpha, const void* a, int a_type, int lda,
                                  long long a_stride, const void* b, int b_type, int ldb,
                                  long long b_stride, const void* beta, void* c, int c_type,
                                  int ldc, long long c_stride, int batch, int compute, int) {
  return strided(__func__, handle, a_operation, b_operation, m, n, k, alpha, a, a_type, lda,
                 a_stride, b, b_type, ldb, b_stride, beta, c, c_type, ldc, c_stride, batch,
                 compute);
}

CUBLAS cublasGemmBatchedEx(Handle* handle, int a_operation, int b_operation, int m, int n, int k,
                           const void* alpha, const void* const* a, int a_type, int lda,
                           const void* const* b, int b_type, int ldb, const void* beta,
                           void* const* c, int c_type, int ldc, int batch, int compute, int) {
  return batched(__func__, handle, a_operation, b_operation, m, n, k, alpha, a, a_type, lda, b,
                 b_type, ldb, beta, c, c_type, ldc, batch, compute);
}

// cublasSgemm_v2, cublasSgemmStridedBatched, cublasSgemmBatched and the same in f64.
#define PRODUCTS(letter, element, type, compute)                                                  \
  CUBLAS cublas##letter##gemm_v2(Handle* handle, int a_operation, int b_operation, int m, int n,  \
                                 int k, const element* alpha, const element* a, int lda,          \
                                 const element* b, int ldb, const element* beta, element* c,      \
                                 int ldc) {                                                       \
    return strided(__func__, handle, a_operation, b_operation, m, n, k, alpha, a, type, lda, 0,   \
                   b, type, ldb, 0, beta, c, type, ldc, 0, 1, compute);                           \
  }                                                                                               \
  CUBLAS cublas##letter##gemmStridedBatched(                                                      \
      Handle* handle, int a_operation, int b_operation, int m, int n, int k,                      \
      const element* alpha, const element* a, int lda, long long a_stride, const element* b,      \
      int ldb, long long b_stride, const element* beta, element* c, int ldc, long long c_stride,  \
      int batch) {                                                                                \
    return strided(__func__, handle, a_operation, b_operation, m, n, k, alpha, a, type, lda,      \
                   a_stride, b, type, ldb, b_stride, beta, c, type, ldc, c_stride, batch,         \
                   compute);                                                                      \
  }                                                                                               \
  CUBLAS cublas##letter##gemmBatched(                                                             \
      Handle* handle, int a_operation, int b_operation, int m, int n, int k,                      \
      const element* alpha, const element* const* a, int lda, const element* const* b, int ldb,   \
      const element* beta, element* const* c, int ldc, int batch) {                               \
    return batched(__func__, handle, a_operation, b_operation, m, n, k, alpha,                    \
                   reinterpret_cast<const void* const*>(a), type, lda,                            \
                   reinterpret_cast<const void* const*>(b), type, ldb, beta,                      \
                   reinterpret_cast<void* const*>(c), type, ldc, batch, compute);                 \
  }

PRODUCTS(S, float, R_32F, COMPUTE_32F)
PRODUCTS(D, double, R_64F, COMPUTE_64F)
