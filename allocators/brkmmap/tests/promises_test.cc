// What brkmmap promises beyond the standards, in processes that run on it: what stays of freed memory, how
// much more is resident than was asked for, and how many pages must be faulted in. Memory and counts only; no
// times. The cases tagged [.long] run by ctest -C long.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "allocators/tests/child.h"

using namespace heapmark::tests;

namespace {

void keeps(const std::string& program, const std::string& what, const std::string& number,
           const std::string& most = "") {
  std::vector<std::string> command = {build_folder() + "/" + program, what, number};
  if (!most.empty()) command.push_back(most);
  const Ended ended = run(command, brkmmap_library(), {}, 60);
  CAPTURE(program, what, number, ended.out, ended.err, ended.signal, ended.timed_out);
  CHECK(ended.exit_code == 0);
}

void returns_after(const std::string& scenario, int from, int to) {
  for (int rounds = from; rounds <= to; ++rounds) keeps("returns_child", scenario, std::to_string(rounds));
}

double resident_bytes_of_threads(const std::string& library, int threads) {
  const Ended ended =
      run({build_folder() + "/footprint_child", "threads", std::to_string(threads)}, library, {}, 120);
  CAPTURE(library, threads, ended.out, ended.err, ended.signal, ended.timed_out);
  REQUIRE(ended.exit_code == 0);
  return std::stod(ended.out);
}

// Two sets of pages of the same program: no times, so a comparison is fair.
void threads_cost_little_more_than_glibcs(int threads) {
  const double glibc = resident_bytes_of_threads("", threads);
  const double brkmmap = resident_bytes_of_threads(brkmmap_library(), threads);
  CAPTURE(threads, glibc, brkmmap);
  CHECK(brkmmap <= 1.2 * glibc);
}

}  // namespace

TEST_CASE("80 MiB of pages, filled and freed again and again, are given back") {
  returns_after("pages", 1, 8);
}

TEST_CASE("300 MiB of blocks of 1 to 128 KiB, filled and freed again and again, are given back") {
  returns_after("mixed", 1, 5);
}

TEST_CASE("80 MiB of page-aligned blocks, filled and freed again and again, are given back") {
  returns_after("aligned", 1, 6);
}

TEST_CASE("buffers that grew to 4 MiB are given back") {
  for (const int rounds : {1, 3, 10, 50}) returns_after("grown", rounds, rounds);
}

TEST_CASE("image tiles of eight threads are given back when the threads end") {
  returns_after("tiles_ended", 3, 3);
  returns_after("tiles_ended", 6, 6);
}

TEST_CASE("image tiles of eight threads are given back while the threads go on") {
  returns_after("tiles_alive", 3, 3);
  returns_after("tiles_alive", 6, 6);
}

TEST_CASE("a buffer grown to 4 MiB again and again stands on pages that were there") {
  keeps("returns_child", "faults_of_growth", "300", "30000");
}

TEST_CASE("a heap of one size takes at most 1.13 times its objects, whatever the size") {
  keeps("footprint_child", "sizes", "1130");
}

TEST_CASE("200 threads with few blocks each cost at most 1.2 times what they cost glibc") {
  threads_cost_little_more_than_glibcs(200);
}

TEST_CASE("2,000 and 8,000 threads cost at most 1.2 times what they cost glibc", "[.long]") {
  threads_cost_little_more_than_glibcs(2000);
  threads_cost_little_more_than_glibcs(8000);
}
