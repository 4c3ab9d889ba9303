// What a kernel asks of the runtime: the only door between the language of cuda_emu.h and the
// files that run it. Neither NVIDIA's headers nor kernels are seen by the runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "emu.h"

#pragma GCC visibility push(hidden)

namespace emu {

// A place in a kernel's source; as a default argument, the place of the call.
struct Where {
  const char* file;
  int line;
};

constexpr Where here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return {file, line};
}

// The barrier of the block; the result is that of __syncthreads_or, _and or _count.
enum class Barrier { PLAIN, OR, AND, COUNT };
int barrier(Barrier kind, int predicate, Where where);

// An operation of the lanes named by the mask. `operand` is a predicate (votes), or the bits of a
// value (shuffles) of which `argument` gives the source and `width` the size of a section.
enum class Warp { SYNC, BALLOT, ANY, ALL, SHUFFLE, SHUFFLE_UP, SHUFFLE_DOWN, SHUFFLE_XOR };
uint64_t warp(Warp operation, unsigned mask, uint64_t operand, unsigned argument, unsigned width,
              Where where);

// __threadfence: what the thread has written may now be handed to other blocks by an atomic.
void fence();

// Checks an atomic access and notes it for the race detector (checking variant).
void atomic(void* address, size_t bytes);

// __trap: ends the kernel.
[[noreturn]] void trap(Where where);

// Where and how the kernels of one translation unit keep their shared variables.
struct Unit {
  char* shared_begin;
  char* shared_end;
  bool checked;
};

void add(const char* name, void (*call)(const char*), const Parameter* parameters, size_t count,
         const Unit& unit);

}  // namespace emu

#pragma GCC visibility pop
