// Checks the host half of the driver test double by itself, without kernels: streams, events,
// deferral, capture, devices and memory limits. selftest/host runs it.
#include <cuda.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

// cuda.h knows it by a newer name.
#undef cuEventElapsedTime
extern "C" CUresult cuEventElapsedTime(float* milliseconds, CUevent from, CUevent to);
extern "C" long long emuCounter(const char* name);

namespace {

int failures = 0;

void expect(long long expected, long long actual, const char* what, int line) {
  if (expected == actual) return;
  printf("streams.cpp:%d: %s is %lld, not %lld\n", line, what, actual, expected);
  failures++;
}

#define EXPECT(expected, actual) expect(expected, actual, #actual, __LINE__)
// The call must leave exactly one finding.
#define FINDS(expected, actual)                             \
  do {                                                      \
    long long before = emuCounter("findings");              \
    EXPECT(expected, actual);                               \
    expect(1, emuCounter("findings") - before, "findings of " #actual, __LINE__); \
  } while (0)

CUcontext use(CUdevice device) {
  CUcontext context;
  EXPECT(0, cuDevicePrimaryCtxRetain(&context, device));
  EXPECT(0, cuCtxSetCurrent(context));
  return context;
}

CUdeviceptr allocate(size_t bytes) {
  CUdeviceptr address = 0;
  EXPECT(0, cuMemAlloc(&address, bytes));
  return address;
}

CUstream stream(unsigned flags) {
  CUstream made;
  EXPECT(0, cuStreamCreate(&made, flags));
  return made;
}

CUevent event() {
  CUevent made;
  EXPECT(0, cuEventCreate(&made, 0));
  return made;
}

int* pinned(int value) {
  void* made = nullptr;
  EXPECT(0, cuMemHostAlloc(&made, 64, 0));
  *static_cast<int*>(made) = value;
  return static_cast<int*>(made);
}

// A copy to pinned memory runs when something waits, and only for its own stream.
void work_waits(bool deferred) {
  CUstream one = stream(CU_STREAM_NON_BLOCKING);
  CUstream other = stream(CU_STREAM_NON_BLOCKING);
  CUdeviceptr memory = allocate(64);
  int* out = pinned(0);
  EXPECT(0, cuMemsetD32Async(memory, 7, 16, one));
  EXPECT(0, cuMemcpyDtoHAsync(out, memory, 64, one));
  EXPECT(deferred ? 0 : 7, *out);
  EXPECT(0, cuStreamSynchronize(other));
  EXPECT(0, cuStreamSynchronize(nullptr));
  EXPECT(deferred ? 0 : 7, *out);
  EXPECT(0, cuStreamSynchronize(one));
  EXPECT(7, *out);

  // The default stream does not wait for a non-blocking one: this is the old value.
  EXPECT(0, cuMemsetD32Async(memory, 8, 16, one));
  int value = 0;
  EXPECT(0, cuMemcpyDtoH(&value, memory, 4));
  EXPECT(deferred ? 7 : 8, value);
  EXPECT(0, cuCtxSynchronize());
  EXPECT(0, cuMemcpyDtoH(&value, memory, 4));
  EXPECT(8, value);

  // It does wait for a blocking one, and a blocking one for it.
  CUstream blocking = stream(CU_STREAM_DEFAULT);
  EXPECT(0, cuMemsetD32Async(memory, 9, 16, blocking));
  EXPECT(0, cuMemcpyDtoH(&value, memory, 4));
  EXPECT(9, value);
  EXPECT(0, cuMemsetD32(memory, 10, 16));
  EXPECT(0, cuMemcpyDtoHAsync(out, memory, 4, blocking));
  EXPECT(0, cuStreamSynchronize(blocking));
  EXPECT(10, *out);

  // Copies to memory that is not pinned are complete on return.
  EXPECT(0, cuMemsetD32Async(memory, 11, 16, one));
  EXPECT(0, cuMemcpyDtoHAsync(&value, memory, 4, one));
  EXPECT(11, value);

  // Pinned memory is read when the copy runs; other memory at the call.
  int* in = pinned(20);
  int stack = 30;
  EXPECT(0, cuMemcpyHtoDAsync(memory, in, 4, one));
  EXPECT(0, cuMemcpyHtoDAsync(memory + 4, &stack, 4, one));
  *in = 21;
  stack = 31;
  EXPECT(0, cuMemcpyDtoHAsync(out, memory, 8, one));
  EXPECT(0, cuStreamSynchronize(one));
  EXPECT(deferred ? 21 : 20, out[0]);
  EXPECT(30, out[1]);

  // Asking again and again comes to an end.
  EXPECT(0, cuMemsetD32Async(memory, 1, 16, one));
  int asked = 0;
  while (cuStreamQuery(one) == CUDA_ERROR_NOT_READY) asked++;
  EXPECT(deferred ? 1 : 0, asked);

  EXPECT(0, cuStreamDestroy(one));
  EXPECT(0, cuStreamDestroy(other));
  EXPECT(0, cuStreamDestroy(blocking));
  EXPECT(0, cuMemFree(memory));
  EXPECT(0, cuMemFreeHost(in));
  EXPECT(0, cuMemFreeHost(out));
}

void events_order(bool deferred) {
  CUstream one = stream(CU_STREAM_NON_BLOCKING);
  CUstream other = stream(CU_STREAM_NON_BLOCKING);
  CUdeviceptr memory = allocate(64);
  int* out = pinned(0);
  CUevent done = event();
  EXPECT(0, cuMemsetD32(memory, 1, 16));
  EXPECT(0, cuCtxSynchronize());

  EXPECT(0, cuMemsetD32Async(memory, 2, 16, one));
  EXPECT(0, cuEventRecord(done, one));
  EXPECT(0, cuMemsetD32Async(memory, 3, 16, one));
  EXPECT(0, cuStreamWaitEvent(other, done, 0));
  EXPECT(0, cuMemcpyDtoHAsync(out, memory, 4, other));
  EXPECT(0, cuStreamSynchronize(other));
  EXPECT(deferred ? 2 : 3, *out);

  // Without the event the copy comes before the fill.
  EXPECT(0, cuCtxSynchronize());
  EXPECT(0, cuMemsetD32Async(memory, 4, 16, one));
  EXPECT(0, cuMemcpyDtoHAsync(out, memory, 4, other));
  EXPECT(0, cuStreamSynchronize(other));
  EXPECT(deferred ? 3 : 4, *out);

  CUevent later = event();
  float milliseconds = -1;
  EXPECT(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&milliseconds, done, later));
  EXPECT(0, cuEventRecord(done, one));
  EXPECT(0, cuEventRecord(later, one));
  EXPECT(deferred ? CUDA_ERROR_NOT_READY : 0, cuEventElapsedTime(&milliseconds, done, later));
  EXPECT(0, cuEventSynchronize(later));
  EXPECT(0, cuEventElapsedTime(&milliseconds, done, later));
  EXPECT(1, milliseconds >= 0);

  // An event outlives its stream, and a stream the destruction of an event it waits for.
  EXPECT(0, cuMemsetD32Async(memory, 5, 16, one));
  EXPECT(0, cuEventRecord(done, one));
  EXPECT(0, cuStreamWaitEvent(other, done, 0));
  EXPECT(0, cuStreamDestroy(one));
  EXPECT(0, cuEventSynchronize(done));
  EXPECT(0, cuEventDestroy(done));
  EXPECT(0, cuMemcpyDtoHAsync(out, memory, 4, other));
  EXPECT(0, cuStreamSynchronize(other));
  EXPECT(5, *out);
  FINDS(CUDA_ERROR_INVALID_HANDLE, cuEventDestroy(done));
  FINDS(CUDA_ERROR_INVALID_HANDLE, cuStreamDestroy(one));

  EXPECT(0, cuEventDestroy(later));
  EXPECT(0, cuStreamDestroy(other));
  EXPECT(0, cuMemFree(memory));
  EXPECT(0, cuMemFreeHost(out));
}

void graphs_replay() {
  CUstream one = stream(CU_STREAM_NON_BLOCKING);
  CUstream fork = stream(CU_STREAM_NON_BLOCKING);
  CUstream outside = stream(CU_STREAM_NON_BLOCKING);
  CUdeviceptr memory = allocate(64);
  int* in = pinned(1);
  int* out = pinned(0);
  CUevent forked = event();
  CUevent joined = event();
  const long long copies = emuCounter("copies_to_host");

  EXPECT(0, cuStreamBeginCapture(one, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  EXPECT(0, cuMemcpyHtoDAsync(memory, in, 4, one));
  EXPECT(0, cuEventRecord(forked, one));
  EXPECT(0, cuStreamWaitEvent(fork, forked, 0));
  EXPECT(0, cuMemcpyDtoDAsync(memory + 4, memory, 4, fork));
  EXPECT(0, cuEventRecord(joined, fork));
  EXPECT(0, cuStreamWaitEvent(one, joined, 0));
  EXPECT(0, cuMemcpyDtoHAsync(out, memory + 4, 4, one));
  // Other threads may allocate, and other streams may work.
  std::thread([] {
    use(0);
    EXPECT(0, cuMemFree(allocate(16)));
  }).join();
  EXPECT(0, cuStreamSynchronize(outside));
  CUgraph graph;
  EXPECT(0, cuStreamEndCapture(one, &graph));
  size_t nodes = 0;
  EXPECT(0, cuGraphGetNodes(graph, nullptr, &nodes));
  EXPECT(3, nodes);
  EXPECT(0, *out);
  EXPECT(copies, emuCounter("copies_to_host"));
  CUgraphExec executable;
  EXPECT(0, cuGraphInstantiateWithFlags(&executable, graph, 0));
  EXPECT(0, cuGraphDestroy(graph));
  for (int value = 5; value < 7; value++) {
    *in = value;
    EXPECT(0, cuGraphLaunch(executable, one));
    EXPECT(0, cuStreamSynchronize(one));
    EXPECT(value, *out);
  }
  EXPECT(copies + 2, emuCounter("copies_to_host"));
  EXPECT(0, cuGraphExecDestroy(executable));

  // What must not happen in a capture.
  CUdeviceptr refused;
  int stack = 0;
  auto begin = [&] { EXPECT(0, cuStreamBeginCapture(one, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); };
  auto ends = [&](CUresult error) { EXPECT(error, cuStreamEndCapture(one, &graph)); };
  begin();
  FINDS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc(&refused, 4));
  EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuMemsetD32Async(memory, 1, 1, one));
  ends(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  begin();
  FINDS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(one));
  ends(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  begin();
  FINDS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuCtxSynchronize());
  ends(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  begin();
  FINDS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemcpyDtoH(&stack, memory, 4));
  ends(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  begin();
  EXPECT(0, cuEventRecord(forked, one));
  FINDS(CUDA_ERROR_CAPTURED_EVENT, cuEventSynchronize(forked));
  ends(CUDA_SUCCESS);
  EXPECT(0, cuGraphDestroy(graph));
  begin();
  EXPECT(0, cuEventRecord(joined, outside));
  FINDS(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, cuStreamWaitEvent(one, joined, 0));
  ends(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  begin();
  EXPECT(0, cuEventRecord(forked, one));
  EXPECT(0, cuStreamWaitEvent(fork, forked, 0));
  EXPECT(0, cuMemsetD32Async(memory, 1, 1, fork));
  FINDS(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(one, &graph));
  CUstream blocking = stream(CU_STREAM_DEFAULT);
  EXPECT(0, cuStreamBeginCapture(blocking, CU_STREAM_CAPTURE_MODE_RELAXED));
  FINDS(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, cuMemsetD32Async(memory, 1, 1, nullptr));
  EXPECT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(blocking, &graph));
  EXPECT(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(one, &graph));

  for (CUstream it : {one, fork, outside, blocking}) EXPECT(0, cuStreamDestroy(it));
  for (CUevent it : {forked, joined}) EXPECT(0, cuEventDestroy(it));
  EXPECT(0, cuMemFree(memory));
  EXPECT(0, cuMemFreeHost(in));
  EXPECT(0, cuMemFreeHost(out));
}

void devices_are_apart() {
  CUcontext first = use(0);
  CUdeviceptr here = allocate(64);
  CUstream of_first = stream(CU_STREAM_NON_BLOCKING);
  EXPECT(0, cuMemsetD32(here, 42, 16));
  CUcontext second = use(1);
  EXPECT(1, first != second);
  CUdeviceptr there = allocate(64);
  int can = 1;
  EXPECT(0, cuDeviceCanAccessPeer(&can, 0, 1));
  EXPECT(0, can);
  FINDS(CUDA_ERROR_INVALID_VALUE, cuMemsetD32(here, 1, 16));
  FINDS(CUDA_ERROR_INVALID_HANDLE, cuMemsetD32Async(there, 1, 16, of_first));
  EXPECT(0, cuMemcpyPeer(there, second, here, first, 64));
  int value = 0;
  EXPECT(0, cuMemcpyDtoH(&value, there, 4));
  EXPECT(42, value);

  // Each has its own limit.
  size_t free = 0;
  size_t total = 0;
  EXPECT(0, cuMemGetInfo(&free, &total));
  EXPECT(1 << 20, total);
  EXPECT(1, free < total && free > total / 2);
  CUdeviceptr large;
  EXPECT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(&large, 2 << 20));

  // A leak is found when a context ends.
  long long before = emuCounter("findings");
  EXPECT(0, cuDevicePrimaryCtxRelease(1));
  EXPECT(1, emuCounter("findings") - before);
  EXPECT(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSynchronize());
  FINDS(CUDA_ERROR_INVALID_CONTEXT, cuDevicePrimaryCtxRelease(1));

  EXPECT(0, cuCtxSetCurrent(first));
  EXPECT(0, cuStreamDestroy(of_first));
  EXPECT(0, cuMemFree(here));
  FINDS(CUDA_ERROR_INVALID_VALUE, cuMemFree(here));
}

void host_functions_may_not_call() {
  CUstream one = stream(CU_STREAM_NON_BLOCKING);
  static CUresult inner;
  auto function = [](void*) { inner = cuCtxSynchronize(); };
  long long before = emuCounter("findings");
  EXPECT(0, cuLaunchHostFunc(one, function, nullptr));
  EXPECT(0, cuStreamSynchronize(one));
  EXPECT(CUDA_ERROR_NOT_PERMITTED, inner);
  EXPECT(1, emuCounter("findings") - before);
  EXPECT(0, cuStreamDestroy(one));
}

// Memory that is freed before the work that uses it has run.
void faults_stick(bool deferred) {
  CUstream one = stream(CU_STREAM_NON_BLOCKING);
  CUdeviceptr memory = allocate(64);
  EXPECT(0, cuMemsetD32Async(memory, 1, 16, one));
  EXPECT(0, cuMemFree(memory));
  if (!deferred) return;
  FINDS(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(one));
  EXPECT(CUDA_ERROR_ILLEGAL_ADDRESS, cuMemAlloc(&memory, 4));
  EXPECT(0, cuDevicePrimaryCtxReset(0));
  use(0);
  EXPECT(0, cuMemFree(allocate(4)));
}

}  // namespace

int main() {
  const char* defer = getenv("DH_EMU_DEFER");
  const bool deferred = defer != nullptr && atoi(defer) != 0;
  int devices = 0;
  EXPECT(CUDA_ERROR_NOT_INITIALIZED, cuDeviceGetCount(&devices));
  EXPECT(0, cuInit(0));
  EXPECT(0, cuDeviceGetCount(&devices));
  EXPECT(2, devices);
  CUdeviceptr none;
  EXPECT(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc(&none, 4));
  use(0);
  work_waits(deferred);
  events_order(deferred);
  graphs_replay();
  host_functions_may_not_call();
  devices_are_apart();
  EXPECT(0, emuCounter("live_allocations"));
  faults_stick(deferred);
  printf("streams%s: %d failures\n", deferred ? ", deferred" : "", failures);
  return failures == 0 ? 0 : 1;
}
