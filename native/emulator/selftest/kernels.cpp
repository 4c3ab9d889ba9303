// Runs kernels with one defect each (broken.cu) and kernels without any (correct.cu) under every
// order of threads, and prints for each whether the test double reported what it should.
// Exit status 1 if a defect was missed or a finding was false.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "emu.h"

namespace emu {
// In the place of what ci/build-emulator generates.
extern const char* const modules[];
const char* const modules[] = {"selftest", nullptr};
}  // namespace emu

namespace {

constexpr int N = 900;

enum Arguments { OUT_IN_N, FREED, HOST, STRUCT_FREED, STRUCT_HOST, WALK };

// The kind of finding; "value" if some order gives a wrong result and nothing more is promised;
// "-" if nothing is.
struct Case {
  const char* kernel;
  const char* plain;
  const char* check;
  const char* twin = nullptr;  // gives the right result
  Arguments arguments = OUT_IN_N;
};

const Case BROKEN[] = {
    {"broken_read_beyond", "-", "out-of-bounds"},
    {"broken_read_far", "fault", "out-of-bounds"},
    {"broken_write_beyond", "slack", "out-of-bounds"},
    {"broken_write_before", "slack", "out-of-bounds"},
    {"broken_write_far", "fault", "out-of-bounds"},
    {"broken_uninitialised_device", "value", "uninitialised", "correct_copy"},
    {"broken_uninitialised_shared", "value", "uninitialised", "correct_shared"},
    {"broken_uninitialised_dynamic", "value", "uninitialised", "correct_shared"},
    {"broken_shared_of_another_block", "value", "uninitialised", "correct_copy"},
    {"broken_shared_index", "-", "array-index"},
    {"broken_dynamic_index", "-", "out-of-bounds"},
    {"broken_local_index", "-", "array-index"},
    {"broken_misaligned", "-", "misaligned"},
    {"broken_missing_barrier", "value", "race", "correct_reduction"},
    {"broken_missing_barrier_before_reuse", "value", "race", "correct_reuse"},
    {"broken_missing_syncwarp", "value", "race", "correct_warp_shared"},
    {"broken_shuffle_as_fence", "-", "race"},
    {"broken_blocks_write", "-", "race"},
    {"broken_blocks_read", "-", "race"},
    {"broken_count_without_atomic", "-", "race"},
    {"broken_bytes_write", "-", "race"},
    {"broken_last_block", "-", "race"},
    {"broken_barrier_diverges", "barrier", "barrier"},
    {"broken_barrier_after_return", "barrier", "barrier"},
    {"broken_barrier_in_two_branches", "barrier", "barrier"},
    {"broken_barrier_and_warp", "deadlock", "deadlock"},
    {"broken_shuffle_returned", "shuffle", "shuffle"},
    {"broken_shuffle_without_self", "warp", "warp"},
    {"broken_vote_meets_shuffle", "warp", "warp"},
    {"broken_spin", "watchdog", "watchdog"},
    {"broken_division", "division", "division"},
    {"broken_null", "fault", "out-of-bounds"},
    {"broken_deep_stack", "stack", "stack"},
    {"broken_trap", "trap", "trap"},
    {"correct_copy", "argument", "argument", nullptr, FREED},
    {"correct_copy", "argument", "argument", nullptr, HOST},
    {"broken_struct", "fault", "out-of-bounds", nullptr, STRUCT_FREED},
    {"broken_struct", "-", "out-of-bounds", nullptr, STRUCT_HOST},
};

const Case CORRECT[] = {
    {"correct_copy", "", ""},         {"correct_stride", "", ""},
    {"correct_shared", "", ""},       {"correct_dynamic", "", ""},
    {"correct_vectors", "", ""},      {"correct_reduction", "", ""},
    {"correct_reuse", "", ""},        {"correct_warp_shared", "", ""},
    {"correct_warp_broadcast", "", ""}, {"correct_half_warps", "", ""},
    {"correct_softmax", "", ""},      {"correct_votes", "", ""},
    {"correct_vote_of_the_rest", "", ""}, {"correct_histogram", "", ""},
    {"correct_bytes", "", ""},        {"correct_halves", "", ""},
    {"correct_halves_in_turn", "", ""}, {"correct_last_block", "", ""},
    {"correct_last_block_of_many", "", ""}, {"correct_fault", "", ""},
    {"correct_table", "", ""},        {"correct_math", "", ""},
    {"correct_transpose", "", ""},    {"correct_walk", "", "", nullptr, WALK},
};

struct Outcome {
  int result;
  std::vector<float> out;
  std::vector<std::string> findings;
};

std::string log_path;

std::vector<std::string> new_findings() {
  static std::streamoff read = 0;
  std::ifstream log(log_path);
  log.seekg(read);
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    read += std::streamoff(line.size()) + 1;
    lines.push_back(line);
  }
  return lines;
}

float* device_array(bool initialised, bool zero) {
  auto* array = static_cast<float*>(emu::allocate(0, N * sizeof(float), false));
  if (!initialised) return array;
  emu::writable(array, N * sizeof(float), "selftest");
  for (int i = 0; i < N; i++) array[i] = zero ? 0 : float((i * 7919) % 613) / 100 - 2;
  return array;
}

void put(std::vector<char>& blob, const void* value, size_t bytes) {
  auto* p = static_cast<const char*>(value);
  blob.resize((blob.size() + bytes - 1) / bytes * bytes);
  blob.insert(blob.end(), p, p + bytes);
}

const emu::Kernel* find(const Case& test) {
  return emu::find(std::string("selftest__") + test.kernel);
}

