#include <catch2/catch.hpp>
#include <cmath>

#include "harness/view/progress.h"
#include "harness/view/quantity.h"
#include "harness/view/text_table.h"

using namespace heapmark;
using namespace heapmark::view;
using Catch::Contains;

TEST_CASE("quantities carry three digits and the unit people expect") {
  CHECK(quantity(0, "bytes") == "0 B");
  CHECK(quantity(1536, "bytes") == "1.50 KiB");
  CHECK(quantity(300.0 * 1024, "bytes") == "300 KiB");
  CHECK(quantity(-300.0 * 1024, "bytes") == "-300 KiB");
  CHECK(quantity(1048575, "bytes") == "1.00 MiB");  // no "1024 KiB"
  CHECK(quantity(105.4, "ns") == "105 ns");
  CHECK(quantity(2500, "ns") == "2.50 µs");
  CHECK(quantity(1234567, "count") == "1.23 M");
  CHECK(quantity(12345, "count") == "12,345");
  CHECK(quantity(1.0789, "ratio") == "1.08");
  CHECK(quantity(9.5e6, "1/s") == "9.50 M/s");
  CHECK(quantity(std::nan(""), "bytes") == "not measured");
}

TEST_CASE("durations are told as people say them") {
  CHECK(duration(0.2) == "under a second");
  CHECK(duration(59.4) == "59s");
  CHECK(duration(100) == "1m 40s");
  CHECK(duration(3725) == "1h 02m");
}

TEST_CASE("a table too wide for the terminal goes on below under its first column") {
  const TextTable table{"T", {"name", "first", "second"}, {{{"a"}, {"111111"}, {"222222"}}}, {}};
  CHECK(for_terminal(table, 100, false) == "T\n  name   first  second\n  a     111111  222222\n");
  CHECK(for_terminal(table, 16, false) ==
        "T\n  name   first\n  a     111111\n\n  name  second\n  a     222222\n");
}

TEST_CASE("columns line up where letters take more than one byte") {
  CHECK(display_width("2 µs ✗") == 6);
  const TextTable table{"T", {"n", "v"}, {{{"µ"}, {"1"}}, {{"m"}, {"2"}}}, {}};
  CHECK(for_terminal(table, 80, false) == "T\n  n  v\n  µ  1\n  m  2\n");
}

TEST_CASE("colour is an extra: without it no escape sequence is written") {
  const TextTable table{"T", {"n", "v"}, {{{"a"}, {"1", Tone::kBad}}}, {}};
  CHECK(for_terminal(table, 80, false).find('\033') == std::string::npos);
  CHECK_THAT(for_terminal(table, 80, true), Contains("\033[31m1\033[0m"));
}

TEST_CASE("markdown escapes what would break a row") {
  const TextTable table{"T", {"n", "v"}, {{{"a|b"}, {"1"}}}, {"note"}};
  CHECK_THAT(for_markdown(table),
             Contains("| a\\|b | 1 |") && Contains("| :-- | --: |") && Contains("- note"));
}

TEST_CASE("the time left is the sum of what like trials took, worked by hand") {
  const auto spec = [](const char* allocator, const char* pass) {
    trial::TrialSpec one;
    one.workload = "churn";
    one.variant = "small";
    one.allocator = allocator;
    one.pass = pass;
    return one;
  };
  const std::vector<trial::TrialSpec> plan{spec("a", "speed"), spec("b", "speed"), spec("a", "speed"),
                                           spec("b", "speed"), spec("c", "speed"), spec("a", "memory")};
  TimeLeft left;
  CHECK_FALSE(left.seconds_for(plan, 0));
  left.ended(plan[0], 1);
  left.ended(plan[1], 3);
  // a: 1, b: 3, c: unknown, so as speed trials on the whole (2); memory: unknown, so as all trials (2)
  CHECK(left.seconds_for(plan, 2).value() == Approx(1 + 3 + 2 + 2));
  CHECK(left.seconds_for(plan, 6).value() == 0);
}

TEST_CASE("on a narrow terminal a long label is cut, and the time left stays") {
  trial::TrialSpec spec;
  spec.workload = "breathe";
  spec.variant = "buffers";
  spec.pass = "memory";
  spec.allocator = "glibc[mmap_threshold=128K,trim_threshold=128K]";
  const std::string line = progress_line(spec, 37, 412, 100.0, 1, 79);
  CHECK(line.size() == 79);
  CHECK_THAT(line, Contains("memory pass, glibc") && Contains("..., 1m 40s left, 1 failed"));
  CHECK(progress_line(spec, 37, 412, 100.0, 1, 40).size() == 40);
  CHECK(progress_line(spec, 37, 412, 100.0, 1, 2) == "[ ");
}

TEST_CASE("progress that cannot be written ends nothing") {
  std::FILE* const full = std::fopen("/dev/full", "w");
  REQUIRE(full != nullptr);
  {
    Progress progress(full, true, 80);
    progress.starts({trial::TrialSpec{}}, 0);
    progress.note("a sentence");
  }
  std::fclose(full);
}

TEST_CASE("a progress line tells trial, total, time left and failures") {
  trial::TrialSpec spec;
  spec.workload = "churn";
  spec.variant = "small-1t";
  spec.pass = "memory";
  spec.allocator = "jemalloc";
  CHECK(progress_line(spec, 37, 412, 100.0, 1) ==
        "[ 37/412] churn/small-1t, memory pass, jemalloc, 1m 40s left, 1 failed");
  CHECK(progress_line(spec, 1, 8, std::nullopt, 0) == "[1/8] churn/small-1t, memory pass, jemalloc");
}
