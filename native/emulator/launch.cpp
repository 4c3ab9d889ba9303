// Launches of the driver test double: sizes are checked and arguments copied at the call, as the
// driver does; run.cpp checks and runs the rest when the stream gets there.
#include <cstring>

#include "host.h"

namespace emu {
namespace {

bool sizes_allowed(const CUfunc_st& function, const Launch& launch) {
  const unsigned* grid = launch.grid;
  const unsigned* block = launch.block;
  for (int i = 0; i < 3; i++) {
    if (grid[i] == 0 || block[i] == 0) return false;
  }
  return grid[0] <= 0x7fffffffu && grid[1] <= 65535 && grid[2] <= 65535 && block[0] <= 1024 &&
         block[1] <= 1024 && block[2] <= 64 &&
         size_t(block[0]) * block[1] * block[2] <= size_t(function.maximum_threads) &&
         launch.shared <= unsigned(function.dynamic_shared);
}

// The arguments as one block, from a pointer to each of them.
void gather(const Kernel& kernel, void** each, char* arguments) {
  for (size_t i = 0; i < kernel.parameters.size(); i++) {
    memcpy(arguments + kernel.parameters[i].offset, each[i], kernel.parameters[i].bytes);
  }
}

// The same from the list CU_LAUNCH_PARAM_BUFFER_POINTER, .., CU_LAUNCH_PARAM_BUFFER_SIZE, ..,
// CU_LAUNCH_PARAM_END. The size may be that of the block or that rounded up to 8 or 16.
bool unpack(const Kernel& kernel, void** extra, char* arguments) {
  const void* buffer = nullptr;
  size_t size = 0;
  for (; *extra != CU_LAUNCH_PARAM_END; extra += 2) {
    if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER) {
      buffer = extra[1];
    } else if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE) {
      size = *static_cast<size_t*>(extra[1]);
    } else {
      return false;
    }
  }
  const size_t bytes = kernel.bytes;
  if (size != bytes && size != (bytes + 7) / 8 * 8 && size != (bytes + 15) / 16 * 16) {
    finding("launch", "%s: %zu bytes of arguments, not %zu", kernel.name, size, bytes);
    return false;
  }
  if (bytes != 0) {
    if (buffer == nullptr) return false;
    memcpy(arguments, buffer, bytes);
  }
  return true;
}

}  // namespace
}  // namespace emu

using namespace emu;

API cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                   unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                   CUstream handle, void** each, void** extra) {
  BEGIN(CONTEXT);
  CUstream stream = resolve(handle, call.context);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  std::shared_ptr<CUfunc_st> kept = Live<CUfunc_st>::find(function);
  if (!kept || kept->module->context != call.context) {
    finding("launch", "%p is no live function of the current context",
            static_cast<void*>(function));
    return CUDA_ERROR_INVALID_HANDLE;
  }
  const Kernel& kernel = *kept->kernel;
  Launch launch{&kernel,
                {grid_x, grid_y, grid_z},
                {block_x, block_y, block_z},
                shared,
                std::vector<char>(kernel.bytes),
                call.context->device};
  if (!sizes_allowed(*kept, launch)) {
    finding("launch", "%s: a grid of %u x %u x %u blocks of %u x %u x %u threads, %u shared bytes",
            kernel.name, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared);
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (each != nullptr && extra != nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (extra != nullptr) {
    if (!unpack(kernel, extra, launch.arguments.data())) return CUDA_ERROR_INVALID_VALUE;
  } else if (!kernel.parameters.empty()) {
    if (each == nullptr) return CUDA_ERROR_INVALID_VALUE;
    gather(kernel, each, launch.arguments.data());
  }
  Task task{kernel.name, {}, CU_GRAPH_NODE_TYPE_KERNEL, &kernel};
  task.work = [kept = std::weak_ptr<CUfunc_st>(kept), launch = std::move(launch)] {
    if (kept.expired()) {
      finding("launch", "%s: its module was unloaded before it ran", launch.kernel->name);
      return int(CUDA_ERROR_ILLEGAL_ADDRESS);
    }
    return run(launch);
  };
  return submit(stream, std::move(task));
}
