// Capture of streams into graphs, and their launch, in the driver test double.
//
// A graph keeps its tasks in the order in which they were captured, which is one of the orders that
// their dependencies allow. The dependencies say whether every forked stream was joined again.
#include <algorithm>
#include <thread>

#include "host.h"

namespace emu {

struct Capture {
  CUstream origin;
  CUstreamCaptureMode mode;
  std::thread::id thread;
  bool valid;
  std::set<CUstream> streams;
  std::unique_ptr<CUgraph_st> graph;
};

namespace {

std::set<std::shared_ptr<Capture>>& active() {
  static auto* captures = new std::set<std::shared_ptr<Capture>>();
  return *captures;
}

thread_local CUstreamCaptureMode thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

CUresult refuse(const char* call, Capture& capture, CUresult error) {
  finding("capture", "%s is not permitted while a stream is captured", call);
  capture.valid = false;
  return error;
}

bool forbids(const Capture& capture) {
  if (thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED ||
      capture.mode == CU_STREAM_CAPTURE_MODE_RELAXED) {
    return false;
  }
  return capture.thread == std::this_thread::get_id() ||
         (thread_mode == CU_STREAM_CAPTURE_MODE_GLOBAL &&
          capture.mode == CU_STREAM_CAPTURE_MODE_GLOBAL);
}

// Whether all nodes come before those in the frontier.
bool all_joined(const CUgraph_st& graph, const std::set<int>& frontier) {
  std::vector<bool> reached(graph.nodes.size());
  std::vector<int> left(frontier.begin(), frontier.end());
  while (!left.empty()) {
    const int node = left.back();
    left.pop_back();
    if (reached[node]) continue;
    reached[node] = true;
    left.insert(left.end(), graph.nodes[node]->after.begin(), graph.nodes[node]->after.end());
  }
  return std::all_of(reached.begin(), reached.end(), [](bool it) { return it; });
}

void leave(Capture& capture) {
  for (CUstream stream : capture.streams) {
    stream->capture = nullptr;
    stream->frontier.clear();
  }
  capture.streams.clear();
}

}  // namespace

CUresult forbidden(const char* call) {
  for (const auto& capture : active()) {
    if (forbids(*capture)) return refuse(call, *capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }
  return CUDA_SUCCESS;
}

CUresult implicit(const char* call, CUcontext context) {
  for (const auto& capture : active()) {
    for (CUstream stream : capture->streams) {
      if (stream->context == context && (stream->flags & CU_STREAM_NON_BLOCKING) == 0) {
        return refuse(call, *capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
      }
    }
  }
  return CUDA_SUCCESS;
}

CUresult waited_for(const char* call, CUstream stream) {
  if (stream->capture) {
    return refuse(call, *stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }
  return stream == stream->context->legacy ? implicit(call, stream->context) : CUDA_SUCCESS;
}

CUresult waited_for(const char* call, CUcontext context) {
  for (CUstream stream : context->streams) {
    if (CUresult error = waited_for(call, stream)) return error;
  }
  return CUDA_SUCCESS;
}

CUresult add_node(CUstream stream, Task task) {
  Capture& capture = *stream->capture;
  if (!capture.valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  auto& nodes = capture.graph->nodes;
  nodes.emplace_back(new CUgraphNode_st{std::move(task), stream->frontier});
  stream->frontier = {static_cast<int>(nodes.size()) - 1};
  return CUDA_SUCCESS;
}

void record(CUstream stream, CUevent event) {
  event->capture = stream->capture;
  event->frontier = stream->frontier;
}

CUresult join(CUstream stream, CUevent event) {
  if (!event->capture) {
    finding("capture", "a captured stream waits for an event from outside of the capture");
    stream->capture->valid = false;
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  }
  if (active().count(event->capture) == 0) {
    finding("capture", "a stream waits for an event whose capture has ended");
    return CUDA_ERROR_CAPTURED_EVENT;
  }
  if (stream->capture && stream->capture != event->capture) {
    stream->capture->valid = event->capture->valid = false;
    finding("capture", "an event would merge two captures");
    return CUDA_ERROR_STREAM_CAPTURE_MERGE;
  }
  if (stream == stream->context->legacy) {
    return refuse("a wait in the default stream", *event->capture,
                  CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  }
  stream->capture = event->capture;
  stream->capture->streams.insert(stream);
  stream->frontier.insert(event->frontier.begin(), event->frontier.end());
  return stream->capture->valid ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
}

void abandon(CUstream stream) {
  if (!stream->capture) return;
  std::shared_ptr<Capture> capture = stream->capture;
  refuse("cuStreamDestroy", *capture, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  if (capture->origin == stream) {
    leave(*capture);
    active().erase(capture);
  } else {
    capture->streams.erase(stream);
  }
}

}  // namespace emu

using namespace emu;

API cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (stream == call.context->legacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream->capture) return CUDA_ERROR_ILLEGAL_STATE;
  stream->capture = std::make_shared<Capture>();
  *stream->capture = {stream, mode, std::this_thread::get_id(), true, {stream},
                      std::make_unique<CUgraph_st>()};
  active().insert(stream->capture);
  return CUDA_SUCCESS;
}

API cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  BEGIN(CONTEXT);
  *graph = nullptr;
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  std::shared_ptr<Capture> capture = stream->capture;
  if (!capture) return CUDA_ERROR_ILLEGAL_STATE;
  if (capture->origin != stream) {
    capture->valid = false;
    return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
  }
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
      capture->thread != std::this_thread::get_id()) {
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  }
  const bool joined = all_joined(*capture->graph, stream->frontier);
  leave(*capture);
  active().erase(capture);
  if (!capture->valid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (!joined) {
    finding("capture", "a stream that was forked in a capture is not joined at its end");
    return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
  }
  *graph = Live<CUgraph_st>::make(std::move(capture->graph->nodes));
  return CUDA_SUCCESS;
}

API cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus* status) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (stream == call.context->legacy) {
    if (CUresult error = implicit(__func__, call.context)) return error;
  }
  *status = !stream->capture         ? CU_STREAM_CAPTURE_STATUS_NONE
            : stream->capture->valid ? CU_STREAM_CAPTURE_STATUS_ACTIVE
                                     : CU_STREAM_CAPTURE_STATUS_INVALIDATED;
  return CUDA_SUCCESS;
}

API cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  BEGIN(INITIALISED);
  std::swap(*mode, thread_mode);
  return CUDA_SUCCESS;
}

API cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph graph, unsigned long long flags) {
  BEGIN(CONTEXT);
  if (!Live<CUgraph_st>::find(graph)) return CUDA_ERROR_INVALID_HANDLE;
  if ((flags & ~CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY) != 0) {
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  auto tasks = std::make_shared<std::vector<Task>>();
  for (const auto& node : graph->nodes) {
    tasks->push_back(node->task);
  }
  *executable = Live<CUgraphExec_st>::make(call.context, tasks);
  return CUDA_SUCCESS;
}

API cuGraphLaunch(CUgraphExec executable, CUstream handle) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr || !Live<CUgraphExec_st>::find(executable)) {
    return CUDA_ERROR_INVALID_HANDLE;
  }
  if (stream->capture) {
    return refuse(__func__, *stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }
  auto tasks = executable->tasks;
  CUresult error = submit(stream, {__func__, [tasks] {
                                     for (const Task& task : *tasks) {
                                       if (int failed = task.work()) return failed;
                                     }
                                     return 0;
                                   }});
  if (error == CUDA_SUCCESS) {
    count_graph_launch();
    for (const Task& task : *tasks) {
      count(task);
    }
  }
  return error;
}

