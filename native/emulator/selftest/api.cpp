// Mistakes in the use of the driver API, each in a process of its own, and a correct program of
// which nothing must be reported. Exit status 1 if one was missed.
#include <cuda.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace emu {
// In the place of what ci/build-emulator generates.
extern const char* const modules[];
const char* const modules[] = {"selftest", nullptr};
}  // namespace emu

namespace {

constexpr int N = 900;
constexpr size_t BYTES = N * sizeof(float);

const char PTX[] =
    ".version 8.0\n.target sm_75\n.address_size 64\n"
    ".visible .entry correct_copy(\n"
    "  .param .u64 out,\n  .param .u64 in,\n  .param .u32 n\n)\n{\n  ret;\n}\n";
const char STALE_PTX[] =
    ".version 8.0\n.target sm_75\n.address_size 64\n"
    ".visible .entry correct_copy(\n"
    "  .param .u64 out,\n  .param .u64 in,\n  .param .u64 n\n)\n{\n  ret;\n}\n";

// The setting in which every mistake is made.
struct Program {
  CUcontext context;
  CUstream stream;
  CUmodule module;
  CUfunction copy;
  CUdeviceptr in, out;
  float* host;  // pinned

  void good(CUresult result, const char* what) {
    if (result == CUDA_SUCCESS) return;
    printf("    %s: %d\n", what, int(result));
    _exit(3);
  }

#define GOOD(call) good(call, #call)
  Program() {
    CUdevice device;
    GOOD(cuInit(0));
    GOOD(cuDeviceGet(&device, 0));
    GOOD(cuDevicePrimaryCtxRetain(&context, device));
    GOOD(cuCtxSetCurrent(context));
    GOOD(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    GOOD(cuModuleLoadData(&module, PTX));
    GOOD(cuModuleGetFunction(&copy, module, "correct_copy"));
    GOOD(cuMemAlloc(&in, BYTES));
    GOOD(cuMemAlloc(&out, BYTES));
    GOOD(cuMemAllocHost(reinterpret_cast<void**>(&host), BYTES));
    for (int i = 0; i < N; i++) host[i] = float(i);
    GOOD(cuMemcpyHtoDAsync(in, host, BYTES, stream));
    GOOD(cuStreamSynchronize(stream));
    memset(host, 0, BYTES);
  }

  CUresult launch(CUdeviceptr to, CUdeviceptr from, unsigned threads = 256) {
    int n = N;
    void* arguments[] = {&to, &from, &n};
    return cuLaunchKernel(copy, 4, 1, 1, threads, 1, 1, 0, stream, arguments, nullptr);
  }

  void close() {
    GOOD(cuMemFree(in));
    GOOD(cuMemFree(out));
    GOOD(cuMemFreeHost(host));
    GOOD(cuModuleUnload(module));
    GOOD(cuStreamDestroy(stream));
    GOOD(cuDevicePrimaryCtxRelease(0));
  }
};

struct Mistake {
  const char* name;
  const char* kind;         // of the finding; "" for none
  bool (*make)(Program&);   // false if the status of a call was not as it should be
};

const Mistake MISTAKES[] = {
    {"correct program", "",
     [](Program& p) {
       p.GOOD(p.launch(p.out, p.in));
       p.GOOD(cuMemcpyDtoHAsync(p.host, p.out, BYTES, p.stream));
       p.GOOD(cuStreamSynchronize(p.stream));
       bool right = true;
       for (int i = 0; i < N; i++) right &= p.host[i] == float(i);
       p.close();
       return right;
     }},
    {"correct capture", "",
     [](Program& p) {
       CUgraph graph;
       CUgraphExec ready;
       p.GOOD(cuStreamBeginCapture(p.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
       p.GOOD(p.launch(p.out, p.in));
       p.GOOD(cuMemcpyDtoHAsync(p.host, p.out, BYTES, p.stream));
       p.GOOD(cuStreamEndCapture(p.stream, &graph));
       p.GOOD(cuGraphInstantiateWithFlags(&ready, graph, 0));
       for (int i = 0; i < 2; i++) p.GOOD(cuGraphLaunch(ready, p.stream));
       p.GOOD(cuStreamSynchronize(p.stream));
       bool right = p.host[N - 1] == float(N - 1);
       p.GOOD(cuGraphExecDestroy(ready));
       p.GOOD(cuGraphDestroy(graph));
       p.close();
       return right;
     }},
    {"double free", "double-free",
     [](Program& p) {
       p.GOOD(cuMemFree(p.in));
       return cuMemFree(p.in) != CUDA_SUCCESS;
     }},
    {"leak", "leak",
     [](Program& p) {
       p.GOOD(cuDevicePrimaryCtxRelease(0));
       return true;
     }},
    {"allocation while capturing", "capture",
     [](Program& p) {
       CUdeviceptr more;
       p.GOOD(cuStreamBeginCapture(p.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
       return cuMemAlloc(&more, BYTES) != CUDA_SUCCESS;
     }},
    {"waiting while capturing", "capture",
     [](Program& p) {
       p.GOOD(cuStreamBeginCapture(p.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
       return cuStreamSynchronize(p.stream) != CUDA_SUCCESS;
     }},
    {"block of 2048 threads", "launch",
     [](Program& p) { return p.launch(p.out, p.in, 2048) == CUDA_ERROR_INVALID_VALUE; }},
    {"stale PTX", "module",
     [](Program&) {
       CUmodule module;
       return cuModuleLoadData(&module, STALE_PTX) != CUDA_SUCCESS;
     }},
    {"host pointer in a kernel", "argument",
     [](Program& p) {
       std::vector<float> host(N);
       p.launch(p.out, CUdeviceptr(host.data()));
       return cuStreamSynchronize(p.stream) == CUDA_ERROR_ILLEGAL_ADDRESS;
     }},
    {"memory freed before a graph runs", "argument",
     [](Program& p) {
       CUgraph graph;
       CUgraphExec ready;
       p.GOOD(cuStreamBeginCapture(p.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
       p.GOOD(p.launch(p.out, p.in));
       p.GOOD(cuStreamEndCapture(p.stream, &graph));
       p.GOOD(cuGraphInstantiateWithFlags(&ready, graph, 0));
       p.GOOD(cuMemFree(p.in));
       cuGraphLaunch(ready, p.stream);
       return cuStreamSynchronize(p.stream) == CUDA_ERROR_ILLEGAL_ADDRESS;
     }},
    {"copy beyond the end", "range",
     [](Program& p) {
       return cuMemcpyDtoH(p.host, p.in + 4, BYTES) != CUDA_SUCCESS;
     }},
    {"forgotten synchronisation", "",
     [](Program& p) {
       p.GOOD(p.launch(p.out, p.in));
       p.GOOD(cuMemcpyDtoHAsync(p.host, p.out, BYTES, p.stream));
       bool stale = p.host[N - 1] == 0;
       p.GOOD(cuStreamSynchronize(p.stream));
       p.close();
       return stale;
     }},
};

// '+' reported, '.' missed, '!' something else.
char run(const Mistake& mistake, bool verbose) {
  std::string path = "/tmp/emulator-selftest-api." + std::to_string(getpid());
  unlink(path.c_str());
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    setenv("DH_EMU_LOG", path.c_str(), 1);
    setenv("DH_EMU_DEFER", "1", 1);
    Program program;
    exit(mistake.make(program) ? 0 : 1);
  }
  int status;
  waitpid(child, &status, 0);
  std::ifstream log(path);
  std::string kind = mistake.kind;
  bool named = false, any = false;
  for (std::string line; std::getline(log, line);) {
    if (verbose) printf("    %s\n", line.c_str());
    any = true;
    named |= line.starts_with(kind + ":");
  }
  unlink(path.c_str());
  if (verbose && status) printf("    status 0x%x\n", status);
  if (status != 0) return '!';
  if (kind == "") return any ? '!' : '+';
  return named ? '+' : '.';
}

}  // namespace

int main(int count, char** words) {
  bool verbose = count > 1 && !strcmp(words[1], "--verbose");
  int bad = 0;
  printf("driver API\n");
  for (const Mistake& mistake : MISTAKES) {
    char seen = run(mistake, verbose);
    bad += seen != '+';
    printf("  %-36s %-14s %c    %s\n", mistake.name, mistake.kind, seen,
           seen != '+' ? "MISSED OR FALSE" : mistake.kind[0] ? "reported" : "as expected");
  }
  return bad != 0;
}
