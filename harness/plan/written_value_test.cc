// Values as users write them, and names nearly right.
#include "harness/plan/written_value.h"

#include <catch2/catch.hpp>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;
using Catch::Contains;
using Dimension = WrittenNumber::Dimension;

namespace {

Tunable tunable(const std::string& type, const std::string& unit, const std::string& default_value = "0") {
  return {.name = "t",
          .variable = "",
          .type = type,
          .default_value = default_value,
          .unit = unit,
          .scale = "linear",
          .help = "",
          .range = std::nullopt,
          .search = std::nullopt,
          .mallopt = ""};
}

WorkloadParameter parameter(const std::string& kind, double min, double max,
                            const std::string& choices = "") {
  return {
      .name = "p", .kind = kind, .default_value = "", .choices = choices, .help = "", .min = min, .max = max};
}

}  // namespace

TEST_CASE("numbers are read with their suffix, and nothing else is") {
  CHECK(parse_number("128K")->value == 131072);
  CHECK(parse_number("128KiB")->value == 131072);
  CHECK(parse_number("1.5M")->value == 1572864);
  CHECK(parse_number("2G")->value == 2147483648.0);
  CHECK(parse_number("2G")->dimension == Dimension::kBytes);
  CHECK(parse_number("-1")->value == -1);
  CHECK(parse_number("-1")->dimension == Dimension::kPlain);
  CHECK(parse_number("10s")->dimension == Dimension::kTime);
  CHECK(parse_number("250ms")->value == Approx(0.25));
  for (const char* wrong : {"", "K", "12x", "1 K", " 1", "1e3", "0x10", "nan", "inf", "--1", "1,5", "+1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_number(wrong));
  }
}

TEST_CASE("an allocator gets plain numbers in the unit of its tunable") {
  CHECK(environment_value(tunable("bytes", "bytes"), "128K") == "131072");
  CHECK(environment_value(tunable("bytes", "bytes"), "131072") == "131072");
  CHECK(environment_value(tunable("bytes", "bytes"), "0.5K") == "512");
  CHECK(environment_value(tunable("integer", "MiB"), "1G") == "1024");
  CHECK(environment_value(tunable("integer", "KiB"), "64") == "64");
  CHECK(environment_value(tunable("integer", "ms"), "10s") == "10000");
  CHECK(environment_value(tunable("integer", "ms"), "0.3s") == "300");
  CHECK(environment_value(tunable("integer", "ms"), "-1") == "-1");
  CHECK(environment_value(tunable("number", ""), "0.25") == "0.25");
  CHECK(environment_value(tunable("number", ""), "3") == "3");
}

TEST_CASE("a value of another type or unit is refused") {
  CHECK_THROWS_WITH(environment_value(tunable("bytes", "bytes"), "lots"),
                    Contains("t=lots: a number of bytes"));
  CHECK_THROWS_AS(environment_value(tunable("bytes", "bytes"), "10s"), UsageError);
  CHECK_THROWS_AS(environment_value(tunable("integer", "ms"), "10K"), UsageError);
  CHECK_THROWS_AS(environment_value(tunable("integer", ""), "10K"), UsageError);
  CHECK_THROWS_WITH(environment_value(tunable("integer", ""), "1.5"), Contains("whole number"));
  CHECK_THROWS_AS(environment_value(tunable("bytes", "bytes"), "1.5"), UsageError);
}

TEST_CASE("a value out of its range is refused and the range is named") {
  Tunable row = tunable("bytes", "bytes");
  row.range = {0, 33554432};
  CHECK(environment_value(row, "32M") == "33554432");
  CHECK_THROWS_WITH(environment_value(row, "33M"), Contains("0 to 33554432 bytes"));
  CHECK_THROWS_AS(environment_value(row, "-1"), UsageError);
}

TEST_CASE("a boolean is spelt as the allocator's default is") {
  for (const char* on : {"on", "true", "yes", "1"}) {
    CHECK(environment_value(tunable("boolean", "", "false"), on) == "true");
    CHECK(environment_value(tunable("boolean", "", "0"), on) == "1");
  }
  CHECK(environment_value(tunable("boolean", "", "true"), "off") == "false");
  CHECK(environment_value(tunable("boolean", "", "1"), "off") == "0");
  CHECK_THROWS_WITH(environment_value(tunable("boolean", "", "0"), "2"), Contains("on or off"));
}

TEST_CASE("a workload's parameter is checked by its kind") {
  CHECK_NOTHROW(check_value(parameter("bytes", 0, 1e9), "64M"));
  CHECK_THROWS_AS(check_value(parameter("bytes", 0, 1e9), "64G"), UsageError);
  CHECK_NOTHROW(check_value(parameter("count", 1, 64), "4"));
  CHECK_THROWS_AS(check_value(parameter("count", 1, 64), "0"), UsageError);
  CHECK_THROWS_AS(check_value(parameter("count", 1, 64), "1.5"), UsageError);
  CHECK_NOTHROW(check_value(parameter("count", 1, 2048), "2K"));
  CHECK_THROWS_WITH(check_value(parameter("seconds", 0, 60), "10s"),
                    Contains("a number is wanted (seconds)"));
  CHECK_THROWS_AS(check_value(parameter("bytes", 0, 1e9), "64KiB"),
                  UsageError);  // the host reads no such suffix
  CHECK_NOTHROW(check_value(parameter("share", 0, 1), "0.75"));
  CHECK_THROWS_AS(check_value(parameter("share", 0, 1), "1.25"), UsageError);
  CHECK_NOTHROW(check_value(parameter("choice", 0, 0, "mixed|small"), "small"));
  CHECK_THROWS_WITH(check_value(parameter("choice", 0, 0, "mixed|small"), "smal"),
                    Contains("did you mean \"small\""));
}

TEST_CASE("the edit distance counts inserted, deleted, replaced and swapped characters") {
  CHECK(edit_distance("chrun", "churn") == 1);
  CHECK(edit_distance("ca", "abc") == 3);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("same", "same") == 0);
  CHECK(edit_distance("flaw", "lawn") == 2);
}

TEST_CASE("an unknown name gets the nearest known one, or all where none is near") {
  const std::vector<std::string> known = {"glibc", "jemalloc", "mimalloc"};
  CHECK(unknown("allocator", "jemaloc", known) ==
        "unknown allocator \"jemaloc\": did you mean \"jemalloc\"?");
  CHECK(unknown("allocator", "mima", known) == "unknown allocator \"mima\": did you mean \"mimalloc\"?");
  CHECK(unknown("allocator", "rust", known) ==
        "unknown allocator \"rust\" (known: glibc, jemalloc, mimalloc)");
  CHECK(unknown("parameter", "x", std::vector<std::string>{}) == "unknown parameter \"x\" (there is none)");
}

TEST_CASE("sizes are one size, a range, a file or a name of the workload's own") {
  WorkloadParameter sizes{
      .name = "sizes", .kind = "sizes", .default_value = "16..1K", .choices = "mixed|small", .help = ""};
  for (const char* good : {"820", "64K", "16..1K", "1..2", "@requests.txt", "mixed", "1G"}) {
    CAPTURE(good);
    CHECK_NOTHROW(check_value(sizes, good));
  }
  for (const char* bad :
       {"", "0", "1K..16", "16..16", "16..", "..16", "16-1K", "@", "huge", "2G", "1.5K", "16..1T"}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH(check_value(sizes, bad), Contains("mixed|small, or sizes are one size (820)"));
  }
}
