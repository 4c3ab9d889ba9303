// Stacks for device threads and the switch between them (x86-64, System V).
#pragma once

#include <cstdint>

#pragma GCC visibility push(hidden)

namespace emu {

// A context that does not run: the stack pointer below its saved registers.
using Context = void*;

extern "C" {
// Saves the running context in *save and goes on with `to`.
void emu_switch(Context* save, Context to);
// Goes on with `to` for good.
[[noreturn]] void emu_resume(Context to);
// Where emu_resume arrives once the stack pointer is `to`: the address at which a signal handler
// lets a thread go on that leaves a kernel.
void emu_resume_here();
}

// Takes a free stack; the context calls `entry` with its number, and `entry` must not return.
Context take_stack(void (*entry)(int number));
// Gives it back; the caller may go on running on it until it switches away.
void give_stack(int number);
// Gives all of them back, after a kernel was abandoned.
void give_all_stacks();

bool on_stacks(const void* address);
// Whether it is in the guard page below a stack.
bool stack_overflow(const void* address);

}  // namespace emu

#pragma GCC visibility pop
