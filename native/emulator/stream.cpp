// Streams and events of the driver test double.
//
// A stream is a queue of numbered tasks. Numbers grow over all streams, and a task waits only for
// lower numbers: for the event it names; for all blocking streams, if it is in the legacy default
// stream; for the legacy default stream, if it is in a blocking one. Without DH_EMU_DEFER a task
// runs as soon as it is added; with it, when something waits for it, so that a program which forgot
// to wait sees old bytes.
#include <chrono>

#include "host.h"

namespace emu {
namespace {

uint64_t last_number = 0;

bool deferred() {
  static const bool set = setting("DH_EMU_DEFER", 0) != 0;
  return set;
}

double now() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(since).count();
}

bool is_legacy(CUstream stream) { return stream == stream->context->legacy; }

bool blocking(CUstream stream) { return (stream->flags & CU_STREAM_NON_BLOCKING) == 0; }

void finish_until(CUstream stream, uint64_t number);

void run_first(CUstream stream) {
  Pending first = std::move(stream->queue.front());
  stream->queue.pop_front();
  CUcontext context = stream->context;
  if (is_legacy(stream)) {
    for (CUstream other : context->streams) {
      if (blocking(other)) finish_until(other, first.number);
    }
  } else if (blocking(stream)) {
    finish_until(context->legacy, first.number);
  }
  for (const Moment& moment : first.after) {
    finish(moment);
  }
  if (context->error == 0) {
    context->error = first.task.work();
  }
  stream->done = first.number;
}

void finish_until(CUstream stream, uint64_t number) {
  while (!stream->queue.empty() && stream->queue.front().number <= number) {
    run_first(stream);
  }
}

CUresult add(CUstream stream, Task task, std::vector<Moment> after) {
  count(task);
  stream->queue.push_back({++last_number, std::move(task), std::move(after)});
  if (!deferred()) {
    finish(stream);
  }
  return CUDA_SUCCESS;
}

// A stream handle where the current context does not matter.
CUstream any(CUstream handle) {
  CUcontext context = current();
  if (handle == nullptr || handle == CU_STREAM_LEGACY) {
    return context == nullptr ? nullptr : context->legacy;
  }
  return Live<CUstream_st>::find(handle).get();
}

// A destroyed stream has finished first.
bool is_done(const CUevent_st& event) {
  CUstream stream = event.moment.stream;
  return !Live<CUstream_st>::find(stream) || stream->done >= event.moment.number;
}

}  // namespace

thread_local bool in_host_function = false;

CUstream make_stream(CUcontext context, unsigned flags, int priority) {
  return Live<CUstream_st>::make(context, flags, priority, last_number);
}

CUstream resolve(CUstream handle, CUcontext context) {
  CUstream stream = any(handle);
  if (stream == nullptr || stream->context != context) {
    finding("stream", "%p is %s", static_cast<void*>(handle),
            stream == nullptr ? "no live stream" : "a stream of another context");
    return nullptr;
  }
  return stream;
}

CUresult submit(CUstream stream, Task task) {
  if (stream->capture) return add_node(stream, std::move(task));
  if (is_legacy(stream)) {
    if (CUresult error = implicit(task.what, stream->context)) return error;
  }
  return add(stream, std::move(task), {});
}

void finish(CUstream stream) { finish_until(stream, last_number); }

void finish(Moment moment) {
  if (Live<CUstream_st>::find(moment.stream)) finish_until(moment.stream, moment.number);
}

void finish(CUcontext context) {
  finish(context->legacy);
  for (CUstream stream : context->streams) {
    finish(stream);
  }
}

CUresult outcome(CUcontext context) { return static_cast<CUresult>(context->error); }

int may_allocate(const char* name) { return Call(name, UNSAFE).error; }

int enqueue(void* handle, const char* what, std::function<int()> work) {
  Call call(what, CONTEXT);
  if (call.error != CUDA_SUCCESS) return call.error;
  CUstream stream = resolve(static_cast<CUstream>(handle), call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  Task task{what, std::move(work)};
  task.type = CU_GRAPH_NODE_TYPE_KERNEL;
  return submit(stream, std::move(task));
}

}  // namespace emu

using namespace emu;

API cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
  BEGIN(CONTEXT);
  if ((flags & ~CU_STREAM_NON_BLOCKING) != 0) return CUDA_ERROR_INVALID_VALUE;
  *stream = make_stream(call.context, flags, priority);
  call.context->streams.insert(*stream);
  return CUDA_SUCCESS;
}

API cuStreamCreate(CUstream* stream, unsigned flags) {
  return cuStreamCreateWithPriority(stream, flags, 0);
}

API cuStreamDestroy_v2(CUstream stream) {
  BEGIN(CONTEXT);
  if (!Live<CUstream_st>::find(stream)) {
    finding("stream", "%p is destroyed and is no live stream", static_cast<void*>(stream));
    return CUDA_ERROR_INVALID_HANDLE;
  }
  abandon(stream);
  finish(stream);
  stream->context->streams.erase(stream);
  Live<CUstream_st>::drop(stream);
  return CUDA_SUCCESS;
}

API cuStreamSynchronize(CUstream handle) {
  BEGIN(CONTEXT);
  CUstream stream = any(handle);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (CUresult error = waited_for(__func__, stream)) return error;
  finish(stream);
  return outcome(stream->context);
}

