// Defects met while a kernel runs. They are noted on the stack of the device thread, without
// memory of the heap and from signal handlers too, and written when the kernel has ended.
#pragma once

#include <cstdint>
#include <string>

#include "device.h"

#pragma GCC visibility push(hidden)

namespace emu {

// The place of an instruction, or of a line; "file:line" where it is known.
std::string place(uintptr_t pc);
std::string place(const char* file, int line);

enum class Defect {
  OUT_OF_BOUNDS,
  UNINITIALISED,
  RACE_THREADS,   // with a thread of the same block
  RACE_BLOCKS,    // with another block
  MISALIGNED,
  ARRAY_INDEX,
  FAULT,          // caught by the processor
  STACK,
  DIVISION,
  WATCHDOG,
  BARRIER_OTHER,  // another barrier than the one at which the others wait
  BARRIER_RETURNED,
  SHUFFLE_RETURNED,
  WARP_OTHER,     // other lanes wait in another operation with the same mask
  WARP_SELF,      // the mask does not name the caller
  DEADLOCK,
  TRAP,
};

struct Report {
  Defect defect;
  bool write;
  uintptr_t address;
  size_t bytes;
  uintptr_t pc;       // either this
  Where where;        // or this
  Where other_where;  // barriers
  int other;          // the other thread, -1 when there are several
  unsigned mask;      // warps
  long count;         // threads that returned or wait
  long index;         // of an array
};

// Notes it for the thread that runs; the same defect at the same place only once a launch.
void report(const Report& report);

// Ends the kernel with this result. Only on the stack of a device thread.
[[noreturn]] void abandon(int result);

// Both: what a defect that has no sensible continuation does.
[[noreturn]] void fail(int result, const Report& report);

// Writes what was noted since the last call as findings.
void flush_reports();

}  // namespace emu

#pragma GCC visibility pop
