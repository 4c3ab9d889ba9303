// Defects of kernels in words.
#include "report.h"

#include <cstdio>

#include "block.h"
#include "emu.h"
#include "shadow.h"

namespace emu {
namespace {

constexpr int MOST_REPORTS = 16;

struct Noted {
  Report report;
  unsigned block;
  int thread;
};

Noted noted[MOST_REPORTS];
int count;
long suppressed;

// Shared memory by its offset, and up to a page behind it.
std::string shared(const char* what, const char* pointer, const char* begin, size_t bytes) {
  if (bytes == 0 || uintptr_t(pointer) - uintptr_t(begin) >= bytes + 4096) return "";
  return "offset " + std::to_string(pointer - begin) + " of " + std::to_string(bytes) +
         " bytes of " + what + " shared memory";
}

std::string memory(const Report& r) {
  auto* pointer = reinterpret_cast<const char*>(r.address);
  if (in_arena(pointer)) return describe(pointer);
  if (on_stacks(pointer)) return "local memory";
  const Kernel& kernel = *block.launch->kernel;
  std::string text = shared("dynamic", pointer, block.dynamic, block.launch->shared);
  if (text.empty())
    text = shared("static", pointer, kernel.shared_begin, kernel.shared_end - kernel.shared_begin);
  if (!text.empty()) return text;
  char address[64];
  snprintf(address, sizeof address, "%p, neither device nor shared memory", pointer);
  return address;
}

std::string access(const Report& r) {
  return (r.write ? "writes " : "reads ") + std::to_string(r.bytes) + " bytes at " + memory(r);
}

std::string lanes(unsigned mask) {
  char text[32];
  snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

std::string race(const Report& r, const char* between) {
  std::string with = r.other < 0 ? "several threads" : "thread " + std::to_string(r.other);
  return access(r) + ", which " + with + " of " + between + " accessed" +
         (r.index ? " by an atomic" : "") + " without synchronisation between them";
}

std::string deadlock(const Report& r) {
  std::string text = "nobody can go on: " + std::to_string(r.count) + " threads wait";
  if (r.other_where.file)
    text += ", at the barrier " + place(r.other_where.file, r.other_where.line);
  if (r.where.file) text += ", for lanes of their warp";
  return text;
}

struct Words {
  const char* kind;
  std::string text;
};

Words words(const Report& r) {
  switch (r.defect) {
    case Defect::OUT_OF_BOUNDS: return {"out-of-bounds", access(r)};
    case Defect::UNINITIALISED: return {"uninitialised", access(r) + ", which nobody has written"};
    case Defect::RACE_THREADS: return {"race", race(r, "the same block")};
    case Defect::RACE_BLOCKS: return {"race", race(r, "another block")};
    case Defect::MISALIGNED:
      return {"misaligned", std::string(r.write ? "writes" : "reads") + " at " + memory(r) +
                                ", no multiple of " + std::to_string(r.bytes)};
    case Defect::ARRAY_INDEX:
      return {"array-index", "index " + std::to_string(r.index) + " of an array"};
    case Defect::FAULT: return {"fault", (r.write ? "writes " : "reads ") + memory(r)};
    case Defect::STACK: return {"stack", "local variables need more than 64 KB"};
    case Defect::DIVISION: return {"division", "integer division by zero or overflow"};
    case Defect::WATCHDOG: return {"watchdog", "a block does not end"};
    case Defect::BARRIER_OTHER:
      return {"barrier", "other threads of the block wait at the barrier " +
                             place(r.other_where.file, r.other_where.line)};
    case Defect::BARRIER_RETURNED:
      return {"barrier", std::to_string(r.count) + " threads of the block have returned"};
    case Defect::SHUFFLE_RETURNED:
      return {"shuffle", "the mask names lanes that have returned or do not exist: " +
                             lanes(r.mask)};
    case Defect::WARP_OTHER:
      return {"warp", "other lanes wait in another operation with the mask " + lanes(r.mask)};
    case Defect::WARP_SELF:
      return {"warp", "the mask does not name the caller: " + lanes(r.mask)};
    case Defect::DEADLOCK: return {"deadlock", deadlock(r)};
    case Defect::TRAP: return {"trap", "__trap"};
  }
  return {"defect", ""};
}

bool same(const Report& a, const Report& b) {
  return a.defect == b.defect && a.pc == b.pc && a.where.line == b.where.line && a.write == b.write;
}

}  // namespace

void report(const Report& what) {
  for (int i = 0; i < count; i++)
    if (same(noted[i].report, what)) return;
  if (count == MOST_REPORTS) {
    suppressed++;
    return;
  }
  noted[count++] = {what, block.number, current->id};
}

void flush_reports() {
  for (int i = 0; i < count; i++) {
    const Noted& n = noted[i];
    const Report& r = n.report;
    Words w = words(r);
    std::string at = r.pc ? place(r.pc - 1) : place(r.where.file, r.where.line);
    finding(w.kind, "kernel %s, block %u, thread %d: %s [%s]", block.launch->kernel->name, n.block,
            n.thread, w.text.c_str(), at.c_str());
  }
  if (suppressed) finding("more", "%ld further defects in the same launch", suppressed);
  count = 0;
  suppressed = 0;
}

}  // namespace emu
