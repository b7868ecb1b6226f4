// Runs one conformance check by name, or lists them all.   conformance_child --list | NAME
// Exits 0 where it holds, 1 with a line on standard output where not, and 77 where there is nothing to check:
// the check's answer then begins with "not there: ".
#include <cstdio>

#include "allocators/tests/check.h"

namespace heapmark::conformance {
namespace {

struct Entry {
  const char* name;
  Check check;
};
Entry entries[128];
std::size_t count = 0;

}  // namespace

void add_check(const char* name, Check check) {
  if (count == sizeof entries / sizeof *entries) std::abort();  // more checks than rows: enlarge it
  entries[count++] = {name, check};
}

}  // namespace heapmark::conformance

int main(int argc, char** argv) {
  using namespace heapmark::conformance;
  if (argc != 2) return 2;
  for (std::size_t at = 0; at < count; ++at) {
    if (std::strcmp(argv[1], "--list") == 0) {
      std::puts(entries[at].name);
      continue;
    }
    if (std::strcmp(argv[1], entries[at].name) != 0) continue;
    const std::string wrong = entries[at].check();
    if (!wrong.empty()) std::puts(wrong.c_str());
    if (wrong.starts_with("not there: ")) return 77;
    return wrong.empty() ? 0 : 1;
  }
  return std::strcmp(argv[1], "--list") == 0 ? 0 : 2;
}
