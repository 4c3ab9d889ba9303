// What a test can ask about the program under test: emuCounter("launches") and so on.
#include <set>

#include "host.h"

namespace emu {
namespace {

struct Counters {
  long long launches, graph_launches, copies_to_host, bytes_to_host, large_copies_to_host, mallocs;
  std::set<const Kernel*> kernels;
};

Counters& counters() {
  static auto* all = new Counters();
  return *all;
}

}  // namespace

void count(const Task& task) {
  Counters& all = counters();
  if (task.kernel != nullptr) {
    all.launches++;
    all.kernels.insert(task.kernel);
  }
  if (task.to_host) {
    all.copies_to_host++;
    all.bytes_to_host += task.bytes;
    all.large_copies_to_host += task.bytes > 64;
  }
}

void count_allocation() { counters().mallocs++; }

void count_graph_launch() { counters().graph_launches++; }

}  // namespace emu

// -1 for a name that is not known. Work counts when it is given to a stream, and that of a graph
// at each of its launches.
extern "C" long long emuCounter(const char* name) {
  using namespace emu;
  Call call(__func__, 0);
  const Counters& all = counters();
  const std::string wanted(name);
  if (wanted == "launches") return all.launches;
  if (wanted == "graph_launches") return all.graph_launches;
  if (wanted == "kernels") return all.kernels.size();
  if (wanted == "copies_to_host") return all.copies_to_host;
  if (wanted == "bytes_to_host") return all.bytes_to_host;
  if (wanted == "large_copies_to_host") return all.large_copies_to_host;
  if (wanted == "mallocs") return all.mallocs;
  if (wanted == "live_allocations") return live_allocations();
  if (wanted == "findings") return findings();
  if (wanted == "live_bytes") {
    long long bytes = 0;
    for (int device = 0; device < device_count(); device++) {
      bytes += live_bytes(device);
    }
    return bytes;
  }
  return -1;
}
