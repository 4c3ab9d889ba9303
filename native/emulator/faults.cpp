// Kernels that the processor stops, and kernels that never end. Both are left by the signal
// handler, which sends the thread back to the main stack; every other signal goes on to who handled
// it before (the JVM).
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "block.h"
#include "emu.h"
#include "report.h"
#include "shadow.h"

namespace emu {

volatile long progress;

namespace {

constexpr int CAUGHT[] = {SIGSEGV, SIGBUS, SIGFPE};
struct sigaction before[65];
const int WATCH = SIGRTMIN + 7;

// The thread that runs a kernel.
pthread_t runner;
std::atomic<bool> running;
std::mutex watch_mutex;

// Handlers run on a stack of their own, because the stack of a device thread may be full.
char handler_stack[64 * 1024];
stack_t stack_before;

// The thread goes on behind emu_switch in run_block.
void leave_kernel(ucontext_t* context, int code) {
  set_result(code);
  context->uc_mcontext.gregs[REG_RSP] = reinterpret_cast<greg_t>(main_context);
  context->uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(&emu_resume_here);
}

bool by_kernel() { return running && in_kernel && pthread_equal(pthread_self(), runner); }

void pass_on(int signal, siginfo_t* info, void* context) {
  struct sigaction& old = before[signal];
  if (old.sa_flags & SA_SIGINFO) {
    old.sa_sigaction(signal, info, context);
  } else if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) {
    // The instruction is tried again and then ends the process as it always did.
    sigaction(signal, &old, nullptr);
  } else {
    old.sa_handler(signal);
  }
}

void on_fault(int signal, siginfo_t* info, void* raw) {
  auto* context = static_cast<ucontext_t*>(raw);
  auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (!by_kernel()) {
    if (signal == SIGSEGV && in_arena(info->si_addr))
      finding("host-access", "the host reads or writes %p: %s", info->si_addr,
              describe(info->si_addr).c_str());
    pass_on(signal, info, raw);
    return;
  }
  auto pc = uintptr_t(context->uc_mcontext.gregs[REG_RIP]);
  Report what{.defect = Defect::FAULT,
              .write = (context->uc_mcontext.gregs[REG_ERR] & 2) != 0,
              .address = address,
              .pc = pc + 1};
  if (signal == SIGFPE) what.defect = Defect::DIVISION;
  if (stack_overflow(info->si_addr)) what.defect = Defect::STACK;
  report(what);
  leave_kernel(context, 700);
}

void on_watch(int, siginfo_t*, void* raw) {
  auto* context = static_cast<ucontext_t*>(raw);
  if (!by_kernel()) return;
  auto pc = uintptr_t(context->uc_mcontext.gregs[REG_RIP]);
  report({.defect = Defect::WATCHDOG, .pc = pc + 1});
  leave_kernel(context, 702);
}

double limit_in_seconds() {
  const char* text = getenv("DH_EMU_WATCHDOG");
  return text && *text ? strtod(text, nullptr) : 60;
}

// Looks from time to time whether blocks end.
void watch() {
  const double limit = limit_in_seconds();
  const double step = limit / 10;
  long seen = -1;
  double waited = 0;
  for (;;) {
    std::this_thread::sleep_for(std::chrono::duration<double>(step));
    std::lock_guard lock(watch_mutex);
    if (!running || progress != seen) {
      seen = progress;
      waited = 0;
    } else if ((waited += step) >= limit) {
      pthread_kill(runner, WATCH);
    }
  }
}

void catch_signal(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(signal, &action, &before[signal]);
}

}  // namespace

void install_handlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (int signal : CAUGHT) catch_signal(signal, on_fault);
    catch_signal(WATCH, on_watch);
    std::thread(watch).detach();
  });
}

void start_watch() {
  stack_t own = {.ss_sp = handler_stack, .ss_flags = 0, .ss_size = sizeof handler_stack};
  sigaltstack(&own, &stack_before);
  std::lock_guard lock(watch_mutex);
  runner = pthread_self();
  progress = progress + 1;
  running = true;
}

void stop_watch() {
  {
    std::lock_guard lock(watch_mutex);
    running = false;
  }
  sigaltstack(&stack_before, nullptr);
}

}  // namespace emu
