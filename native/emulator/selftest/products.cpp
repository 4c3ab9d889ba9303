// Checks the cuBLAS test double against a plain product in f64: types, transposition, padding,
// batches, scalars in host and device memory, and what cuBLAS refuses. selftest/host runs it.
#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstdio>
#include <type_traits>
#include <vector>

// There may be no cuBLAS headers.
extern "C" {
int cublasCreate_v2(void** handle);
int cublasDestroy_v2(void* handle);
int cublasSetStream_v2(void* handle, CUstream stream);
int cublasSetPointerMode_v2(void* handle, int mode);
int cublasSetWorkspace_v2(void* handle, void* workspace, size_t bytes);
int cublasGemmStridedBatchedEx(void* handle, int a_operation, int b_operation, int m, int n, int k,
                               const void* alpha, const void* a, int a_type, int lda,
                               long long a_stride, const void* b, int b_type, int ldb,
                               long long b_stride, const void* beta, void* c, int c_type, int ldc,
                               long long c_stride, int batch, int compute, int algorithm);
int cublasGemmBatchedEx(void* handle, int a_operation, int b_operation, int m, int n, int k,
                        const void* alpha, const void* const* a, int a_type, int lda,
                        const void* const* b, int b_type, int ldb, const void* beta,
                        void* const* c, int c_type, int ldc, int batch, int compute, int algorithm);
long long emuCounter(const char* name);
}

namespace {

int failures = 0;

#define EXPECT(condition)                                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      printf("products.cpp:%d: not %s\n", __LINE__, #condition);              \
      failures++;                                                             \
    }                                                                         \
  } while (0)

constexpr int F32 = 0, F64 = 1, F16 = 2, BF16 = 14;
constexpr int COMPUTE_F32 = 68, COMPUTE_F64 = 70, COMPUTE_TF32 = 77;

template <typename T> constexpr int type_of() {
  return std::is_same_v<T, double> ? F64 : std::is_same_v<T, __half> ? F16
         : std::is_same_v<T, __nv_bfloat16> ? BF16 : F32;
}

template <typename T> double wide(T value) { return double(value); }
template <> double wide(__half value) { return __half2float(value); }
template <> double wide(__nv_bfloat16 value) { return __bfloat162float(value); }
template <typename T> T narrow(double value) { return T(value); }
template <> __half narrow(double value) { return __float2half(float(value)); }
template <> __nv_bfloat16 narrow(double value) { return __float2bfloat16(float(value)); }

CUstream stream;
void* handle;

// Device memory that holds the values until it goes out of scope.
template <typename T> struct Device {
  explicit Device(const std::vector<T>& values) : count(values.size()) {
    EXPECT(cuMemAlloc(&address, count * sizeof(T)) == 0);
    EXPECT(cuMemcpyHtoDAsync(address, values.data(), count * sizeof(T), stream) == 0);
  }
  ~Device() { EXPECT(cuMemFree(address) == 0); }
  Device(const Device&) = delete;

  void* at(size_t index = 0) const { return reinterpret_cast<void*>(address + index * sizeof(T)); }

  std::vector<T> read() const {
    std::vector<T> values(count);
    EXPECT(cuStreamSynchronize(stream) == 0);
    EXPECT(cuMemcpyDtoH(values.data(), address, count * sizeof(T)) == 0);
    return values;
  }

  size_t count;
  CUdeviceptr address = 0;
};

template <typename T> std::vector<T> numbers(size_t count, int seed) {
  std::vector<T> values;
  for (size_t i = 0; i < count; i++) values.push_back(narrow<T>((i * 37 + seed) % 23 / 8.0 - 1.25));
  return values;
}

enum Form { STRIDED, TABLE, DEVICE_SCALARS };

