// Runs a launch: block after block, each thread of a block on a stack of its own where it must
// wait for others, and in the stack of its predecessor where it need not.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>

#include "block.h"
#include "emu.h"
#include "report.h"
#include "shadow.h"

// The built-in variables of the device language (cuda_emu.h).
extern "C" {
#define HIDDEN __attribute__((visibility("hidden")))
HIDDEN emu::Index emu_thread_index, emu_block_index, emu_block_size, emu_grid_size;
HIDDEN void* emu_dynamic_shared;
}

namespace emu {

Block block;
Thread* current;
Context main_context;
volatile bool in_kernel;

namespace {

constexpr size_t MOST_SHARED = 256 * 1024;
constexpr int POISON = 0xff;

int result;
int started;

// Threads that may go on: a ring.
Thread* queue[MOST_THREADS];
unsigned head, tail;

struct {
  int waiting;
  Where where;
  bool any, all;
  int count;
  bool last_any, last_all;
  int last_count;
} meeting;

void become(Thread* thread) {
  current = thread;
  thread->wait = Wait::NOTHING;
  emu_thread_index = thread->index;
  tag_thread();
}

// Nobody can go on, yet somebody waits.
[[noreturn]] void deadlock() {
  Report report{.defect = Defect::DEADLOCK};
  for (int i = 0; i < block.threads; i++) {
    const Thread& thread = block.thread[i];
    if (thread.wait == Wait::NOTHING) continue;
    report.count++;
    bool at_barrier = thread.wait == Wait::BARRIER;
    if (at_barrier && !report.other_where.file) report.other_where = thread.where;
    if (!at_barrier && !report.where.file) report.where = thread.where;
  }
  fail(719, report);
}

void finish() {
  block.finished++;
  if (meeting.waiting)
    fail(719, {.defect = Defect::BARRIER_RETURNED, .where = meeting.where, .count = 1});
  leave_warp(*current);
}

// One stack: runs threads from start to end until one of them must wait.
void run_threads(int stack) {
  for (;;) {
    if (head != tail) {
      give_stack(stack);
      Thread* next = queue[head++ % MOST_THREADS];
      become(next);
      emu_resume(next->context);
    }
    if (started == block.threads) {
      if (block.finished < block.threads) deadlock();
      give_stack(stack);
      emu_resume(main_context);
    }
    become(&block.thread[block.order[started++]]);
    block.launch->kernel->call(block.launch->arguments.data());
    finish();
  }
}

struct Order {
  enum { FORWARD, REVERSE, RANDOM } kind = FORWARD;
  std::mt19937 random;

  Order() {
    const char* text = getenv("DH_EMU_ORDER");
    if (!text || !*text || !strcmp(text, "forward")) return;
    if (!strcmp(text, "reverse")) {
      kind = REVERSE;
    } else if (!strncmp(text, "random:", 7)) {
      kind = RANDOM;
      random.seed(strtoul(text + 7, nullptr, 0));
    } else {
      finding("environment", "DH_EMU_ORDER=%s is none of forward, reverse, random:SEED", text);
    }
  }

  // Warps, and lanes within them; never lanes of several warps mixed, as in hardware.
  void arrange() {
    int warps[MOST_THREADS / 32];
    int count = (block.threads + 31) / 32;
    for (int i = 0; i < count; i++) warps[i] = kind == REVERSE ? count - 1 - i : i;
    for (int i = 0; i < 32; i++) block.lanes[i] = kind == REVERSE ? 31 - i : i;
    if (kind == RANDOM) {
      std::shuffle(warps, warps + count, random);
      std::shuffle(block.lanes, block.lanes + 32, random);
    }
    int next = 0;
    for (int i = 0; i < count; i++)
      for (int lane : block.lanes)
        if (warps[i] * 32 + lane < block.threads) block.order[next++] = warps[i] * 32 + lane;
  }

