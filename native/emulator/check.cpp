// The checking variant: what the access callbacks of -fsanitize=thread, bounds, alignment find.
// Kernels are compiled with these flags and linked without their runtimes: this file is in the
// place of them.
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "block.h"
#include "emu.h"
#include "race.h"
#include "report.h"
#include "shadow.h"

namespace emu {

namespace race {
void begin_launch();
void begin_block();
}  // namespace race

namespace {

Shadow static_shared;
Shadow dynamic_shared;

// The loaded object of the kernels: its constants may be read.
uintptr_t image_begin, image_end;

void find_image(const void* inside) {
  auto look = [](dl_phdr_info* info, size_t, void* inside) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
      const auto& segment = info->dlpi_phdr[i];
      uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
      if (segment.p_type != PT_LOAD || uintptr_t(inside) - begin >= segment.p_memsz) continue;
      image_begin = uintptr_t(-1);
      for (int j = 0; j < info->dlpi_phnum; j++) {
        const auto& other = info->dlpi_phdr[j];
        if (other.p_type != PT_LOAD) continue;
        uintptr_t start = info->dlpi_addr + other.p_vaddr;
        if (start < image_begin) image_begin = start;
        if (start + other.p_memsz > image_end) image_end = start + other.p_memsz;
      }
      return 1;
    }
    return 0;
  };
  dl_iterate_phdr(look, const_cast<void*>(inside));
}

void cover(Shadow& shadow, char* begin, size_t bytes) {
  static constexpr size_t MOST = size_t(16) << 20;
  if (!shadow.state) {
    auto map = [](size_t size) {
      void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) abort();
      return memory;
    };
    shadow.state = static_cast<uint8_t*>(map(MOST));
    shadow.cells = static_cast<Cell*>(map(MOST / 4 * sizeof(Cell)));
  }
  if (bytes > MOST) abort();
  shadow.base = uintptr_t(begin);
  shadow.bytes = bytes;
  // Cells left by another kernel are of earlier segments.
}

void note(Defect defect, uintptr_t address, size_t bytes, bool write, uintptr_t pc) {
  report({.defect = defect, .write = write, .address = address, .bytes = bytes, .pc = pc});
}

void note_race(uint64_t other, uintptr_t address, size_t bytes, bool write, uintptr_t pc) {
  bool blocks = race::segment(other) < race::block_start ||
                (other & race::READERS) == race::OF_BLOCKS;
  report({.defect = blocks ? Defect::RACE_BLOCKS : Defect::RACE_THREADS,
          .write = write,
          .address = address,
          .bytes = bytes,
          .pc = pc,
          .other = other & race::READERS ? -1 : race::thread(other),
          .index = bool(other & race::ATOMIC)});
}

// Out of bounds anywhere, or uninitialised: byte by byte.
__attribute__((noinline)) void check_state(uint8_t* state, uintptr_t address, size_t bytes,
                                           bool write, uintptr_t pc) {
  for (size_t i = 0; i < bytes; i++) {
    if (state[i] == NOTHING) {
      note(Defect::OUT_OF_BOUNDS, address + i, bytes, write, pc);
      abandon(700);
    }
  }
  if (write) {
    memset(state, INITIALISED, bytes);
    return;
  }
  auto* hole = static_cast<uint8_t*>(memchr(state, ALLOCATED, bytes));
  if (hole) note(Defect::UNINITIALISED, address + (hole - state), bytes, write, pc);
}

template <int BYTES>
bool initialised(const uint8_t* state) {
  constexpr uint64_t all = 0x0202020202020202 >> (64 - 8 * (BYTES < 8 ? BYTES : 8));
  uint64_t found = 0;
  memcpy(&found, state, BYTES < 8 ? BYTES : 8);
  if (BYTES <= 8) return found == all;
  uint64_t second;
  memcpy(&second, state + BYTES - 8, 8);
  return found == all && second == all;
}

// BYTES is the size and the alignment.
template <int BYTES>
void check_in(const Shadow& shadow, uintptr_t address, uint64_t start, bool write, uint64_t flag,
              uintptr_t pc) {
  uint8_t* state = shadow.state_of(address);
  if (!initialised<BYTES>(state)) check_state(state, address, BYTES, write, pc);
  Cell* cell = shadow.cell_of(address);
  constexpr uint64_t bits = BYTES < 4 ? (1 << BYTES) - 1 : 15;
  uint64_t shift = BYTES < 4 ? address % 4 : 0;
  for (int i = 0; i < (BYTES + 3) / 4; i++) {
    uint64_t place = bits << (race::BYTES + shift);
    uint64_t other = write ? race::write(cell[i], place, start, flag)
                           : race::read(cell[i], place, start);
    if (__builtin_expect(other != 0, 0)) note_race(other, address, BYTES, write, pc);
  }
}