API cuGraphUpload(CUgraphExec executable, CUstream handle) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr || !Live<CUgraphExec_st>::find(executable)) {
    return CUDA_ERROR_INVALID_HANDLE;
  }
  return CUDA_SUCCESS;
}

API cuGraphExecDestroy(CUgraphExec executable) {
  BEGIN(CONTEXT);
  if (!Live<CUgraphExec_st>::find(executable)) {
    finding("graph", "%p is destroyed and is no live graph", static_cast<void*>(executable));
    return CUDA_ERROR_INVALID_HANDLE;
  }
  Live<CUgraphExec_st>::drop(executable);
  return CUDA_SUCCESS;
}

API cuGraphDestroy(CUgraph graph) {
  BEGIN(CONTEXT);
  if (!Live<CUgraph_st>::find(graph)) {
    finding("graph", "%p is destroyed and is no live graph", static_cast<void*>(graph));
    return CUDA_ERROR_INVALID_HANDLE;
  }
  Live<CUgraph_st>::drop(graph);
  return CUDA_SUCCESS;
}

API cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, size_t* count) {
  BEGIN(CONTEXT);
  if (!Live<CUgraph_st>::find(graph)) return CUDA_ERROR_INVALID_HANDLE;
  if (nodes != nullptr) {
    for (size_t i = 0; i < *count; i++) {
      nodes[i] = i < graph->nodes.size() ? graph->nodes[i].get() : nullptr;
    }
    *count = std::min(*count, graph->nodes.size());
  } else {
    *count = graph->nodes.size();
  }
  return CUDA_SUCCESS;
}

API cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* type) {
  BEGIN(CONTEXT);
  *type = node->task.type;
  return CUDA_SUCCESS;
}
