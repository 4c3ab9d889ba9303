// Device memory and pinned host memory of the driver test double: one arena of addresses of which
// every allocation gets its own pages, so that what lies beyond it is never somebody else's.
//
//   | guard | front slack | allocation (256-aligned) | slack to 256 | guard |
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "emu.h"
#include "shadow.h"

namespace emu {
namespace {

constexpr size_t PAGE = 4096;
constexpr unsigned char POISON = 0xff;  // NaN, -1
constexpr unsigned char SLACK = 0xa5;
constexpr size_t FREED_KEPT = 4096;
constexpr size_t FOREFIELD = size_t(1) << 28;  // never used, for indices far below zero

struct Arena {
  uintptr_t base = 0;
  size_t bytes = 0;
  uintptr_t cursor = 0;
  std::map<uintptr_t, Allocation> live;
  std::map<uintptr_t, Allocation> freed;  // the latest, to describe their use
  std::map<int, size_t> used;             // by device
  std::mutex mutex;
};

// Never destroyed: other threads may run until the process is gone.
Arena& arena() {
  static Arena* arena = new Arena;
  return *arena;
}

void* reserve(size_t bytes, int protection) {
  void* memory =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, bytes, MADV_DONTDUMP);
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return memory;
}

// Less than 64 GB only where the process may not reserve so many addresses.
void open(Arena& a) {
  for (size_t bytes = size_t(64) << 30; bytes >= size_t(1) << 30; bytes /= 2) {
    void* memory = reserve(bytes, PROT_NONE);
    if (!memory) continue;
    if (checking()) {
      device_shadow.state = static_cast<uint8_t*>(reserve(bytes, PROT_READ | PROT_WRITE));
      device_shadow.cells =
          static_cast<Cell*>(reserve(bytes / 4 * sizeof(Cell), PROT_READ | PROT_WRITE));
      if (!device_shadow.state || !device_shadow.cells) {
        if (device_shadow.state) munmap(device_shadow.state, bytes);
        munmap(memory, bytes);
        continue;
      }
    }
    a.base = device_shadow.base = uintptr_t(memory);
    a.cursor = a.base + FOREFIELD;
    a.bytes = device_shadow.bytes = bytes;
    return;
  }
  finding("memory", "cannot reserve addresses for the arena");
  abort();
}

size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

uintptr_t first_page(const Allocation& a) { return a.base / PAGE * PAGE; }
uintptr_t end_page(const Allocation& a) { return round_up(a.base + a.bytes, PAGE); }

// Addresses for `pages` bytes and a guard page on each side. Once the arena is used up it starts
// again at its front, between what is still live.
uintptr_t take_addresses(Arena& a, size_t pages) {
  size_t bytes = pages + 2 * PAGE;
  for (int round = 0; round < 2; round++) {
    while (a.cursor + bytes <= a.base + a.bytes) {
      auto above = a.live.lower_bound(a.cursor);
      uintptr_t blocked = 0;
      if (above != a.live.end() && first_page(above->second) < a.cursor + bytes)
        blocked = end_page(above->second);
      else if (above != a.live.begin() && end_page(std::prev(above)->second) > a.cursor)
        blocked = end_page(std::prev(above)->second);
      if (!blocked) {
        uintptr_t start = a.cursor + PAGE;
        a.cursor += pages + PAGE;  // the guard page behind is the next one's in front
        return start;
      }
      a.cursor = blocked;
    }
    a.cursor = a.base + FOREFIELD;
  }
  return 0;
}

void forget(Arena& a, const Allocation& allocation) {
  uintptr_t start = first_page(allocation);
  size_t pages = end_page(allocation) - start;
  void* memory = reinterpret_cast<void*>(start);
  mmap(memory, pages, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  // As its surroundings: the kernel joins only mappings of one kind, and allows 65,530 in all.
  madvise(memory, pages, MADV_DONTDUMP);
  madvise(memory, pages, MADV_NOHUGEPAGE);
  if (device_shadow.state) {
    size_t offset = start - a.base;
    madvise(device_shadow.state + offset, pages, MADV_DONTNEED);
    madvise(device_shadow.cells + offset / 4, pages / 4 * sizeof(Cell), MADV_DONTNEED);
  }
  if (a.freed.size() == FREED_KEPT) a.freed.erase(a.freed.begin());
  a.freed[allocation.base] = allocation;
}

// Whether nobody wrote in front of or behind the allocation.
void check_slack(const Allocation& a) {
  auto* front = reinterpret_cast<unsigned char*>(first_page(a));
  auto* begin = reinterpret_cast<unsigned char*>(a.base);
  auto* behind = reinterpret_cast<unsigned char*>(end_page(a));
  for (auto* p = front; p < begin; p++) {
    if (*p == SLACK) continue;
    finding("slack", "byte %zd before %s was written", begin - p, describe(begin).c_str());
    break;
  }
  for (auto* p = begin + a.bytes; p < behind; p++) {
    if (*p == SLACK) continue;
    finding("slack", "byte %zd past the end of %s was written", p - begin - a.bytes + 1,
            describe(begin).c_str());
    break;
  }
}

const Allocation* find(const std::map<uintptr_t, Allocation>& in, uintptr_t address) {
  auto above = in.upper_bound(address);
  if (above == in.begin()) return nullptr;
  const Allocation& below = std::prev(above)->second;
  return address - below.base < below.bytes ? &below : nullptr;
}

std::string kind(const Allocation& a) {
  std::string size = std::to_string(a.bytes) + " bytes";
  if (a.host) return "pinned host memory of " + size;
  return "the allocation of " + size + " on device " + std::to_string(a.device);
}

}  // namespace

Shadow device_shadow;

size_t memory_limit(int) {
  static const size_t limit = [] {
    const char* text = getenv("DH_EMU_MEMORY");
    return text ? strtoull(text, nullptr, 0) : size_t(4) << 30;
  }();
  return limit;
}

void* allocate(int device, size_t bytes, bool host) {
  Arena& a = arena();
  std::lock_guard lock(a.mutex);
  if (!a.base) open(a);
  size_t taken = round_up(bytes, 256);
  if (bytes == 0 || taken < bytes || taken > a.bytes) return nullptr;
  if (!host && a.used[device] + taken > memory_limit(device)) return nullptr;
  size_t pages = round_up(taken, PAGE);
  uintptr_t start = take_addresses(a, pages);
  if (!start) return nullptr;
  auto* memory = reinterpret_cast<unsigned char*>(start);
  if (mprotect(memory, pages, PROT_READ | PROT_WRITE) != 0) return nullptr;

  size_t front = pages - taken;
  memset(memory, SLACK, front);
  memset(memory + front, POISON, bytes);
  memset(memory + front + bytes, SLACK, taken - bytes);
  if (device_shadow.state)
    memset(device_shadow.state + (start + front - a.base), host ? INITIALISED : ALLOCATED, bytes);
  if (!host) a.used[device] += taken;
  a.live[start + front] = {start + front, bytes, device, host};
  return memory + front;
}

bool release(void* pointer, bool host) {
  Arena& a = arena();
  std::unique_lock lock(a.mutex);
  auto entry = a.live.find(uintptr_t(pointer));
  if (entry == a.live.end() || entry->second.host != host) {
    bool twice = a.freed.count(uintptr_t(pointer));
    lock.unlock();
    finding(twice ? "double-free" : "free", "%p is %s", pointer, describe(pointer).c_str());
    return false;
  }
  Allocation allocation = entry->second;
  lock.unlock();
  check_slack(allocation);
  lock.lock();
  a.live.erase(allocation.base);
  if (!host) a.used[allocation.device] -= round_up(allocation.bytes, 256);
  forget(a, allocation);
  return true;
}

const Allocation* owner(const void* pointer) {
  Arena& a = arena();
  std::lock_guard lock(a.mutex);
  return find(a.live, uintptr_t(pointer));
}

bool in_arena(const void* pointer) {
  return uintptr_t(pointer) - device_shadow.base < device_shadow.bytes;
}

std::string describe(const void* pointer) {
  Arena& a = arena();
  std::lock_guard lock(a.mutex);
  uintptr_t address = uintptr_t(pointer);
  auto offset = [&](const Allocation& a) {
    auto bytes = intptr_t(address - a.base);
    return bytes ? "offset " + std::to_string(bytes) + " of " + kind(a) : kind(a);
  };
  if (!pointer) return "null";
  if (!in_arena(pointer)) return "no device memory";
  if (auto* live = find(a.live, address)) return offset(*live);
  // Slack and guard pages belong to a neighbour.
  auto above = a.live.upper_bound(address);
  if (above != a.live.begin()) {
    const Allocation& below = std::prev(above)->second;
    if (address < end_page(below) + PAGE) return offset(below);
  }
  if (above != a.live.end() && address + PAGE >= first_page(above->second))
    return offset(above->second);
  if (auto* freed = find(a.freed, address)) return offset(*freed) + ", which was freed";
  return "no live device memory";
}

namespace {

// Whether all of the bytes lie in one live allocation.
bool inside(const void* pointer, size_t bytes, const char* what) {
  const Allocation* allocation = owner(pointer);
  if (allocation && bytes <= allocation->base + allocation->bytes - uintptr_t(pointer)) return true;
  finding("range", "%s: %zu bytes at %p, which is %s", what, bytes, pointer,
          describe(pointer).c_str());
  return false;
}

}  // namespace

bool readable(const void* pointer, size_t bytes, const char* what) {
  if (bytes == 0) return true;
  if (!inside(pointer, bytes, what)) return false;
  if (!device_shadow.state) return true;
  const uint8_t* state = device_shadow.state_of(uintptr_t(pointer));
  auto* hole = static_cast<const uint8_t*>(memchr(state, ALLOCATED, bytes));
  if (hole) {
    auto* address = static_cast<const char*>(pointer) + (hole - state);
    finding("uninitialised", "%s reads %s, which nobody has written", what,
            describe(address).c_str());
  }
  return true;
}

bool writable(void* pointer, size_t bytes, const char* what) {
  if (bytes == 0) return true;
  if (!inside(pointer, bytes, what)) return false;
  if (device_shadow.state) memset(device_shadow.state_of(uintptr_t(pointer)), INITIALISED, bytes);
  return true;
}

size_t live_bytes(int device) {
  Arena& a = arena();
  std::lock_guard lock(a.mutex);
  auto entry = a.used.find(device);
  return entry == a.used.end() ? 0 : entry->second;
}

long live_allocations() {
  Arena& a = arena();
  std::lock_guard lock(a.mutex);
  return a.live.size();
}

}  // namespace emu
