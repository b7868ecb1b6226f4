// brkmmap alone: what misuse ends with (abort after one clear line on standard error), and its own figures.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "allocators/tests/child.h"

using namespace heapmark::tests;

namespace {

void ends_with(const std::string& misuse, const std::string& words) {
  const Ended ended = run({build_folder() + "/misuse_child", misuse}, brkmmap_library());
  CAPTURE(misuse, ended.err);
  CHECK(ended.signal == SIGABRT);
  CHECK_THAT(ended.err, Catch::StartsWith("brkmmap: ") && Catch::Contains(words));
  CHECK(std::count(ended.err.begin(), ended.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("a double free ends the process, whatever the size") {
  for (const char* size : {"16", "1000", "16000", "50000", "300000"})
    ends_with(std::string("double-free ") + size, size == std::string("300000") ? "free" : "double free");
}

TEST_CASE("a double free with others in between is found when the block is next used") {
  for (const char* size : {"16", "100", "1000", "5000"})
    ends_with(std::string("double-free-later ") + size, "double free");
}

TEST_CASE("writing into a freed block is found when it is next used") {
  for (const char* size : {"16", "100", "1000", "5000"})
    ends_with(std::string("write-freed ") + size, "a free block was written to");
}

TEST_CASE("freeing what is no block ends the process") {
  ends_with("free-stack", "no block");
  ends_with("free-global", "no block");
  for (const char* size : {"1000", "50000", "300000"})
    ends_with(std::string("free-interior ") + size, "no block");
}

TEST_CASE("realloc of a freed block ends the process") {
  ends_with("realloc-freed 1000", "double free");
  ends_with("realloc-freed 50000", "free");
}

TEST_CASE("the equation of the statistics holds at quiet moments, and what is freed is given back") {
  const Ended ended = run({build_folder() + "/statistics_child"}, brkmmap_library());
  CAPTURE(ended.out, ended.err);
  CHECK(ended.exit_code == 0);
}
