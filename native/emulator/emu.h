// Inside the driver test double: what its parts say to each other. Nothing here is seen by kernels
// (cuda_emu.h) or by the program under test (cuda.h).
//
// The device half is registry.cpp, findings.cpp, report.cpp, memory.cpp, fibers.cpp, run.cpp,
// warp.cpp, check.cpp, race.cpp and faults.cpp (-O2 -g in both variants). Kernels, and only they,
// are compiled with
//   plain  -O2
//   check  -O1 -gdwarf-4 -fno-tree-sra -fsanitize=thread -fsanitize=bounds,alignment
//          --param tsan-instrument-func-entry-exit=0
// and linked without these flags: check.cpp and race.cpp answer the callbacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace emu {

// ---- findings (memory.cpp): defects that a program without mistakes never shows

// Appends one line "kind: text" to DH_EMU_LOG (or stderr) and counts it.
void finding(const char* kind, const char* format, ...) __attribute__((format(printf, 2, 3)));
long findings();

// ---- device memory (memory.cpp): one arena, guard pages, poison, shadow

struct Allocation {
  uintptr_t base;
  size_t bytes;
  int device;
  bool host;  // pinned host memory
};

// Null when DH_EMU_MEMORY of that device is used up. No address is handed out twice.
void* allocate(int device, size_t bytes, bool host);
// False, and a finding, for a double free or a foreign pointer.
bool release(void* pointer, bool host);
// The live allocation that holds the address, or null. It stays valid until it is released.
const Allocation* owner(const void* pointer);
// Whether [pointer, pointer + bytes) lies in one live device allocation; else a finding that names
// `what`. Writing marks the bytes as initialised; reading uninitialised bytes is a finding in the
// checking variant.
bool readable(const void* pointer, size_t bytes, const char* what);
bool writable(void* pointer, size_t bytes, const char* what);
size_t live_bytes(int device);
long live_allocations();
size_t memory_limit(int device);

// ---- kernels (run.cpp)

struct Parameter {
  size_t offset;
  size_t bytes;
  bool pointer;
};

struct Kernel {
  const char* name;
  void (*call)(const char* arguments);
  std::vector<Parameter> parameters;
  size_t bytes;  // of all arguments together
  // The static shared variables of the kernel's translation unit: all of its .bss.
  char* shared_begin;
  char* shared_end;
  bool checked;  // compiled with access callbacks
};

// Called by the registration objects that ci/build-emulator generates.
void add(const Kernel& kernel);
const Kernel* find(const std::string& name);

struct Launch {
  const Kernel* kernel;
  unsigned grid[3];
  unsigned block[3];
  unsigned shared;
  std::vector<char> arguments;
  int device;
};

// Whether the kernels of this library are the checking variant.
bool checking();

// Runs all blocks and returns a CUresult: 0, 700 after a fault, 702 where a block does not end
// within DH_EMU_WATCHDOG seconds (60), 716 after a misaligned access, 719 after a deadlock or a
// misused barrier. Pointer arguments are checked here, at the time of the run.
int run(const Launch& launch);

// ---- streams (stream.cpp): for the cuBLAS double

// Does `work` in the order of the stream: at once, when something waits (DH_EMU_DEFER), or at each
// launch of the graph that is being captured. `what` names it in findings.
int enqueue(void* stream, const char* what, std::function<int()> work);

// 0 if a function named `call` may allocate now: there is a context and no capture forbids it.
int may_allocate(const char* call);

}  // namespace emu