// Neither device nor shared memory: the thread's own, constants, or a mistake.
__attribute__((noinline)) void check_elsewhere(uintptr_t address, size_t bytes, bool write,
                                               uintptr_t pc) {
  auto* pointer = reinterpret_cast<void*>(address);
  if (on_stacks(pointer) || (address >= image_begin && address < image_end)) return;
  note(Defect::OUT_OF_BOUNDS, address, bytes, write, pc);
  abandon(700);
}

template <int BYTES>
inline void check(const void* pointer, bool write, uintptr_t pc, uint64_t flag = race::NONE) {
  auto address = reinterpret_cast<uintptr_t>(pointer);
  if (device_shadow.holds(address))
    check_in<BYTES>(device_shadow, address, race::launch_start, write, flag, pc);
  else if (static_shared.holds(address))
    check_in<BYTES>(static_shared, address, race::block_start, write, flag, pc);
  else if (dynamic_shared.holds(address))
    check_in<BYTES>(dynamic_shared, address, race::block_start, write, flag, pc);
  else if (in_kernel)
    check_elsewhere(address, BYTES, write, pc);
}

void check_each(const void* pointer, size_t bytes, bool write, uintptr_t pc) {
  auto* p = static_cast<const char*>(pointer);
  for (size_t i = 0; i < bytes; i++) check<1>(p + i, write, pc);
}

}  // namespace

void begin_launch_checks() {
  if (!checking()) return;
  const Kernel& kernel = *block.launch->kernel;
  if (!image_end) find_image(reinterpret_cast<const void*>(kernel.call));
  cover(static_shared, kernel.shared_begin, kernel.shared_end - kernel.shared_begin);
  cover(dynamic_shared, block.dynamic, block.launch->shared);
  race::begin_launch();
}

void begin_block_checks() {
  if (!checking()) return;
  memset(static_shared.state, ALLOCATED, static_shared.bytes);
  memset(dynamic_shared.state, ALLOCATED, dynamic_shared.bytes);
  race::begin_block();
}

void atomic(void* address, size_t bytes) {
  auto pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  if (bytes == 4)
    check<4>(address, true, pc, race::ATOMIC);
  else if (bytes == 8)
    check<8>(address, true, pc, race::ATOMIC);
  else
    check<2>(address, true, pc, race::ATOMIC);
  if (in_arena(address)) race::note_atomic(reinterpret_cast<uintptr_t>(address));
}

}  // namespace emu

// ---- the callbacks

#define PC reinterpret_cast<uintptr_t>(__builtin_return_address(0))
#define HIDDEN __attribute__((visibility("hidden")))

#define SIZED(size)                                                                             \
  HIDDEN void __tsan_read##size(void* p) { emu::check<size>(p, false, PC); }                    \
  HIDDEN void __tsan_write##size(void* p) { emu::check<size>(p, true, PC); }                    \
  HIDDEN void __tsan_unaligned_read##size(void* p) { emu::check_each(p, size, false, PC); }     \
  HIDDEN void __tsan_unaligned_write##size(void* p) { emu::check_each(p, size, true, PC); }     \
  HIDDEN void __tsan_volatile_read##size(void* p) { emu::check<size>(p, false, PC); }           \
  HIDDEN void __tsan_volatile_write##size(void* p) { emu::check<size>(p, true, PC); }

extern "C" {
SIZED(1)
SIZED(2)
SIZED(4)
SIZED(8)
SIZED(16)

HIDDEN void __tsan_read_range(void* p, size_t bytes) { emu::check_each(p, bytes, false, PC); }
HIDDEN void __tsan_write_range(void* p, size_t bytes) { emu::check_each(p, bytes, true, PC); }
HIDDEN void __tsan_init() {}
HIDDEN void __tsan_func_entry(void*) {}
HIDDEN void __tsan_func_exit() {}
HIDDEN void __tsan_vptr_update(void*, void*) {}
HIDDEN void __tsan_vptr_read(void*) {}

// The guard of a static variable of a class type: shared variables are never constructed.
HIDDEN char __tsan_atomic8_load(const volatile char*, int) { return 1; }

// As the compiler lays them out.
struct UbsanPlace {
  const char* file;
  uint32_t line, column;
};
struct UbsanMismatch {
  UbsanPlace place;
  void* type;
  uint8_t log_alignment;
  uint8_t access;
};

HIDDEN void __ubsan_handle_type_mismatch_v1(const UbsanMismatch* data, uintptr_t address) {
  bool write = data->access == 1;  // load, store, ...
  emu::fail(716, {.defect = emu::Defect::MISALIGNED,
                  .write = write,
                  .address = address,
                  .bytes = size_t(1) << data->log_alignment,
                  .where = {data->place.file, int(data->place.line)}});
}

HIDDEN void __ubsan_handle_out_of_bounds(const UbsanPlace* place, long index) {
  emu::fail(700, {.defect = emu::Defect::ARRAY_INDEX,
                  .where = {place->file, int(place->line)},
                  .index = index});
}
}
