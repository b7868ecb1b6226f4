// malloc's promises, one process a check: brkmmap must keep all of them, and so must glibc, which proves the
// checks. What other allocators make of them is conformance_table's.
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "allocators/tests/child.h"

using namespace heapmark::tests;

namespace {

constexpr int kNotThereExit = 77;  // see conformance_child.cc

// `but`: checks that the library does not pass by design.
void conforms(const std::string& library, const std::set<std::string>& but = {}) {
  const std::string child = build_folder() + "/conformance_child";
  std::istringstream names(run({child, "--list"}, "").out);
  int checked = 0;
  for (std::string name; std::getline(names, name); ++checked) {
    if (but.contains(name)) continue;
    const Ended ended = run({child, name}, library, {}, 90);
    CAPTURE(name, ended.out, ended.err, ended.signal, ended.timed_out);
    if (ended.exit_code != kNotThereExit) CHECK(ended.exit_code == 0);
  }
  CHECK(checked > 80);
}

}  // namespace

TEST_CASE("glibc keeps the promises of malloc") {
  conforms("");
}
TEST_CASE("brkmmap keeps the promises of malloc") {
  conforms(brkmmap_library());
}
TEST_CASE("the floor keeps them, but for what needs memory given back") {
  conforms(
      build_folder() + "/libheapmark-floor.so",
      {"mallopt_trim_and_info_are_there", "a_limit_of_address_space_refuses_and_is_recovered_from",
       "a_limit_of_data_refuses_and_is_recovered_from", "mallinfo2_counts_a_large_block",
       "malloc_trim_gives_freed_memory_back", "memory_that_all_threads_freed_serves_each_of_them",
       "what_reports_and_tunes_comes_with_malloc", "calloc_of_a_gigabyte_touches_no_pages_of_its_own",
       "the_library_can_be_loaded_late", "calloc_and_reallocarray_answer_rightly_around_every_power_of_two",
       "posix_memalign_sets_errno_where_memory_is_refused", "malloc_stats_is_no_cancellation_point",
       "perturb_fills_new_blocks_or_is_refused"});
}
TEST_CASE("brkmmap keeps them with thresholds at their least and caches off") {
  const std::string child = build_folder() + "/conformance_child";
  for (const char* name :
       {"random_steps_never_overlap", "random_steps_of_eight_threads_never_overlap",
        "realloc_keeps_contents_growing_and_shrinking", "foreign_sbrk_is_tolerated",
        "realloc_from_every_range_to_every_other_keeps_contents", "realloc_that_must_move_keeps_contents",
        "calloc_is_zero_in_every_size_after_a_purge",
        "usable_bytes_can_be_written_without_harming_neighbours", "mappings_used_up_are_recovered_from",
        "mappings_nearly_used_up_are_recovered_from", "four_threads_that_run_out_together_recover",
        "a_forked_child_frees_its_parents_blocks_and_starts_threads",
        "destructors_of_thread_keys_can_allocate_and_free"}) {
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

TEST_CASE("the table has a row a check, a column an allocator, and says what is done instead") {
  const std::string table = build_folder() + "/conformance_table",
                    check = "malloc_trim_gives_freed_memory_back",
                    floor = "floor=" + build_folder() + "/libheapmark-floor.so";
  const Ended ended = run({table, "--check", check, "--check", "calloc_is_zero_after_reuse", "--allocator",
                           "glibc", "--allocator", floor},
                          "");
  CAPTURE(ended.out, ended.err);
  CHECK(ended.exit_code == 0);
  CHECK(ended.out.find("| check | glibc | floor |\n| --- | --- | --- |\n") != std::string::npos);
  CHECK(ended.out.find("| malloc trim gives freed memory back | yes | no |\n") != std::string::npos);
  CHECK(ended.out.find("| calloc is zero after reuse | yes | yes |\n") != std::string::npos);
  CHECK(ended.out.find("| **kept** | 2 of 2 | 1 of 2 |\n") != std::string::npos);
  CHECK(ended.out.find("\n## What floor does instead\n- malloc trim gives freed memory back: not so") !=
        std::string::npos);
  CHECK(ended.out.find("What glibc does instead") == std::string::npos);
}

TEST_CASE("the table is refused where a check or a library is unknown") {
  const std::string table = build_folder() + "/conformance_table";
  CHECK(run({table, "--check", "no_such_check"}, "").exit_code == 2);
  CHECK(run({table, "--allocator", "none=/no/such/library.so"}, "").exit_code == 2);
  // A file that cannot be preloaded must not become a column of glibc's answers.
  const Ended ended =
      run({table, "--check", "calloc_is_zero_after_reuse", "--allocator", "text=/proc/self/maps"}, "");
  CHECK(ended.exit_code == 2);
  CHECK(ended.out.empty());
}
