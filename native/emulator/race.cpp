// Races between threads: the order of two accesses (race.h).
#include "race.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "block.h"
#include "emu.h"

namespace emu {
namespace race {

uint64_t now;
uint64_t launch_start = 1;
uint64_t block_start = 1;

namespace {

uint64_t last_segment;

// After __threadfence in `segment` a block executed an atomic on the address.
struct Release {
  uintptr_t address;
  uint64_t segment;
};

// Blocks are numbered as they run. Only launches that use __threadfence fill more than `starts`.
struct {
  std::vector<uint64_t> starts;
  std::unordered_map<size_t, std::vector<Release>> releases;
  std::unordered_set<uintptr_t> acquired;
  bool fences = false;
  uint64_t fenced[MOST_THREADS];  // the segment in which the thread executed __threadfence, or 0
} handover;

bool handed_over(uint64_t segment) {
  if (!handover.fences) return false;
  auto after = std::upper_bound(handover.starts.begin(), handover.starts.end(), segment);
  auto entry = handover.releases.find(after - handover.starts.begin() - 1);
  if (entry == handover.releases.end()) return false;
  for (const Release& release : entry->second)
    if (release.segment >= segment && handover.acquired.count(release.address)) return true;
  return false;
}

bool same_warp(uint64_t a, uint64_t b) { return thread(a) / 32 == thread(b) / 32; }

}  // namespace

bool unordered(uint64_t before) {
  uint64_t then = segment(before);
  if (then == segment(now)) {
    if (same_warp(before, now)) return clock(now) <= clock(before);
    return true;
  }
  return then < block_start && !handed_over(then);
}

bool unordered_readers(uint64_t before) {
  uint64_t then = segment(before);
  switch (before & READERS) {
    case OF_BLOCKS: return handover.acquired.empty();
    case OF_A_BLOCK:
      if (then == segment(now)) return true;
      break;
    case OF_A_WARP: break;
    default:
      if (harmless(before, launch_start)) return false;
  }
  return unordered(before);
}

uint64_t merge(uint64_t before, uint64_t mine) {
  uint64_t then = segment(before);
  uint64_t flags = before & READERS;
  if (flags != OF_BLOCKS && then >= block_start && then != segment(mine)) return mine;
  // Only bytes that several threads read may be marked as such.
  if (!bytes(before & mine)) return flags ? before : mine;
  if (then < block_start || flags == OF_BLOCKS) {
    uint64_t common = bytes(before & mine);
    return (mine & ~(BYTES_MASK << BYTES)) | common | OF_BLOCKS;
  }
  if (flags == OF_A_BLOCK) return before;
  if (same_warp(before, mine)) {
    if (clock(mine) > clock(before)) return mine;
    if (flags) return before;
    return thread(before) == thread(mine) ? mine | bytes(before)
                                          : (before & ~(BYTES_MASK << BYTES)) |
                                                bytes(before & mine) | OF_A_WARP;
  }
  return (before & ~(BYTES_MASK << BYTES | READERS)) | bytes(before & mine) | OF_A_BLOCK;
}

void note_atomic(uintptr_t address) {
  if (!handover.fences) return;
  handover.acquired.insert(address);
  uint64_t fenced = handover.fenced[current->id];
  if (!fenced) return;
  auto& releases = handover.releases[handover.starts.size() - 1];
  for (Release& release : releases) {
    if (release.address != address) continue;
    release.segment = fenced;
    return;
  }
  releases.push_back({address, fenced});
}

void begin_launch() {
  launch_start = last_segment + 1;
  handover.starts.clear();
  handover.releases.clear();
  handover.fences = false;
}

void begin_block() {
  next_segment();
  block_start = last_segment;
  handover.starts.push_back(block_start);
  handover.acquired.clear();
  if (handover.fences) std::fill_n(handover.fenced, block.threads, 0);
}

}  // namespace race

void next_segment() { race::last_segment++; }

void tag_thread() {
  using namespace race;
  now = last_segment << SEGMENT | uint64_t(current->clock) << CLOCK |
        uint64_t(current->id) << THREAD;
}

void fence() {
  using namespace race;
  if (!checking()) return;
  if (!handover.fences) std::fill_n(handover.fenced, block.threads, 0);
  handover.fences = true;
  handover.fenced[current->id] = segment(now);
}

}  // namespace emu
