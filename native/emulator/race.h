// Races between threads. Every four bytes of device and shared memory remember the last write and
// the last reads (Cell); an access that is not ordered after them is a race.
//
// A tag names an access: segment, clock, thread, bytes of the word, flags. A segment is the time of
// one block between two barriers, numbered over all launches, so that one comparison tells whether
// an access belongs to this segment, to this block or to this launch. Within a segment two lanes of
// a warp are ordered if a __syncwarp lies between them: then the clock has advanced. What another
// block did is ordered only if that block executed __threadfence and then an atomic on an address
// on which this block executed an atomic since.
//
// Where lanes touch different bytes of one word only the last is remembered: races of narrow types
// may be missed, none is invented.
#pragma once

#include <cstdint>

#include "shadow.h"

#pragma GCC visibility push(hidden)

namespace emu::race {

constexpr int SEGMENT = 30, CLOCK = 17, THREAD = 7, BYTES = 3;
constexpr uint64_t CLOCK_MASK = 0x1fff, THREAD_MASK = 0x3ff, BYTES_MASK = 0xf;

enum Flag : uint64_t {
  NONE = 0,
  ATOMIC = 1,      // writers
  OF_A_WARP = 2,   // readers: several lanes of one warp
  OF_A_BLOCK = 4,  // several warps of one block
  OF_BLOCKS = 6,   // several blocks
  READERS = 6,
};

inline uint64_t segment(uint64_t tag) { return tag >> SEGMENT; }
inline uint64_t clock(uint64_t tag) { return tag >> CLOCK & CLOCK_MASK; }
inline int thread(uint64_t tag) { return tag >> THREAD & THREAD_MASK; }
inline uint64_t bytes(uint64_t tag) { return tag & BYTES_MASK << BYTES; }

extern uint64_t now;           // segment, clock and thread of what runs
extern uint64_t launch_start;  // its first segment
extern uint64_t block_start;

// Whether the access `before` is not ordered before `now`; `before` is of this launch, and not
// simply the same thread.
bool unordered(uint64_t before);
bool unordered_readers(uint64_t before);
// The reader tag after one more read.
uint64_t merge(uint64_t before, uint64_t mine);

// The thread itself, and what happened before `start`: nearly every access.
inline bool harmless(uint64_t before, uint64_t start) {
  constexpr uint64_t same = ~uint64_t(0) << SEGMENT | THREAD_MASK << THREAD;
  return segment(before) < start || ((before ^ now) & same) == 0;
}

// An access to the bytes whose bits are shifted into place (BYTES and up). `start` is the first
// segment of the launch for device memory and of the block for shared memory. The result is the tag
// of an access that races with it, or 0.
inline uint64_t read(Cell& cell, uint64_t bits, uint64_t start) {
  uint64_t mine = now | bits;
  uint64_t conflict = 0;
  if (cell.writer & bits && !harmless(cell.writer, start) && unordered(cell.writer))
    conflict = cell.writer;
  uint64_t before = cell.reader;
  if (segment(before) < start)
    cell.reader = mine;
  else if (before != mine)
    cell.reader = merge(before, mine);
  return conflict;
}

inline uint64_t write(Cell& cell, uint64_t bits, uint64_t start, uint64_t flag) {
  uint64_t conflict = 0;
  if (cell.writer & bits && !harmless(cell.writer, start) && !(cell.writer & flag) &&
      unordered(cell.writer))
    conflict = cell.writer;
  uint64_t readers = cell.reader;
  if (readers & bits && segment(readers) >= start && unordered_readers(readers))
    conflict = readers;
  cell.writer = now | bits | flag;
  return conflict;
}

// An atomic on device memory, and __threadfence: how blocks hand over.
void note_atomic(uintptr_t address);

}  // namespace emu::race

#pragma GCC visibility pop