  uint64_t block_at(uint64_t position, uint64_t blocks, uint64_t rotation) const {
    if (kind == REVERSE) return blocks - 1 - position;
    return (position + rotation) % blocks;
  }
};

// Shared memory whose size the launch gives, its end against a guard page.
char* dynamic_shared(size_t bytes) {
  static char* region = [] {
    void* memory = mmap(nullptr, MOST_SHARED + 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    mprotect(static_cast<char*>(memory) + MOST_SHARED, 4096, PROT_NONE);
    return static_cast<char*>(memory);
  }();
  return region + MOST_SHARED - (bytes + 15) / 16 * 16;
}

void run_block() {
  const Kernel& kernel = *block.launch->kernel;
  memset(kernel.shared_begin, POISON, kernel.shared_end - kernel.shared_begin);
  if (block.launch->shared) memset(block.dynamic, POISON, block.launch->shared);
  started = block.finished = 0;
  head = tail = 0;
  meeting = {};
  meeting.all = true;
  reset_warps();
  begin_block_checks();
  Context first = take_stack(run_threads);
  in_kernel = true;
  emu_switch(&main_context, first);
  in_kernel = false;
}

// Host pointers, freed memory and swapped arguments are seen before the kernel starts.
bool check_arguments(const Launch& launch) {
  const Kernel& kernel = *launch.kernel;
  if (launch.arguments.size() != kernel.bytes) {
    finding("argument", "kernel %s takes %zu bytes of arguments and got %zu", kernel.name,
            kernel.bytes, launch.arguments.size());
    return false;
  }
  bool good = true;
  for (size_t i = 0; i < kernel.parameters.size(); i++) {
    if (!kernel.parameters[i].pointer) continue;
    char* pointer;
    memcpy(&pointer, launch.arguments.data() + kernel.parameters[i].offset, sizeof pointer);
    if (!pointer) continue;
    const Allocation* allocation = owner(pointer);
    // An empty view may stand at the end of its memory.
    if (!allocation) allocation = owner(pointer - 1);
    if (allocation && (allocation->host || allocation->device == launch.device)) continue;
    finding("argument", "kernel %s on device %d: parameter %zu is %p, %s", kernel.name,
            launch.device, i, pointer, describe(pointer).c_str());
    good = false;
  }
  return good;
}

void prepare(const Launch& launch) {
  block.launch = &launch;
  block.threads = launch.block[0] * launch.block[1] * launch.block[2];
  emu_block_size = {launch.block[0], launch.block[1], launch.block[2]};
  emu_grid_size = {launch.grid[0], launch.grid[1], launch.grid[2]};
  Index index = {0, 0, 0};
  for (int i = 0; i < block.threads; i++) {
    block.thread[i] = {.index = index, .id = i};
    if (++index.x < launch.block[0]) continue;
    index.x = 0;
    if (++index.y < launch.block[1]) continue;
    index.y = 0;
    index.z++;
  }
  emu_dynamic_shared = block.dynamic = dynamic_shared(launch.shared);
  begin_launch_checks();
}

bool possible(const Launch& launch) {
  uint64_t threads = uint64_t(launch.block[0]) * launch.block[1] * launch.block[2];
  uint64_t blocks = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  if (threads && threads <= MOST_THREADS && blocks && launch.shared <= MOST_SHARED) return true;
  finding("launch", "kernel %s: %zu threads in a block, %zu blocks, %u bytes of shared memory",
          launch.kernel->name, threads, blocks, launch.shared);
  return false;
}

}  // namespace

void ready(Thread* thread) { queue[tail++ % MOST_THREADS] = thread; }

void ready_all() {
  for (int i = 0; i < block.threads; i++) queue[i] = &block.thread[block.order[i]];
  head = 0;
  tail = block.threads;
}

void wait(Wait wait, Where where) {
  Thread* self = current;
  self->wait = wait;
  self->where = where;
  if (head != tail) {
    Thread* next = queue[head++ % MOST_THREADS];
    become(next);
    if (next != self) emu_switch(&self->context, next->context);
  } else if (started < block.threads) {
    emu_switch(&self->context, take_stack(run_threads));
  } else {
    deadlock();
  }
}

int barrier(Barrier kind, int predicate, Where where) {
  if (block.finished)
    fail(719, {.defect = Defect::BARRIER_RETURNED, .where = where, .count = block.finished});
  if (meeting.waiting == 0) {
    meeting.where = where;
  } else if (meeting.where.line != where.line ||
             (meeting.where.file != where.file && strcmp(meeting.where.file, where.file))) {
    fail(719, {.defect = Defect::BARRIER_OTHER, .where = where, .other_where = meeting.where});
  }
  meeting.any |= predicate != 0;
  meeting.all &= predicate != 0;
  meeting.count += predicate != 0;
  if (++meeting.waiting == block.threads) {
    bool any = meeting.any, all = meeting.all;
    int count = meeting.count;
    meeting = {.all = true, .last_any = any, .last_all = all, .last_count = count};
    next_segment();
    ready_all();
  }
  wait(Wait::BARRIER, where);
  switch (kind) {
    case Barrier::OR: return meeting.last_any;
    case Barrier::AND: return meeting.last_all;
    case Barrier::COUNT: return meeting.last_count;
    default: return 0;
  }
}

void set_result(int code) { result = code; }

void abandon(int code) {
  set_result(code);
  emu_resume(main_context);
}

void fail(int code, const Report& what) {
  report(what);
  abandon(code);
}

void trap(Where where) { fail(719, {.defect = Defect::TRAP, .where = where}); }

int run(const Launch& launch) {
  static std::mutex one_at_a_time;
  std::lock_guard lock(one_at_a_time);
  static Order order;
  if (!possible(launch)) return 1;
  bool good = check_arguments(launch);
  install_handlers();
  prepare(launch);
  order.arrange();
  uint64_t blocks = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  uint64_t rotation = order.kind == Order::RANDOM ? order.random() % blocks : 0;
  result = good ? 0 : 700;
  start_watch();
  for (uint64_t i = 0; i < blocks && result == 0; i++) {
    uint64_t b = order.block_at(i, blocks, rotation);
    block.number = b;
    emu_block_index = {unsigned(b % launch.grid[0]), unsigned(b / launch.grid[0] % launch.grid[1]),
                       unsigned(b / launch.grid[0] / launch.grid[1])};
    run_block();
    progress = progress + 1;
  }
  stop_watch();
  in_kernel = false;
  if (result) give_all_stacks();
  flush_reports();
  return result;
}

}  // namespace emu
