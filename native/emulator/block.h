// The block that runs: its threads, who waits for what, and who goes on next. Only one block of one
// kernel runs at a time in the process.
#pragma once

#include <cstdint>

#include "device.h"
#include "fibers.h"

#pragma GCC visibility push(hidden)

namespace emu {

struct Index {
  unsigned x, y, z;
};

enum class Wait : uint8_t { NOTHING, BARRIER, WARP };

struct Thread {
  Context context;
  Index index;
  int id;
  unsigned clock;  // the number of __syncwarp of its warp, for the race detector
  Wait wait;
  Where where;  // of what it waits for
};

// Lanes that wait for each other.
struct Group {
  unsigned mask;
  unsigned arrived;
  Warp operation;
};

struct WarpState {
  unsigned gone;  // lanes that have returned or never were
  int groups;
  Group group[32];
  uint64_t operand[32];
  unsigned argument[32];
  unsigned width[32];
  uint64_t result[32];
};

constexpr int MOST_THREADS = 1024;
constexpr unsigned MOST_CLOCK = 8191;

struct Block {
  const Launch* launch;
  char* dynamic;    // shared memory whose size the launch gives
  unsigned number;  // in the order of the grid, x first
  int threads;
  int finished;
  Thread thread[MOST_THREADS];
  WarpState warp[MOST_THREADS / 32];
  int order[MOST_THREADS];  // in which threads start
  int lanes[32];            // in which lanes of a warp go on
};

extern Block block;
extern Thread* current;
extern Context main_context;
// Between leaving the main stack and coming back to it.
extern volatile bool in_kernel;
// What the launch returns once the main stack goes on.
void set_result(int result);

// Lets another thread run until somebody calls ready(current).
void wait(Wait wait, Where where);
void ready(Thread* thread);
// All threads of the block, in their order.
void ready_all();

// warp.cpp: a thread has returned.
void leave_warp(const Thread& thread);
void reset_warps();

// faults.cpp
void install_handlers();
void start_watch();
void stop_watch();
extern volatile long progress;  // blocks that have ended

// race.cpp; harmless in the plain variant
void begin_launch_checks();
void begin_block_checks();
void next_segment();      // after a barrier of the block
void tag_thread();        // `current` goes on
}  // namespace emu

#pragma GCC visibility pop
