// What the driver test double reads in a PTX module: versions, entries and their parameters.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace emu {

struct PtxParameter {
  size_t offset;
  size_t bytes;
};

struct PtxEntry {
  std::string name;
  std::vector<PtxParameter> parameters;
  int maximum_threads;  // of .maxntid or .reqntid, else 0
};

struct Ptx {
  int version;  // 80 is 8.0
  int target;   // 75 is sm_75
  std::vector<PtxEntry> entries;
};

// False, with the reason, for a text that is no complete PTX module.
bool parse(const std::string& text, Ptx* ptx, std::string* reason);

}  // namespace emu
