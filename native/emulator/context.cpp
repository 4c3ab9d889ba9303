// Contexts of the driver test double: one primary context a device, contexts of their own, and the
// stack of current ones that each thread has.
#include <map>
#include <mutex>

#include "host.h"

namespace emu {
namespace {

std::recursive_mutex& lock() {
  static auto* mutex = new std::recursive_mutex();
  return *mutex;
}

struct Primary {
  CUcontext context = nullptr;
  int retained = 0;
  unsigned flags = 0;
};

Primary& primary(int device) {
  static auto* primaries = new std::map<int, Primary>();
  return (*primaries)[device];
}

thread_local std::vector<CUcontext> stack;

CUcontext create(int device, bool is_primary, unsigned flags) {
  CUcontext context = Live<CUctx_st>::make(device, is_primary, flags);
  context->legacy = make_stream(context, 0, 0);
  return context;
}

}  // namespace

CUcontext current() {
  CUcontext top = stack.empty() ? nullptr : stack.back();
  return top != nullptr && Live<CUctx_st>::find(top) ? top : nullptr;
}

Call::Call(const char* name, int needs) : error(CUDA_SUCCESS), context(nullptr) {
  lock().lock();
  if (needs == 0) return;
  if (in_host_function) {
    finding("callback", "%s was called by a host function in a stream", name);
    error = CUDA_ERROR_NOT_PERMITTED;
  } else if (!initialised()) {
    error = CUDA_ERROR_NOT_INITIALIZED;
  } else if (needs & (CONTEXT | UNSAFE)) {
    context = current();
    if (context == nullptr) {
      error = stack.empty() || stack.back() == nullptr ? CUDA_ERROR_INVALID_CONTEXT
                                                       : CUDA_ERROR_CONTEXT_IS_DESTROYED;
    } else if (context->error != 0) {
      error = static_cast<CUresult>(context->error);
    } else if (needs & UNSAFE) {
      error = forbidden(name);
    }
  }
}

Call::~Call() { lock().unlock(); }

void destroy(CUcontext context) {
  if (context->error == 0) {
    finish(context);
  }
  for (CUstream stream : context->streams) {
    abandon(stream);
  }
  if (!context->memory.empty()) {
    finding("leak", "%zu allocations live on device %d when its context is destroyed",
            context->memory.size(), context->device);
  }
  for (void* pointer : context->memory) {
    release(pointer, owner(pointer)->host);
  }
  Live<CUevent_st>::drop_if([=](const CUevent_st& event) { return event.context == context; });
  Live<CUfunc_st>::drop_if([=](const CUfunc_st& it) { return it.module->context == context; });
  Live<CUmod_st>::drop_if([=](const CUmod_st& module) { return module.context == context; });
  Live<CUgraphExec_st>::drop_if([=](const CUgraphExec_st& it) { return it.context == context; });
  Live<CUstream_st>::drop_if([=](const CUstream_st& stream) { return stream.context == context; });
  Live<CUctx_st>::drop(context);
}

}  // namespace emu

using namespace emu;

API cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  BEGIN(INITIALISED);
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  Primary& it = primary(device);
  if (it.context == nullptr) {
    it.context = create(device, true, it.flags);
  }
  it.retained++;
  *context = it.context;
  return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  BEGIN(INITIALISED);
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  Primary& it = primary(device);
  if (it.retained == 0) {
    finding("context", "the primary context of device %d is released too often", device);
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  if (--it.retained == 0 && it.context != nullptr) {
    destroy(it.context);
    it.context = nullptr;
  }
  return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxReset_v2(CUdevice device) {
  BEGIN(INITIALISED);
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  Primary& it = primary(device);
  if (it.context != nullptr) {
    destroy(it.context);
  }
  it = Primary();
  return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
  BEGIN(INITIALISED);
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  primary(device).flags = flags;
  if (primary(device).context != nullptr) {
    primary(device).context->flags = flags;
  }
  return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  BEGIN(INITIALISED);
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  *flags = primary(device).flags;
  *active = primary(device).context != nullptr;
  return CUDA_SUCCESS;
}

API cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice device) {
  BEGIN(INITIALISED);
  if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
  *context = create(device, false, flags);
  stack.push_back(*context);
  return CUDA_SUCCESS;
}

API cuCtxDestroy_v2(CUcontext context) {
  BEGIN(INITIALISED);
  if (!Live<CUctx_st>::find(context)) return CUDA_ERROR_INVALID_CONTEXT;
  if (context->primary) {
    finding("context", "cuCtxDestroy of a primary context");
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  destroy(context);
  if (!stack.empty() && stack.back() == context) {
    stack.pop_back();
  }
  return CUDA_SUCCESS;
}

API cuCtxSetCurrent(CUcontext context) {
  BEGIN(INITIALISED);
  if (context != nullptr && !Live<CUctx_st>::find(context)) return CUDA_ERROR_INVALID_CONTEXT;
  if (!stack.empty()) {
    stack.pop_back();
  }
  if (context != nullptr) {
    stack.push_back(context);
  }
  return CUDA_SUCCESS;
}

API cuCtxGetCurrent(CUcontext* context) {
  BEGIN(INITIALISED);
  *context = stack.empty() ? nullptr : stack.back();
  return CUDA_SUCCESS;
}

API cuCtxPushCurrent_v2(CUcontext context) {
  BEGIN(INITIALISED);
  if (!Live<CUctx_st>::find(context)) return CUDA_ERROR_INVALID_CONTEXT;
  stack.push_back(context);
  return CUDA_SUCCESS;
}

API cuCtxPopCurrent_v2(CUcontext* context) {
  BEGIN(INITIALISED);
  if (stack.empty()) return CUDA_ERROR_INVALID_CONTEXT;
  if (context != nullptr) {
    *context = stack.back();
  }
  stack.pop_back();
  return CUDA_SUCCESS;
}

API cuCtxGetDevice(CUdevice* device) {
  BEGIN(CONTEXT);
  *device = call.context->device;
  return CUDA_SUCCESS;
}

API cuCtxGetFlags(unsigned* flags) {
  BEGIN(CONTEXT);
  *flags = call.context->flags;
  return CUDA_SUCCESS;
}

API cuCtxGetApiVersion(CUcontext, unsigned* version) {
  BEGIN(CONTEXT);
  *version = 3020;
  return CUDA_SUCCESS;
}

API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  BEGIN(CONTEXT);
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;
  return CUDA_SUCCESS;
}

API cuCtxSynchronize() {
  BEGIN(CONTEXT);
  if (CUresult error = waited_for(__func__, call.context)) return error;
  finish(call.context);
  return outcome(call.context);
}

API cuCtxEnablePeerAccess(CUcontext, unsigned) {
  BEGIN(CONTEXT);
  return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
}

API cuCtxDisablePeerAccess(CUcontext) {
  BEGIN(CONTEXT);
  return CUDA_ERROR_PEER_ACCESS_NOT_ENABLED;
}
