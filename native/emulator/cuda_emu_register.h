// Registration of kernels (part of cuda_emu.h): what a launch must know of an entry, taken from its
// type, and where the shared variables of this translation unit lie.
#pragma once

// Shared variables are the unit's only .bss: from the start of the section to a label in its last
// subsection.
__asm__(
    ".pushsection .bss, 8000\n"
    "emu_bss_end:\n"
    ".popsection\n"
    ".pushsection .data.rel.local, \"aw\"\n"
    ".balign 8\n"
    "emu_bss_range: .quad .bss, emu_bss_end\n"
    ".popsection\n");
extern char* const emu_bss_range[2] EMU_VARIABLE("emu_bss_range");

#ifdef __SANITIZE_THREAD__
constexpr bool emu_checked = true;
#else
constexpr bool emu_checked = false;
#endif

template <auto Function>
struct EmuKernel;

template <typename... Arguments, void (*Function)(Arguments...)>
struct EmuKernel<Function> {
  static constexpr size_t count = sizeof...(Arguments);

  struct Parameters {
    emu::Parameter each[count + 1];
  };

  static constexpr Parameters layout() {
    Parameters result{};
    size_t offset = 0;
    size_t next = 0;
    auto place = [&](size_t bytes, size_t alignment, bool pointer) {
      offset = (offset + alignment - 1) / alignment * alignment;
      result.each[next++] = {offset, bytes, pointer};
      offset += bytes;
    };
    (place(sizeof(Arguments), alignof(Arguments), std::is_pointer_v<Arguments>), ...);
    return result;
  }

  static constexpr Parameters parameters = layout();

  template <size_t... Index>
  EMU_UNSEEN static void call(const char* arguments, std::index_sequence<Index...>) {
    Function(*reinterpret_cast<const Arguments*>(arguments + parameters.each[Index].offset)...);
  }

  EMU_UNSEEN static void call(const char* arguments) {
    call(arguments, std::make_index_sequence<count>());
  }
};

#define EMU_REGISTER(entry)                                                                  \
  __attribute__((constructor)) static void emu_register_##entry() {                          \
    using Kernel = EmuKernel<&entry>;                                                        \
    emu::add(#entry, Kernel::call, Kernel::parameters.each, Kernel::count,                   \
             {emu_bss_range[0], emu_bss_range[1], emu_checked});                             \
  }
