// Operations between the lanes of a warp: each lane leaves its operand and waits; the last of those
// that the mask names computes all results.
#include <cstring>

#include "block.h"
#include "report.h"

namespace emu {
namespace {

constexpr uint64_t UNDEFINED = ~uint64_t(0);

bool shuffles(Warp operation) { return operation >= Warp::SHUFFLE; }

// The lane whose value a shuffle gives to `lane`.
int source(Warp operation, int lane, unsigned argument, int width) {
  int first = lane & ~(width - 1);
  int last = first + width - 1;
  int from = lane;
  switch (operation) {
    case Warp::SHUFFLE: return first | (argument & (width - 1));
    case Warp::SHUFFLE_UP: from = lane - int(argument); return from < first ? lane : from;
    case Warp::SHUFFLE_DOWN: from = lane + int(argument); return from > last ? lane : from;
    default: from = lane ^ int(argument); return from > last ? lane : from;
  }
}

void synchronise(unsigned mask, Thread* lanes) {
  unsigned latest = 0;
  for (unsigned m = mask; m; m &= m - 1) {
    unsigned clock = lanes[__builtin_ctz(m)].clock;
    if (clock > latest) latest = clock;
  }
  if (++latest > MOST_CLOCK) {
    // Begin again, as if the block had met: this hides races and never invents one.
    next_segment();
    for (int i = 0; i < block.threads; i++) block.thread[i].clock = 0;
    latest = 1;
  }
  for (unsigned m = mask; m; m &= m - 1) lanes[__builtin_ctz(m)].clock = latest;
}

void complete(int number, const Group& group) {
  WarpState& warp = block.warp[number];
  Thread* lanes = &block.thread[number * 32];
  unsigned yes = 0;
  if (group.operation == Warp::SYNC) {
    synchronise(group.arrived, lanes);
  } else if (!shuffles(group.operation)) {
    for (unsigned m = group.arrived; m; m &= m - 1) {
      int lane = __builtin_ctz(m);
      yes |= unsigned(warp.operand[lane]) << lane;
    }
  }
  for (int lane : block.lanes) {
    if (!(group.arrived >> lane & 1)) continue;
    uint64_t& result = warp.result[lane];
    switch (group.operation) {
      case Warp::SYNC: break;
      case Warp::BALLOT: result = yes; break;
      case Warp::ANY: result = yes != 0; break;
      case Warp::ALL: result = yes == group.arrived; break;
      default: {
        int from = source(group.operation, lane, warp.argument[lane], warp.width[lane]);
        result = from >= 0 && group.arrived >> from & 1 ? warp.operand[from] : UNDEFINED;
      }
    }
    ready(&lanes[lane]);
  }
}

Group& join(WarpState& warp, Warp operation, unsigned mask, Where where) {
  for (int i = 0; i < warp.groups; i++) {
    Group& group = warp.group[i];
    if (group.mask != mask) continue;
    if (group.operation != operation)
      fail(719, {.defect = Defect::WARP_OTHER, .where = where, .mask = mask});
    return group;
  }
  Group& group = warp.group[warp.groups++];
  group = {mask, 0, operation};
  return group;
}

void complete_if_all(int number, Group& group) {
  WarpState& warp = block.warp[number];
  if (group.mask & ~(group.arrived | warp.gone)) return;
  Group done = group;
  group = warp.group[--warp.groups];
  complete(number, done);
}

}  // namespace

uint64_t warp(Warp operation, unsigned mask, uint64_t operand, unsigned argument, unsigned width,
              Where where) {
  int number = current->id / 32;
  int lane = current->id % 32;
  WarpState& warp = block.warp[number];
  if (!(mask >> lane & 1)) fail(719, {.defect = Defect::WARP_SELF, .where = where, .mask = mask});
  // Votes and __syncwarp leave out lanes that have returned; a value of theirs is undefined.
  if (shuffles(operation) && mask & warp.gone)
    fail(719, {.defect = Defect::SHUFFLE_RETURNED, .where = where, .mask = mask & warp.gone});
  warp.operand[lane] = operand;
  warp.argument[lane] = argument;
  warp.width[lane] = width;
  Group& group = join(warp, operation, mask, where);
  group.arrived |= 1u << lane;
  complete_if_all(number, group);
  wait(Wait::WARP, where);
  return warp.result[lane];
}

void leave_warp(const Thread& thread) {
  int number = thread.id / 32;
  unsigned bit = 1u << thread.id % 32;
  WarpState& warp = block.warp[number];
  warp.gone |= bit;
  for (int i = warp.groups - 1; i >= 0; i--) {
    Group& group = warp.group[i];
    if (!(group.mask & bit)) continue;
    if (shuffles(group.operation)) {
      Where where = block.thread[number * 32 + __builtin_ctz(group.arrived)].where;
      fail(719, {.defect = Defect::SHUFFLE_RETURNED, .where = where, .mask = bit});
    }
    complete_if_all(number, group);
  }
}

void reset_warps() {
  int warps = (block.threads + 31) / 32;
  for (int i = 0; i < warps; i++) {
    int lanes = block.threads - i * 32;
    block.warp[i].gone = lanes >= 32 ? 0 : ~0u << lanes;
    block.warp[i].groups = 0;
  }
}

}  // namespace emu
