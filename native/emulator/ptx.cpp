// Reads the parts of PTX that a launch depends on. Instructions are skipped, not checked.
#include "ptx.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace emu {
namespace {

// Words are runs of letters, digits and . _ $ %; every other character is a word of its own.
class Words {
 public:
  explicit Words(const std::string& text) : text_(text) {}

  // Empty at the end.
  std::string next() {
    skip();
    const size_t from = at_;
    while (at_ < text_.size() && in_word(text_[at_])) at_++;
    if (at_ == from && at_ < text_.size()) at_++;
    return text_.substr(from, at_ - from);
  }

 private:
  static bool in_word(char c) {
    return isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '$' || c == '%';
  }

  void skip() {
    while (at_ < text_.size()) {
      if (isspace(static_cast<unsigned char>(text_[at_]))) {
        at_++;
      } else if (text_.compare(at_, 2, "//") == 0) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_.compare(at_, 2, "/*") == 0) {
        const size_t end = text_.find("*/", at_);
        at_ = end == std::string::npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }

  const std::string& text_;
  size_t at_ = 0;
};

// .u64 is 8, .b8 is 1; 0 for a word that is no type.
size_t type_bytes(const std::string& word) {
  if (word.size() < 3 || word[0] != '.') return 0;
  const std::string kind = word.substr(1, word.find_first_of("0123456789") - 1);
  if (kind != "u" && kind != "s" && kind != "f" && kind != "b") return 0;
  return atoi(word.c_str() + 1 + kind.size()) / 8;
}

// Reads ".param .align 8 .b8 name[176], ..." after the opening bracket up to the closing one.
bool parse_parameters(Words& words, PtxEntry* entry) {
  size_t end = 0;
  for (std::string word = words.next(); word != ")";) {
    if (word != ".param") return false;
    size_t element = 0;
    size_t align = 0;
    size_t count = 1;
    for (word = words.next(); word != "," && word != ")"; word = words.next()) {
      if (word.empty()) return false;
      if (word == ".align") {
        align = atoi(words.next().c_str());
      } else if (word == ".ptr") {
        // What follows describes the memory pointed to; its alignment is not that of the parameter.
        const size_t kept = align;
        word = words.next();
        if (word == ".global" || word == ".const" || word == ".shared" || word == ".local") {
          word = words.next();
        }
        if (word == ".align") words.next();
        align = kept;
      } else if (word == "[") {
        count = atol(words.next().c_str());
      } else if (element == 0) {
        element = type_bytes(word);
      }
    }
    if (element == 0) return false;
    if (align == 0) align = element;
    const size_t offset = (end + align - 1) / align * align;
    entry->parameters.push_back({offset, element * count});
    end = offset + element * count;
    if (word == ",") word = words.next();
  }
  return true;
}

}  // namespace

bool parse(const std::string& text, Ptx* ptx, std::string* reason) {
  *ptx = Ptx{};
  Words words(text);
  int depth = 0;
  for (std::string word = words.next(); !word.empty(); word = words.next()) {
    if (word == ".version") {
      const std::string value = words.next();
      const size_t dot = value.find('.');
      ptx->version = atoi(value.c_str()) * 10 +
                     (dot == std::string::npos ? 0 : atoi(value.c_str() + dot + 1));
    } else if (word == ".target") {
      const std::string value = words.next();
      ptx->target = value.compare(0, 3, "sm_") == 0 ? atoi(value.c_str() + 3) : 0;
    } else if (word == ".entry") {
      PtxEntry entry{words.next(), {}, 0};
      std::string after = words.next();
      if (after == "(") {
        if (!parse_parameters(words, &entry)) {
          *reason = "the parameters of " + entry.name + " cannot be read";
          return false;
        }
        after = words.next();
      }
      for (; after != "{"; after = words.next()) {
        if (after.empty()) {
          *reason = entry.name + " has no body";
          return false;
        }
        if (after == ".maxntid" || after == ".reqntid") {
          entry.maximum_threads = atoi(words.next().c_str());
        } else if (after == "," && entry.maximum_threads > 0) {
          entry.maximum_threads *= atoi(words.next().c_str());
        }
      }
      depth++;
      ptx->entries.push_back(std::move(entry));
    } else if (word == "{") {
      depth++;
    } else if (word == "}") {
      depth--;
    }
    if (ptx->version == 0) {
      *reason = "the text does not begin with .version (a PTX module ends with a zero byte)";
      return false;
    }
  }
  if (depth != 0) {
    *reason = "the text is cut off";
    return false;
  }
  if (ptx->target == 0) {
    *reason = "there is no .target";
    return false;
  }
  return true;
}

}  // namespace emu
