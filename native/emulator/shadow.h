// What the checking variant knows of every byte and word of device or shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#pragma GCC visibility push(hidden)

namespace emu {

enum State : uint8_t { NOTHING = 0, ALLOCATED = 1, INITIALISED = 2 };

// The last accesses to four bytes (race.h).
struct Cell {
  uint64_t writer;
  uint64_t reader;
};

struct Shadow {
  uintptr_t base = 0;
  size_t bytes = 0;
  uint8_t* state = nullptr;  // one for each byte; null when not checking
  Cell* cells = nullptr;     // one for each four bytes

  bool holds(uintptr_t address) const { return address - base < bytes; }
  uint8_t* state_of(uintptr_t address) const { return state + (address - base); }
  Cell* cell_of(uintptr_t address) const { return cells + (address - base) / 4; }
};

extern Shadow device_shadow;  // the arena (memory.cpp)

bool in_arena(const void* pointer);
// "offset 8 of the allocation of 64 bytes on device 0"; offsets outside name a neighbour.
std::string describe(const void* pointer);

}  // namespace emu

#pragma GCC visibility pop
