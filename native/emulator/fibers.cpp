// Stacks for device threads and the switch between them (x86-64, System V).
#include "fibers.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

// Only the registers that a called function must keep are saved.
asm(R"(
.text
.globl emu_switch, emu_resume, emu_resume_here
.hidden emu_switch, emu_resume, emu_resume_here
.type emu_switch, @function
emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
emu_resume_here:
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.type emu_resume, @function
emu_resume:
  movq %rdi, %rsp
  jmp emu_resume_here
.type emu_start, @function
emu_start:
  movq %r12, %rdi
  call *%rbx
  ud2
)");

extern "C" void emu_start() __attribute__((visibility("hidden")));

namespace emu {
namespace {

constexpr int STACKS = 1024;
constexpr size_t GUARD = 960 * 1024;  // more than the 512 KB of local variables of a device thread
constexpr size_t STACK = 64 * 1024 + GUARD;

char* region;
int made;
int free_stacks[STACKS];
int free_count;

char* bottom(int number) { return region + number * STACK; }

int make_stack() {
  if (!region) {
    void* memory = mmap(nullptr, STACKS * STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    region = static_cast<char*>(memory);
  }
  if (made == STACKS) abort();  // a block has no more threads
  mprotect(bottom(made), GUARD, PROT_NONE);
  return made++;
}

}  // namespace

Context take_stack(void (*entry)(int)) {
  int number = free_count ? free_stacks[--free_count] : make_stack();
  // Tops at different offsets in their pages, or the hot lines of all stacks share a few sets of
  // the cache.
  size_t colour = number % 16 * 256;
  auto* top = reinterpret_cast<uintptr_t*>(bottom(number) + STACK - 64 - colour);
  // In the order in which emu_resume_here takes them: r15 r14 r13 r12 rbx rbp, return address.
  uintptr_t* context = top - 7;
  memset(context, 0, 7 * sizeof *context);
  context[3] = number;
  context[4] = reinterpret_cast<uintptr_t>(entry);
  context[6] = reinterpret_cast<uintptr_t>(emu_start);
  return context;
}

void give_stack(int number) { free_stacks[free_count++] = number; }

void give_all_stacks() {
  free_count = 0;
  while (free_count < made) {
    free_stacks[free_count] = made - 1 - free_count;
    free_count++;
  }
}

bool on_stacks(const void* address) {
  return region && uintptr_t(address) - uintptr_t(region) < STACKS * STACK;
}

bool stack_overflow(const void* address) {
  return on_stacks(address) && (uintptr_t(address) - uintptr_t(region)) % STACK < GUARD;
}

}  // namespace emu