std::vector<char> arguments(const Case& test, const float* out, const float* in) {
  std::vector<char> blob;
  if (test.arguments == WALK) {
    // Walk<2> of common.cuh; only the members that correct_walk reads.
    long long numel = 890, size[2] = {89, 10}, stride = 10;
    blob.resize(find(test)->parameters[0].bytes);
    memcpy(&blob[0], &numel, 8);
    memcpy(&blob[16], size, 16);
    memcpy(&blob[16 + 64], &stride, 8);
    put(blob, &out, sizeof out);
    put(blob, &in, sizeof in);
    return blob;
  }
  int n = N;
  put(blob, &out, sizeof out);
  put(blob, &in, sizeof in);
  put(blob, &n, sizeof n);
  return blob;
}

Outcome run(const Case& test) {
  // The output starts initialised where a kernel counts in it.
  const std::string name = test.kernel;
  auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  bool counts = has("last_block") || has("histogram") || has("fault") || has("count_") ||
                has("blocks_read");
  float* out = device_array(counts, counts);
  float* in = device_array(true, false);
  std::vector<float> host(N);
  float* given = in;
  if (test.arguments == FREED || test.arguments == STRUCT_FREED) {
    given = device_array(true, false);
    emu::release(given, false);
  }
  if (test.arguments == HOST || test.arguments == STRUCT_HOST) given = host.data();
  emu::Launch launch = {find(test), {4, 1, 1}, {256, 1, 1}, 256 * sizeof(float),
                        arguments(test, out, given), 0};
  if (has("transpose")) {
    launch.grid[1] = 4;
    launch.block[0] = 32;
    launch.block[1] = 8;
  }
  if (!launch.kernel) {
    fprintf(stderr, "no kernel %s\n", test.kernel);
    exit(1);
  }
  Outcome outcome;
  outcome.result = emu::run(launch);
  outcome.out.assign(out, out + N);
  emu::release(out, false);
  emu::release(in, false);
  outcome.findings = new_findings();
  return outcome;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return memcmp(a.data(), b.data(), N * sizeof(float)) == 0;
}

const char* expected(const Case& test) { return emu::checking() ? test.check : test.plain; }

// One character: '+' as expected, '.' nothing seen, '!' something else.
char judge(const Case& test, bool verbose) {
  Outcome outcome = run(test);
  std::string kind = expected(test);
  if (verbose)
    for (const auto& line : outcome.findings) printf("    %s\n", line.c_str());
  if (kind == "") {
    bool good = outcome.findings.empty() && outcome.result == 0;
    if (good && strstr(test.kernel, "math"))
      for (float x : outcome.out) good &= x == x;
    return good ? '+' : '!';
  }
  if (kind == "value") {
    if (!outcome.findings.empty()) return '!';
    return same(outcome.out, run({test.twin, "", ""}).out) ? '.' : '+';
  }
  if (kind == "-") return '+';
  if (outcome.findings.empty()) return '.';
  bool named = false;
  for (const auto& line : outcome.findings) named |= line.starts_with(kind + ":");
  if (!named) return '!';
  bool sticky = kind != "race" && kind != "uninitialised" && kind != "slack";
  return sticky == (outcome.result != 0) ? '+' : '!';
}

std::vector<const Case*> cases() {
  std::vector<const Case*> all;
  for (const auto& test : BROKEN) all.push_back(&test);
  for (const auto& test : CORRECT) all.push_back(&test);
  return all;
}

// All cases in a process of their own, which reads the order once.
std::string run_all(const char* order, bool verbose) {
  int ends[2];
  if (pipe(ends) != 0) exit(1);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    setenv("DH_EMU_ORDER", order, 1);
    log_path = "/tmp/emulator-selftest." + std::to_string(getpid());
    setenv("DH_EMU_LOG", log_path.c_str(), 1);
    setenv("DH_EMU_WATCHDOG", "0.5", 1);
    for (const Case* test : cases()) {
      if (verbose) printf("  %s\n", test->kernel);
      char verdict = judge(*test, verbose);
      if (write(ends[1], &verdict, 1) != 1) _exit(1);
    }
    fflush(stdout);
    unlink(log_path.c_str());
    _exit(emu::live_allocations() == 0 ? 0 : 2);
  }
  close(ends[1]);
  std::string verdicts;
  for (char c; read(ends[0], &c, 1) == 1;) verdicts += c;
  close(ends[0]);
  int status;
  waitpid(child, &status, 0);
  if (status != 0) printf("order %s: process ended with status 0x%x\n", order, status);
  verdicts.resize(cases().size(), '!');
  return verdicts;
}

}  // namespace

int main(int count, char** words) {
  bool verbose = count > 1 && !strcmp(words[1], "--verbose");
  const char* orders[] = {"forward", "reverse", "random:1", "random:2"};
  std::vector<std::string> verdicts;
  for (const char* order : orders)
    verdicts.push_back(run_all(order, verbose && order == orders[0]));

  int bad = 0;
  printf("variant %s: forward, reverse, random:1, random:2\n", emu::checking() ? "check" : "plain");
  for (size_t i = 0; i < cases().size(); i++) {
    const Case& test = *cases()[i];
    std::string seen;
    for (const auto& order : verdicts) seen += order[i];
    std::string kind = expected(test);
    // Wrong values need only one order; all else must be seen in each.
    bool good = kind == "value" ? seen.find('+') != std::string::npos &&
                                      seen.find('!') == std::string::npos
                                : seen == "++++";
    bad += !good;
    const char* verdict = kind == ""    ? (good ? "clean" : "FALSE REPORT")
                          : kind == "-" ? "not promised"
                                        : (good ? "reported" : "MISSED");
    printf("  %-36s %-14s %s %s\n", test.kernel, kind.c_str(), seen.c_str(), verdict);
  }
  printf(bad ? "%d MISSED OR FALSE\n" : "all as expected\n", bad);
  return bad != 0;
}
