// The kernels of this library.
#include <map>
#include <vector>

#include "device.h"
#include "emu.h"

namespace emu {
namespace {

struct Registry {
  std::map<std::string, Kernel> kernels;
  bool checked = false;
};

// Filled by the constructors of the kernels' translation units, in any order.
Registry& registry() {
  static Registry* registry = new Registry;
  return *registry;
}

}  // namespace

void add(const Kernel& kernel) {
  registry().checked |= kernel.checked;
  if (!registry().kernels.emplace(kernel.name, kernel).second)
    finding("registration", "two kernels are called %s", kernel.name);
}

void add(const char* name, void (*call)(const char*), const Parameter* parameters, size_t count,
         const Unit& unit) {
  Kernel kernel = {name, call, {parameters, parameters + count}, 0, unit.shared_begin,
                   unit.shared_end, unit.checked};
  if (count) kernel.bytes = parameters[count - 1].offset + parameters[count - 1].bytes;
  add(kernel);
}

const Kernel* find(const std::string& name) {
  auto entry = registry().kernels.find(name);
  return entry == registry().kernels.end() ? nullptr : &entry->second;
}

bool checking() {
  static const bool checked = registry().checked;
  return checked;
}

}  // namespace emu
