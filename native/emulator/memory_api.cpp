// Memory of the driver test double: allocation, copies and fills.
//
// Ranges are checked when the function is called, as the driver does, and once more when the work
// runs, which is when uninitialised and freed memory shows. An asynchronous copy reads pinned
// memory when it runs, so that a buffer overwritten too early gives the wrong bytes; of other host
// memory it takes a copy at the call.
#include <cstring>
#include <map>

#include "host.h"

namespace emu {
namespace {

void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

// Host memory that the program has pinned itself: first byte to size.
std::map<uintptr_t, size_t>& registered() {
  static auto* ranges = new std::map<uintptr_t, size_t>();
  return *ranges;
}

bool is_pinned(const void* host) {
  const Allocation* allocation = owner(host);
  if (allocation != nullptr) return allocation->host;
  const uintptr_t address = reinterpret_cast<uintptr_t>(host);
  auto after = registered().upper_bound(address);
  return after != registered().begin() && address < std::prev(after)->first +
                                                        std::prev(after)->second;
}

bool inside(const Allocation& allocation, const void* start, size_t bytes) {
  return bytes <= allocation.bytes &&
         reinterpret_cast<uintptr_t>(start) - allocation.base <= allocation.bytes - bytes;
}

// Whether a device range lies in live memory that this context can reach.
bool device_range(const char* what, CUdeviceptr start, size_t bytes, CUcontext context) {
  const Allocation* allocation = owner(pointer(start));
  if (allocation == nullptr || !inside(*allocation, pointer(start), bytes)) {
    finding("range", "%s: %zu bytes from %p are not inside one allocation", what, bytes,
            pointer(start));
    return false;
  }
  if (!allocation->host && allocation->device != context->device) {
    finding("device", "%s: memory of device %d in a context of device %d", what,
            allocation->device, context->device);
    return false;
  }
  return true;
}

// Whether host memory, where the double knows it, is large enough.
bool host_range(const char* what, const void* start, size_t bytes) {
  const Allocation* allocation = owner(start);
  if (allocation == nullptr) return start != nullptr;
  if (!allocation->host || !inside(*allocation, start, bytes)) {
    finding("range", "%s: %zu bytes from %p are %s", what, bytes, start,
            allocation->host ? "not inside one pinned allocation" : "no host memory");
    return false;
  }
  return true;
}

// Tells that pinned memory was freed before the work that uses it has run.
bool still_pinned(const char* what, const void* host) {
  if (is_pinned(host)) return true;
  finding("use after free", "%s: pinned memory at %p is freed", what, host);
  return false;
}

constexpr int FAULT = CUDA_ERROR_ILLEGAL_ADDRESS;

Task copy_in(const char* what, CUdeviceptr to, const void* from, size_t bytes) {
  Task task{what, {}, CU_GRAPH_NODE_TYPE_MEMCPY};
  if (is_pinned(from)) {
    task.work = [=] {
      if (!still_pinned(what, from) || !writable(pointer(to), bytes, what)) return FAULT;
      memcpy(pointer(to), from, bytes);
      return 0;
    };
  } else {
    const char* start = static_cast<const char*>(from);
    auto staged = std::make_shared<std::vector<char>>(start, start + bytes);
    task.work = [=] {
      if (!writable(pointer(to), bytes, what)) return FAULT;
      memcpy(pointer(to), staged->data(), bytes);
      return 0;
    };
  }
  return task;
}

Task copy_out(const char* what, void* to, CUdeviceptr from, size_t bytes) {
  const bool pinned = is_pinned(to);
  Task task{what, {}, CU_GRAPH_NODE_TYPE_MEMCPY};
  task.to_host = true;
  task.bytes = bytes;
  task.work = [=] {
    if (pinned && !still_pinned(what, to)) return FAULT;
    if (!readable(pointer(from), bytes, what)) return FAULT;
    memcpy(to, pointer(from), bytes);
    return 0;
  };
  return task;
}

Task copy_over(const char* what, CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  Task task{what, {}, CU_GRAPH_NODE_TYPE_MEMCPY};
  task.work = [=] {
    if (!readable(pointer(from), bytes, what) || !writable(pointer(to), bytes, what)) return FAULT;
    if (to < from + bytes && from < to + bytes) {
      finding("overlap", "%s: source and target overlap", what);
    }
    memmove(pointer(to), pointer(from), bytes);
    return 0;
  };
  return task;
}

template <typename Element>
Task fill(const char* what, CUdeviceptr to, Element value, size_t count) {
  Task task{what, {}, CU_GRAPH_NODE_TYPE_MEMSET};
  task.work = [=] {
    if (!writable(pointer(to), count * sizeof(Element), what)) return FAULT;
    std::fill_n(static_cast<Element*>(pointer(to)), count, value);
    return 0;
  };
  return task;
}

// Captured work runs again and again: memory that is not pinned may be gone by then.
CUresult pageable_in_capture(const char* what, CUstream stream, const void* host) {
  if (!stream->capture || is_pinned(host)) return CUDA_SUCCESS;
  finding("capture", "%s: the host memory is not pinned", what);
  return waited_for(what, stream);
}

CUresult copy_to_device(Call& call, const char* what, CUdeviceptr to, const void* from,
                        size_t bytes, CUstream handle, bool wait) {
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (bytes == 0) return CUDA_SUCCESS;
  if (!device_range(what, to, bytes, call.context) || !host_range(what, from, bytes)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = pageable_in_capture(what, stream, from)) return error;
  if (CUresult error = submit(stream, copy_in(what, to, from, bytes))) return error;
  if (!wait) return CUDA_SUCCESS;
  finish(stream);
  return outcome(call.context);
}

CUresult copy_to_host(Call& call, const char* what, void* to, CUdeviceptr from, size_t bytes,
                      CUstream handle, bool wait) {
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (bytes == 0) return CUDA_SUCCESS;
  if (!device_range(what, from, bytes, call.context) || !host_range(what, to, bytes)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (CUresult error = pageable_in_capture(what, stream, to)) return error;
  if (CUresult error = submit(stream, copy_out(what, to, from, bytes))) return error;
  if (!wait && is_pinned(to)) return CUDA_SUCCESS;
  finish(stream);
  return outcome(call.context);
}

CUresult copy_on_device(Call& call, const char* what, CUdeviceptr to, CUdeviceptr from,
                        size_t bytes, CUstream handle) {
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (bytes == 0) return CUDA_SUCCESS;
  if (!device_range(what, to, bytes, call.context) ||
      !device_range(what, from, bytes, call.context)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return submit(stream, copy_over(what, to, from, bytes));
}

// In the order of one stream only; work of the other device is not waited for.
CUresult copy_between(Call& call, const char* what, CUdeviceptr to, CUcontext to_context,
                      CUdeviceptr from, CUcontext from_context, size_t bytes, CUstream handle) {
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (!Live<CUctx_st>::find(to_context) || !Live<CUctx_st>::find(from_context)) {
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  if (bytes == 0) return CUDA_SUCCESS;
  if (!device_range(what, to, bytes, to_context) ||
      !device_range(what, from, bytes, from_context)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return submit(stream, copy_over(what, to, from, bytes));
}

// By unified addressing: what is not device memory is host memory.
CUresult copy_any(Call& call, const char* what, CUdeviceptr to, CUdeviceptr from, size_t bytes,
                  CUstream handle, bool wait) {
  const Allocation* target = owner(pointer(to));
  const Allocation* source = owner(pointer(from));
  const bool to_device = target != nullptr && !target->host;
  const bool from_device = source != nullptr && !source->host;
  if (to_device && from_device) return copy_on_device(call, what, to, from, bytes, handle);
  if (to_device) return copy_to_device(call, what, to, pointer(from), bytes, handle, wait);
  if (from_device) return copy_to_host(call, what, pointer(to), from, bytes, handle, wait);
  finding("range", "%s: neither %p nor %p is device memory", what, pointer(to), pointer(from));
  return CUDA_ERROR_INVALID_VALUE;
}

template <typename Element>
CUresult fill_any(Call& call, const char* what, CUdeviceptr to, Element value, size_t count,
                  CUstream handle) {
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (count == 0) return CUDA_SUCCESS;
  if (to % sizeof(Element) != 0 ||
      !device_range(what, to, count * sizeof(Element), call.context)) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return submit(stream, fill(what, to, value, count));
}

CUresult allocate_any(Call& call, void** made, size_t bytes, bool host) {
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  void* memory = allocate(call.context->device, bytes, host);
  if (memory == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  call.context->memory.insert(memory);
  if (!host) count_allocation();
  *made = memory;
  return CUDA_SUCCESS;
}

CUresult release_any(Call& call, void* memory, bool host) {
  if (memory == nullptr) return CUDA_SUCCESS;
  if (!release(memory, host)) return CUDA_ERROR_INVALID_VALUE;
  if (call.context->memory.erase(memory) == 0) {
    finding("context", "%p is freed in a context that did not allocate it", memory);
  }
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace emu

using namespace emu;

API cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  BEGIN(UNSAFE);
  void* made = nullptr;
  CUresult error = allocate_any(call, &made, bytes, false);
  if (error == CUDA_SUCCESS) *address = reinterpret_cast<CUdeviceptr>(made);
  return error;
}

// Does not run work that is pending: that a program may free what is in use is nowhere promised.
API cuMemFree_v2(CUdeviceptr address) {
  BEGIN(UNSAFE);
  return release_any(call, pointer(address), false);
}

API cuMemGetInfo_v2(size_t* free, size_t* total) {
  BEGIN(CONTEXT);
  *total = memory_limit(call.context->device);
  *free = *total - live_bytes(call.context->device);
  return CUDA_SUCCESS;
}

API cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
  BEGIN(CONTEXT);
  const Allocation* allocation = owner(pointer(address));
  if (allocation == nullptr) return CUDA_ERROR_NOT_FOUND;
  if (base != nullptr) *base = allocation->base;
  if (bytes != nullptr) *bytes = allocation->bytes;
  return CUDA_SUCCESS;
}

API cuMemHostAlloc(void** made, size_t bytes, unsigned) {
  BEGIN(UNSAFE);
  return allocate_any(call, made, bytes, true);
}

API cuMemAllocHost_v2(void** made, size_t bytes) { return cuMemHostAlloc(made, bytes, 0); }

API cuMemFreeHost(void* memory) {
  BEGIN(UNSAFE);
  return release_any(call, memory, true);
}

API cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* host, unsigned) {
  BEGIN(CONTEXT);
  if (!is_pinned(host)) return CUDA_ERROR_INVALID_VALUE;
  *address = reinterpret_cast<CUdeviceptr>(host);
  return CUDA_SUCCESS;
}

API cuMemHostRegister_v2(void* host, size_t bytes, unsigned) {
  BEGIN(UNSAFE);
  if (host == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  if (is_pinned(host)) return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
  registered()[reinterpret_cast<uintptr_t>(host)] = bytes;
  return CUDA_SUCCESS;
}

API cuMemHostUnregister(void* host) {
  BEGIN(UNSAFE);
  return registered().erase(reinterpret_cast<uintptr_t>(host)) == 1
             ? CUDA_SUCCESS
             : CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
}

API cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  BEGIN(UNSAFE);
  return copy_to_device(call, __func__, to, from, bytes, nullptr, true);
}

API cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  BEGIN(CONTEXT);
  return copy_to_device(call, __func__, to, from, bytes, stream, false);
}

API cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  BEGIN(UNSAFE);
  return copy_to_host(call, __func__, to, from, bytes, nullptr, true);
}

API cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  BEGIN(CONTEXT);
  return copy_to_host(call, __func__, to, from, bytes, stream, false);
}

API cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  BEGIN(UNSAFE);
  return copy_on_device(call, __func__, to, from, bytes, nullptr);
}

API cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  BEGIN(CONTEXT);
  return copy_on_device(call, __func__, to, from, bytes, stream);
}

API cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  BEGIN(UNSAFE);
  return copy_any(call, __func__, to, from, bytes, nullptr, true);
}

API cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  BEGIN(CONTEXT);
  return copy_any(call, __func__, to, from, bytes, stream, false);
}

API cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
                 size_t bytes) {
  BEGIN(UNSAFE);
  // This form comes after all work of both contexts.
  for (CUcontext context : {to_context, from_context}) {
    if (Live<CUctx_st>::find(context)) finish(context);
  }
  return copy_between(call, __func__, to, to_context, from, from_context, bytes, nullptr);
}

API cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                      CUcontext from_context, size_t bytes, CUstream stream) {
  BEGIN(CONTEXT);
  return copy_between(call, __func__, to, to_context, from, from_context, bytes, stream);
}

API cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  BEGIN(UNSAFE);
  return fill_any(call, __func__, to, value, count, nullptr);
}

API cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  BEGIN(UNSAFE);
  return fill_any(call, __func__, to, value, count, nullptr);
}

API cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  BEGIN(UNSAFE);
  return fill_any(call, __func__, to, value, count, nullptr);
}

API cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
  BEGIN(CONTEXT);
  return fill_any(call, __func__, to, value, count, stream);
}

API cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
  BEGIN(CONTEXT);
  return fill_any(call, __func__, to, value, count, stream);
}

API cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
  BEGIN(CONTEXT);
  return fill_any(call, __func__, to, value, count, stream);
}
