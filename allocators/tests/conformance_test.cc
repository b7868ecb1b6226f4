// malloc's promises, one process a check: brkmmap must keep all of them, and so must glibc, which proves the
// checks.
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "allocators/tests/child.h"

using namespace heapmark::tests;

namespace {

// `but`: checks that the library does not pass by design.
void conforms(const std::string& library, const std::set<std::string>& but = {}) {
  const std::string child = build_folder() + "/conformance_child";
  std::istringstream names(run({child, "--list"}, "").out);
  int checked = 0;
  for (std::string name; std::getline(names, name); ++checked) {
    if (but.contains(name)) continue;
    const Ended ended = run({child, name}, library, {}, 90);
    CAPTURE(name, ended.out, ended.err, ended.signal, ended.timed_out);
    CHECK(ended.exit_code == 0);
  }
  CHECK(checked > 15);
}

}  // namespace

TEST_CASE("glibc keeps the promises of malloc") {
  conforms("");
}
TEST_CASE("brkmmap keeps the promises of malloc") {
  conforms(brkmmap_library());
}
TEST_CASE("the floor keeps them, but for what needs memory given back") {
  conforms(build_folder() + "/libheapmark-floor.so",
           {"mallopt_trim_and_info_are_there", "a_limit_of_address_space_refuses_and_is_recovered_from",
            "a_limit_of_data_refuses_and_is_recovered_from"});
}
TEST_CASE("brkmmap keeps them with thresholds at their least and caches off") {
  const std::string child = build_folder() + "/conformance_child";
  for (const char* name : {"random_steps_never_overlap", "random_steps_of_eight_threads_never_overlap",
                           "realloc_keeps_contents_growing_and_shrinking", "foreign_sbrk_is_tolerated"}) {
    const Ended ended = run({child, name}, brkmmap_library(),
                            {{"BRKMMAP_MMAP_THRESHOLD", "4K"},
                             {"BRKMMAP_TRIM_THRESHOLD", "4K"},
                             {"BRKMMAP_TOP_PAD", "0"},
                             {"BRKMMAP_PURGE_THRESHOLD", "4K"},
                             {"BRKMMAP_RELEASE_THRESHOLD", "4K"},
                             {"BRKMMAP_THREAD_CACHE", "0"}},
                            90);
    CAPTURE(name, ended.out, ended.err, ended.signal, ended.timed_out);
    CHECK(ended.exit_code == 0);
  }
}
