// The host half of the driver test double: what a handle of the driver API points to, and the
// checks that its functions share. Handles are the structures themselves (CUstream is a
// CUstream_st*); a set of live handles for each kind tells a stale one.
#pragma once

#include <cuda.h>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "emu.h"

// cuda.h renames these to functions that are newer than JCuda 12.6, which asks for the old ones.
#undef cuDeviceGetUuid
#undef cuEventElapsedTime

#define API extern "C" CUresult

namespace emu {

struct Capture;

// One thing that a stream does.
struct Task {
  const char* what;  // names it in findings; lives as long as the library
  std::function<int()> work;
  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_HOST;
  const Kernel* kernel = nullptr;  // counted as a launch
  bool to_host = false;            // counted as a copy to the host
  size_t bytes = 0;                // of that copy
};

// A place in the order of a stream. Numbers grow over all streams, so that a task only ever waits
// for tasks with lower numbers.
struct Moment {
  CUstream stream = nullptr;
  uint64_t number = 0;
};

struct Pending {
  uint64_t number;
  Task task;
  std::vector<Moment> after;
};

}  // namespace emu

struct CUstream_st {
  CUcontext context;
  unsigned flags;
  int priority;
  uint64_t done;  // all tasks up to this number have run
  std::deque<emu::Pending> queue = {};
  std::shared_ptr<emu::Capture> capture = nullptr;
  std::set<int> frontier = {};  // nodes of the capture that the next one comes after
};

struct CUctx_st {
  int device;
  bool primary;
  unsigned flags;
  int error = 0;              // sticky, as on hardware: every later call returns it
  CUstream legacy = nullptr;  // the default stream
  std::set<CUstream> streams = {};  // all but the default stream
  std::set<void*> memory = {};
};

struct CUevent_st {
  CUcontext context;
  unsigned flags;
  emu::Moment moment = {};  // of the last record; stream null before the first
  double milliseconds = 0;  // when the moment came
  std::shared_ptr<emu::Capture> capture = nullptr;  // the last record was in this capture
  std::set<int> frontier = {};
};

struct CUfunc_st {
  CUmodule module;
  const emu::Kernel* kernel;
  int maximum_threads;
  int dynamic_shared;  // how many bytes of it a launch may ask for
};

struct CUmod_st {
  CUcontext context;
  std::unordered_map<std::string, CUfunction> functions = {};
};

struct CUgraphNode_st {
  emu::Task task;
  std::set<int> after;
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};

struct CUgraphExec_st {
  CUcontext context;
  std::shared_ptr<const std::vector<emu::Task>> tasks;
};

namespace emu {

// The live handles of one kind.
template <typename Handle> class Live {
 public:
  template <typename... Arguments> static Handle* make(Arguments&&... arguments) {
    auto made = std::make_shared<Handle>(Handle{std::forward<Arguments>(arguments)...});
    all()[made.get()] = made;
    return made.get();
  }
  // Null for a handle that was never made or is destroyed.
  static std::shared_ptr<Handle> find(Handle* handle) {
    auto found = all().find(handle);
    return found == all().end() ? nullptr : found->second;
  }
  static void drop(Handle* handle) { all().erase(handle); }
  template <typename Condition> static void drop_if(Condition condition) {
    for (auto at = all().begin(); at != all().end();) {
      at = condition(*at->second) ? all().erase(at) : std::next(at);
    }
  }

 private:
  // Never destroyed: a program may call the driver while it ends.
  static std::unordered_map<Handle*, std::shared_ptr<Handle>>& all() {
    static auto* handles = new std::unordered_map<Handle*, std::shared_ptr<Handle>>();
    return *handles;
  }
};

// What a function of the API needs before it can begin.
enum Need {
  INITIALISED = 1,  // cuInit was called
  CONTEXT = 2,      // and this thread has a current context without a sticky error
  UNSAFE = 4,       // and no capture forbids a call that could order work behind its back
};

// At the head of each function: takes the lock of the double and checks the needs.
class Call {
 public:
  Call(const char* name, int needs);
  ~Call();
  Call(const Call&) = delete;
  CUresult error;
  CUcontext context;
};

#define BEGIN(needs)                \
  emu::Call call(__func__, needs);  \
  if (call.error != CUDA_SUCCESS) return call.error

// ---- settings (driver.cpp)

bool initialised();
long setting(const char* name, long otherwise);
// Of a value such as 9.0, which is 90.
int version_setting(const char* name, int otherwise);
int device_count();
bool is_device(CUdevice device);

// What attributes and launches agree on, per device.
constexpr int MULTIPROCESSORS = 4;
constexpr int THREADS_PER_BLOCK = 1024;
constexpr int THREADS_PER_MULTIPROCESSOR = 2048;
constexpr int BLOCKS_PER_MULTIPROCESSOR = 32;
constexpr int SHARED_PER_BLOCK = 48 << 10;
constexpr int SHARED_PER_BLOCK_OPT_IN = 227 << 10;
constexpr int SHARED_PER_MULTIPROCESSOR = 228 << 10;

// The names of the compiled modules, then null. Entries are registered as MODULE__ENTRY, since two
// modules may have entries of the same name.
extern const char* const modules[];

// ---- contexts (context.cpp)

CUcontext current();
void destroy(CUcontext context);

// ---- streams (stream.cpp)

CUstream make_stream(CUcontext context, unsigned flags, int priority);
// The stream of the current context that a handle names (0 and 1: the legacy default stream), or
// null.
CUstream resolve(CUstream handle, CUcontext context);
// Adds the task to the stream, or to the graph that it is capturing.
CUresult submit(CUstream stream, Task task);
void finish(CUstream stream);
void finish(Moment moment);
void finish(CUcontext context);
// What a function returns after work was waited for.
CUresult outcome(CUcontext context);
// True while a host function of the program runs: it must not call the driver.
extern thread_local bool in_host_function;

// ---- capture (graph.cpp)

// 0, or CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED after the capture that forbids the call is
// invalidated.
CUresult forbidden(const char* call);
// The same for a use of the legacy default stream, which waits for all blocking streams.
CUresult implicit(const char* call, CUcontext context);
// The same for a wait for a stream, or for all of a context, that is being captured.
CUresult waited_for(const char* call, CUstream stream);
CUresult waited_for(const char* call, CUcontext context);
CUresult add_node(CUstream stream, Task task);
void record(CUstream stream, CUevent event);
CUresult join(CUstream stream, CUevent event);
// Drops the frontier of a stream that is destroyed.
void abandon(CUstream stream);

// ---- counters (counters.cpp)

void count(const Task& task);
void count_allocation();
void count_graph_launch();

}  // namespace emu