// One batch of three products with padded columns; `tolerance` relative to a sum of k terms.
template <typename T, typename R>
void product(int compute, bool a_across, bool b_across, Form form, double beta, double tolerance) {
  using Scalar = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const int m = 5, n = 6, k = 7, batch = 3;
  const int lda = (a_across ? k : m) + 2, ldb = (b_across ? n : k) + 1, ldc = m + 3;
  const long long a_stride = lda * 8, b_stride = ldb * 8, c_stride = ldc * n + 1;
  std::vector<T> a = numbers<T>(a_stride * batch, 1), b = numbers<T>(b_stride * batch, 5);
  std::vector<R> old = numbers<R>(c_stride * batch, 9);
  // With beta 0 the old values must not count.
  if (beta == 0) old.assign(old.size(), narrow<R>(NAN));
  Device<T> da(a), db(b);
  Device<R> dc(old);
  const Scalar alpha_value = 1.5, beta_value = Scalar(beta);
  Device<Scalar> scalars({alpha_value, beta_value});
  const bool on_device = form == DEVICE_SCALARS;
  const void* alpha_at = on_device ? scalars.at(0) : &alpha_value;
  const void* beta_at = on_device ? scalars.at(1) : &beta_value;
  EXPECT(cublasSetPointerMode_v2(handle, on_device) == 0);
  if (form == TABLE) {
    std::vector<void*> pa, pb, pc;
    for (int i = 0; i < batch; i++) {
      pa.push_back(da.at(i * a_stride));
      pb.push_back(db.at(i * b_stride));
      pc.push_back(dc.at(i * c_stride));
    }
    Device<void*> ta(pa), tb(pb), tc(pc);
    EXPECT(cublasGemmBatchedEx(handle, a_across, b_across, m, n, k, alpha_at,
                               static_cast<void**>(ta.at()), type_of<T>(), lda,
                               static_cast<void**>(tb.at()), type_of<T>(), ldb, beta_at,
                               static_cast<void**>(tc.at()), type_of<R>(), ldc, batch, compute,
                               -1) == 0);
    EXPECT(cuStreamSynchronize(stream) == 0);
  } else {
    EXPECT(cublasGemmStridedBatchedEx(handle, a_across, b_across, m, n, k, alpha_at, da.at(),
                                      type_of<T>(), lda, a_stride, db.at(), type_of<T>(), ldb,
                                      b_stride, beta_at, dc.at(), type_of<R>(), ldc, c_stride,
                                      batch, compute, -1) == 0);
  }
  const std::vector<R> c = dc.read();
  double worst = 0;
  for (int p = 0; p < batch; p++) {
    for (int j = 0; j < n; j++) {
      for (int i = 0; i < m; i++) {
        double sum = 0;
        for (int l = 0; l < k; l++) {
          sum += wide(a[p * a_stride + (a_across ? l + i * lda : i + l * lda)]) *
                 wide(b[p * b_stride + (b_across ? j + l * ldb : l + j * ldb)]);
        }
        const size_t at = p * c_stride + i + j * ldc;
        const double expected = 1.5 * sum + (beta == 0 ? 0 : beta * wide(old[at]));
        const double error = std::abs(wide(c[at]) - expected) / (1 + std::abs(expected));
        if (!(error <= worst)) worst = error;
      }
      // The padding is not touched.
      for (int i = m; i < ldc; i++) {
        const size_t at = p * c_stride + i + j * ldc;
        EXPECT(beta == 0 ? std::isnan(wide(c[at])) : wide(c[at]) == wide(old[at]));
      }
    }
  }
  if (!(worst <= tolerance)) {
    printf("products.cpp: types %d to %d, compute %d, across %d %d, form %d, beta %g: error %g\n",
           type_of<T>(), type_of<R>(), compute, a_across, b_across, form, beta, worst);
    failures++;
  }
}

template <typename T, typename R> void products(int compute, double tolerance) {
  for (int across = 0; across < 4; across++) {
    for (Form form : {STRIDED, TABLE, DEVICE_SCALARS}) {
      for (double beta : {0.0, 0.5}) {
        product<T, R>(compute, across & 1, across & 2, form, beta, tolerance);
      }
    }
  }
}

int refused(int a_operation, int m, int lda, int a_type, int c_type, int compute) {
  Device<float> memory(std::vector<float>(64));
  const float one = 1;
  EXPECT(cublasSetPointerMode_v2(handle, 0) == 0);
  int status = cublasGemmStridedBatchedEx(handle, a_operation, 0, m, 2, 2, &one, memory.at(),
                                          a_type, lda, 0, memory.at(16), a_type, 2, 0, &one,
                                          memory.at(32), c_type, 4, 0, 1, compute, -1);
  EXPECT(cuStreamSynchronize(stream) == 0);
  return status;
}

}  // namespace

int main() {
  CUcontext context;
  EXPECT(cublasCreate_v2(&handle) == 1);
  EXPECT(cuInit(0) == 0);
  EXPECT(cublasCreate_v2(&handle) == 1);
  EXPECT(cuDevicePrimaryCtxRetain(&context, 0) == 0);
  EXPECT(cuCtxSetCurrent(context) == 0);
  EXPECT(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING) == 0);
  EXPECT(cublasCreate_v2(&handle) == 0);
  EXPECT(cublasSetStream_v2(handle, stream) == 0);
  Device<char> workspace(std::vector<char>(1024));
  EXPECT(cublasSetWorkspace_v2(handle, workspace.at(), 1024) == 0);

  products<float, float>(COMPUTE_F32, 1e-6);
  products<double, double>(COMPUTE_F64, 1e-15);
  products<__nv_bfloat16, __nv_bfloat16>(COMPUTE_F32, 4e-3);
  products<__nv_bfloat16, float>(COMPUTE_F32, 1e-6);
  products<__half, __half>(COMPUTE_F32, 5e-4);
  products<__half, float>(COMPUTE_F32, 1e-6);
  products<float, float>(COMPUTE_TF32, 1e-6);
  EXPECT(emuCounter("findings") == 0);

  EXPECT(refused(0, 2, 2, F32, F32, COMPUTE_F32) == 0);
  EXPECT(refused(0, 3, 2, F32, F32, COMPUTE_F32) == 7);
  EXPECT(refused(1, 3, 1, F32, F32, COMPUTE_F32) == 7);
  EXPECT(refused(0, -1, 2, F32, F32, COMPUTE_F32) == 7);
  EXPECT(refused(3, 2, 2, F32, F32, COMPUTE_F32) == 7);
  EXPECT(refused(0, 2, 2, F32, F64, COMPUTE_F32) == 15);
  EXPECT(refused(0, 2, 2, F64, F64, COMPUTE_F32) == 15);
  EXPECT(refused(0, 2, 2, F32, F32, COMPUTE_F64) == 15);
  EXPECT(refused(0, 2, 2, BF16, BF16, COMPUTE_TF32) == 15);
  EXPECT(refused(0, 2, 2, F32, BF16, COMPUTE_F32) == 15);
  EXPECT(cublasDestroy_v2(handle) == 0);
  EXPECT(cublasDestroy_v2(handle) == 1);
  printf("products: %d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
