// Modules and functions of the driver test double. The PTX is read for its versions, entries and
// parameters only; the kernel that runs is the one compiled from the same source into this library.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "host.h"
#include "ptx.h"

namespace emu {
namespace {

std::string whole(const std::string& module, const PtxEntry& entry) {
  return module + "__" + entry.name;
}

// Empty if the compiled kernel takes what the PTX entry says, else what differs.
std::string difference(const PtxEntry& entry, const Kernel& kernel) {
  const auto& compiled = kernel.parameters;
  if (compiled.size() != entry.parameters.size()) {
    return entry.name + " has " + std::to_string(entry.parameters.size()) +
           " parameters in PTX and " + std::to_string(compiled.size()) + " in its source";
  }
  for (size_t i = 0; i < compiled.size(); i++) {
    if (compiled[i].bytes != entry.parameters[i].bytes ||
        compiled[i].offset != entry.parameters[i].offset) {
      return entry.name + ": parameter " + std::to_string(i) + " has " +
             std::to_string(entry.parameters[i].bytes) + " bytes at " +
             std::to_string(entry.parameters[i].offset) + " in PTX and " +
             std::to_string(compiled[i].bytes) + " at " + std::to_string(compiled[i].offset) +
             " in its source";
    }
  }
  return "";
}

// The name of the compiled module with all entries of the PTX and their parameters, or null and
// what is wrong with the nearest one.
const char* compiled_module(const Ptx& ptx, std::string* reason) {
  size_t nearest = 0;
  for (const char* const* module = modules; *module != nullptr; module++) {
    size_t agreeing = 0;
    std::string wrong;
    for (const PtxEntry& entry : ptx.entries) {
      const Kernel* kernel = find(whole(*module, entry));
      const std::string differs =
          kernel == nullptr ? entry.name + " is not in the test double (ci/build-emulator)"
                            : difference(entry, *kernel);
      agreeing += kernel != nullptr;
      if (wrong.empty()) wrong = differs;
    }
    if (wrong.empty()) return *module;
    if (agreeing > nearest || reason->empty()) {
      nearest = agreeing;
      *reason = wrong;
    }
  }
  if (reason->empty()) *reason = "the test double has no kernels";
  return nullptr;
}

CUresult load(CUcontext context, const char* image, CUmodule* module, std::string* log) {
  if (memcmp(image, "\177ELF", 4) == 0 || memcmp(image, "\x50\xed\x55\xba", 4) == 0) {
    *log = "the test double takes PTX only";
    return CUDA_ERROR_INVALID_IMAGE;
  }
  Ptx ptx;
  if (!parse(image, &ptx, log)) return CUDA_ERROR_INVALID_PTX;
  const int newest = version_setting("DH_EMU_PTX", 90);
  if (ptx.version > newest) {
    *log = "the PTX is of version " + std::to_string(ptx.version / 10) + "." +
           std::to_string(ptx.version % 10) + ", newer than the driver";
    return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  }
  if (ptx.target > version_setting("DH_EMU_CC", 90)) {
    *log = "the PTX is for sm_" + std::to_string(ptx.target) + ", newer than the device";
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  const char* compiled = compiled_module(ptx, log);
  if (compiled == nullptr) {
    finding("module", "%s", log->c_str());
    return CUDA_ERROR_INVALID_PTX;
  }
  log->clear();
  *module = Live<CUmod_st>::make(context);
  for (const PtxEntry& entry : ptx.entries) {
    const int threads = entry.maximum_threads > 0 ? entry.maximum_threads : THREADS_PER_BLOCK;
    (*module)->functions[entry.name] = Live<CUfunc_st>::make(
        *module, find(whole(compiled, entry)), threads, SHARED_PER_BLOCK);
  }
  return CUDA_SUCCESS;
}

// Writes the log to the buffer that the options name; the size option becomes what was written.
void give_log(const std::string& log, CUjit_option buffer_option, CUjit_option size_option,
              unsigned count, const CUjit_option* options, void** values) {
  char* buffer = nullptr;
  void** size = nullptr;
  for (unsigned i = 0; i < count; i++) {
    if (options[i] == buffer_option) buffer = static_cast<char*>(values[i]);
    if (options[i] == size_option) size = &values[i];
  }
  if (buffer == nullptr || size == nullptr) return;
  // The driver reads and writes an unsigned int where the pointer is.
  unsigned bytes = 0;
  memcpy(&bytes, size, sizeof bytes);
  if (bytes == 0) return;
  const unsigned length = std::min<unsigned>(log.size(), bytes - 1);
  memcpy(buffer, log.data(), length);
  buffer[length] = 0;
  memcpy(size, &length, sizeof length);
}

bool known(CUfunction function) { return Live<CUfunc_st>::find(function) != nullptr; }

int blocks_per_multiprocessor(CUfunction function, int threads, size_t shared) {
  if (threads <= 0 || threads > function->maximum_threads) return 0;
  const int by_threads = THREADS_PER_MULTIPROCESSOR / ((threads + 31) / 32 * 32);
  const size_t by_shared = SHARED_PER_MULTIPROCESSOR / (shared + 1024);
  return std::min({by_threads, BLOCKS_PER_MULTIPROCESSOR, static_cast<int>(by_shared)});
}

}  // namespace
}  // namespace emu

using namespace emu;

API cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned count, CUjit_option* options,
                       void** values) {
  BEGIN(UNSAFE);
  if (image == nullptr) return CUDA_ERROR_INVALID_VALUE;
  std::string log;
  CUresult error = load(call.context, static_cast<const char*>(image), module, &log);
  give_log(log, CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, count, options,
           values);
  give_log("", CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, count, options, values);
  return error;
}