// Runs one task that is pending, so that a program which asks again and again comes to an end.
API cuStreamQuery(CUstream handle) {
  BEGIN(CONTEXT);
  CUstream stream = any(handle);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (CUresult error = waited_for(__func__, stream)) return error;
  if (stream->queue.empty()) return outcome(stream->context);
  run_first(stream);
  return stream->context->error != 0 ? outcome(stream->context) : CUDA_ERROR_NOT_READY;
}

API cuStreamWaitEvent(CUstream handle, CUevent event, unsigned) {
  BEGIN(CONTEXT);
  CUstream stream = any(handle);
  if (stream == nullptr || !Live<CUevent_st>::find(event)) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture || event->capture) return join(stream, event);
  if (is_done(*event)) return CUDA_SUCCESS;
  return add(stream, {__func__, [] { return 0; }}, {event->moment});
}

API cuStreamGetPriority(CUstream handle, int* priority) {
  BEGIN(CONTEXT);
  CUstream stream = any(handle);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *priority = stream->priority;
  return CUDA_SUCCESS;
}

API cuStreamGetFlags(CUstream handle, unsigned* flags) {
  BEGIN(CONTEXT);
  CUstream stream = any(handle);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *flags = stream->flags;
  return CUDA_SUCCESS;
}

API cuStreamGetCtx(CUstream handle, CUcontext* context) {
  BEGIN(CONTEXT);
  CUstream stream = any(handle);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  *context = stream->context;
  return CUDA_SUCCESS;
}

API cuLaunchHostFunc(CUstream handle, CUhostFn function, void* data) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  return submit(stream, {__func__, [=] {
                           in_host_function = true;
                           function(data);
                           in_host_function = false;
                           return 0;
                         }});
}

API cuStreamAddCallback(CUstream handle, CUstreamCallback callback, void* data, unsigned flags) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (flags != 0 || callback == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = waited_for(__func__, stream)) return error;
  return submit(stream, {__func__, [=] {
                           in_host_function = true;
                           callback(handle, outcome(stream->context), data);
                           in_host_function = false;
                           return 0;
                         }});
}

API cuEventCreate(CUevent* event, unsigned flags) {
  BEGIN(CONTEXT);
  *event = Live<CUevent_st>::make(call.context, flags);
  return CUDA_SUCCESS;
}

API cuEventDestroy_v2(CUevent event) {
  BEGIN(CONTEXT);
  if (!Live<CUevent_st>::find(event)) {
    finding("event", "%p is destroyed and is no live event", static_cast<void*>(event));
    return CUDA_ERROR_INVALID_HANDLE;
  }
  Live<CUevent_st>::drop(event);
  return CUDA_SUCCESS;
}

API cuEventRecord(CUevent event, CUstream handle) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  std::shared_ptr<CUevent_st> kept = Live<CUevent_st>::find(event);
  if (stream == nullptr || !kept) return CUDA_ERROR_INVALID_HANDLE;
  if (kept->context != stream->context) return CUDA_ERROR_INVALID_HANDLE;
  if (stream->capture) {
    record(stream, event);
    return CUDA_SUCCESS;
  }
  CUresult error = submit(stream, {__func__, [kept] {
                                     kept->milliseconds = now();
                                     return 0;
                                   }});
  if (error != CUDA_SUCCESS) return error;
  event->capture = nullptr;
  event->moment = {stream, last_number};
  return CUDA_SUCCESS;
}

API cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned) {
  return cuEventRecord(event, stream);
}

API cuEventSynchronize(CUevent event) {
  BEGIN(CONTEXT);
  if (!Live<CUevent_st>::find(event)) return CUDA_ERROR_INVALID_HANDLE;
  if (event->capture) {
    finding("capture", "%s of an event that was recorded in a capture", __func__);
    return CUDA_ERROR_CAPTURED_EVENT;
  }
  if (!is_done(*event)) {
    finish(event->moment);
  }
  return outcome(event->context);
}

// Runs one task that is pending, as cuStreamQuery does.
API cuEventQuery(CUevent event) {
  BEGIN(UNSAFE);
  if (!Live<CUevent_st>::find(event)) return CUDA_ERROR_INVALID_HANDLE;
  if (event->capture) {
    finding("capture", "%s of an event that was recorded in a capture", __func__);
    return CUDA_ERROR_CAPTURED_EVENT;
  }
  if (is_done(*event)) return outcome(event->context);
  run_first(event->moment.stream);
  return event->context->error != 0 ? outcome(event->context) : CUDA_ERROR_NOT_READY;
}

API cuEventElapsedTime(float* milliseconds, CUevent from, CUevent to) {
  BEGIN(CONTEXT);
  if (!Live<CUevent_st>::find(from) || !Live<CUevent_st>::find(to) ||
      from->moment.stream == nullptr || to->moment.stream == nullptr ||
      ((from->flags | to->flags) & CU_EVENT_DISABLE_TIMING) != 0) {
    return CUDA_ERROR_INVALID_HANDLE;
  }
  if (!is_done(*from) || !is_done(*to)) return CUDA_ERROR_NOT_READY;
  *milliseconds = static_cast<float>(to->milliseconds - from->milliseconds);
  return CUDA_SUCCESS;
}
