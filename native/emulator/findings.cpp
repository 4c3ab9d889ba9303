// The log of findings, and names for places in kernels.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "emu.h"
#include "report.h"

namespace emu {
namespace {

std::atomic<long> count;

std::string base_name(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

// The lines "file:line" of the code at an address in a loaded object, innermost inlined call first.
std::string source_lines(const char* object, uintptr_t offset) {
  char command[4096];
  snprintf(command, sizeof command, "addr2line -i -s -e '%s' 0x%zx 2>/dev/null", object, offset);
  FILE* pipe = popen(command, "r");
  if (!pipe) return "";
  std::string lines;
  char line[512];
  while (fgets(line, sizeof line, pipe)) {
    line[strcspn(line, "\n")] = 0;
    if (char* note = strstr(line, " (discriminator")) *note = 0;
    if (line[0] == '?' || strstr(line, "cuda_emu")) continue;
    lines += lines.empty() ? line : std::string(", inlined at ") + line;
  }
  pclose(pipe);
  return lines;
}

}  // namespace

void finding(const char* kind, const char* format, ...) {
  char text[2048];
  va_list arguments;
  va_start(arguments, format);
  int length = snprintf(text, sizeof text, "%s: ", kind);
  vsnprintf(text + length, sizeof text - length - 1, format, arguments);
  va_end(arguments);
  strcat(text, "\n");
  count++;
  const char* log = getenv("DH_EMU_LOG");
  int file = log && *log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
  // One write, so that the lines of several processes stay whole.
  [[maybe_unused]] ssize_t written = write(file >= 0 ? file : 2, text, strlen(text));
  if (file >= 0) close(file);
}

long findings() { return count; }

std::string place(uintptr_t pc) {
  Dl_info info;
  if (!pc || !dladdr(reinterpret_cast<void*>(pc), &info)) return "?";
  // Executables at a fixed address do not occur: everything here is position independent.
  uintptr_t offset = pc - uintptr_t(info.dli_fbase);
  std::string lines = source_lines(info.dli_fname, offset);
  if (!lines.empty()) return lines;
  char text[512];
  if (info.dli_sname)
    snprintf(text, sizeof text, "%s+0x%zx", info.dli_sname, pc - uintptr_t(info.dli_saddr));
  else
    snprintf(text, sizeof text, "%s+0x%zx", base_name(info.dli_fname).c_str(), offset);
  return text;
}

std::string place(const char* file, int line) {
  if (!file) return "?";
  return base_name(file) + ":" + std::to_string(line);
}

}  // namespace emu