API cuModuleLoadData(CUmodule* module, const void* image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

API cuModuleUnload(CUmodule module) {
  BEGIN(UNSAFE);
  if (!Live<CUmod_st>::find(module)) return CUDA_ERROR_INVALID_HANDLE;
  Live<CUfunc_st>::drop_if([=](const CUfunc_st& it) { return it.module == module; });
  Live<CUmod_st>::drop(module);
  return CUDA_SUCCESS;
}

API cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  BEGIN(CONTEXT);
  if (!Live<CUmod_st>::find(module)) return CUDA_ERROR_INVALID_HANDLE;
  auto found = module->functions.find(name);
  if (found == module->functions.end()) return CUDA_ERROR_NOT_FOUND;
  *function = found->second;
  return CUDA_SUCCESS;
}

// Our kernels keep no static device data.
API cuModuleGetGlobal_v2(CUdeviceptr*, size_t*, CUmodule module, const char*) {
  BEGIN(CONTEXT);
  return Live<CUmod_st>::find(module) ? CUDA_ERROR_NOT_FOUND : CUDA_ERROR_INVALID_HANDLE;
}

API cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  BEGIN(INITIALISED);
  *mode = CU_MODULE_EAGER_LOADING;
  return CUDA_SUCCESS;
}

API cuFuncGetModule(CUmodule* module, CUfunction function) {
  BEGIN(CONTEXT);
  if (!known(function)) return CUDA_ERROR_INVALID_HANDLE;
  *module = function->module;
  return CUDA_SUCCESS;
}

API cuFuncGetAttribute(int* value, CUfunction_attribute which, CUfunction function) {
  BEGIN(CONTEXT);
  if (!known(function)) return CUDA_ERROR_INVALID_HANDLE;
  const Kernel& kernel = *function->kernel;
  switch (which) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = function->maximum_threads; break;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      *value = static_cast<int>(kernel.shared_end - kernel.shared_begin);
      break;
    case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = 32; break;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION: *value = 75; break;
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION: *value = version_setting("DH_EMU_CC", 90); break;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = function->dynamic_shared; break;
    default: *value = 0;
  }
  return CUDA_SUCCESS;
}

API cuFuncSetAttribute(CUfunction function, CUfunction_attribute which, int value) {
  BEGIN(CONTEXT);
  if (!known(function)) return CUDA_ERROR_INVALID_HANDLE;
  if (which == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
    if (value < 0 || value > SHARED_PER_BLOCK_OPT_IN) return CUDA_ERROR_INVALID_VALUE;
    function->dynamic_shared = value;
  } else if (which != CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

API cuFuncSetCacheConfig(CUfunction function, CUfunc_cache) {
  BEGIN(CONTEXT);
  return known(function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int threads,
                                                size_t shared) {
  BEGIN(CONTEXT);
  if (!known(function)) return CUDA_ERROR_INVALID_HANDLE;
  *blocks = blocks_per_multiprocessor(function, threads, shared);
  return CUDA_SUCCESS;
}

API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function,
                                                         int threads, size_t shared, unsigned) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, shared);
}

API cuOccupancyMaxPotentialBlockSize(int* grid, int* threads, CUfunction function,
                                     CUoccupancyB2DSize shared_of, size_t shared, int limit) {
  BEGIN(CONTEXT);
  if (!known(function)) return CUDA_ERROR_INVALID_HANDLE;
  *threads = limit > 0 ? std::min(limit, function->maximum_threads) : function->maximum_threads;
  if (shared_of != nullptr) shared = shared_of(*threads);
  *grid = MULTIPROCESSORS * blocks_per_multiprocessor(function, *threads, shared);
  return CUDA_SUCCESS;
}
