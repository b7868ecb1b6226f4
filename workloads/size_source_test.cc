// Sizes as users write them: what is drawn lies where it should and weighs what it should. The Context is a
// small one of the test's own: a text, memory, and an exception where the real one ends the process.
#include "workloads/size_source.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "workloads/contract/size_spec.h"
#include "workloads/drawn_sizes.h"

namespace {
std::string written;
std::vector<std::unique_ptr<char[]>> memory;
}  // namespace

namespace heapmark {

const char* Context::text(const char*) const {
  return written.c_str();
}
void* Context::own_memory(std::size_t bytes) {
  memory.push_back(std::make_unique<char[]>(bytes));
  return memory.back().get();
}
void Context::fail(Outcome, const char* message) {
  throw std::runtime_error(message);
}

namespace {

using Catch::Contains;

SizeSource source(const std::string& text) {
  written = text;
  Context context;
  SizeSource sizes;
  sizes.set_up(context, "sizes");
  return sizes;
}

struct File {
  std::string path =
      (std::filesystem::temp_directory_path() / ("sizes-" + std::to_string(::getpid()))).string();
  explicit File(const std::string& text) { std::ofstream(path) << text; }
  ~File() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("one size is always drawn, also where the mix drifts") {
  const SizeSource sizes = source("820");
  Rng random(1, 0);
  for (int at = 0; at < 100; ++at) {
    CHECK(sizes.draw(random) == 820);
    CHECK(sizes.draw_drifting(3, 4, random) == 820);
  }
  CHECK(sizes.mean_bytes() == 820);
}

TEST_CASE("a range is drawn from its low to below its high, each octave alike") {
  for (const auto& [text, low, high] :
       {std::tuple{"16..1K", 16, 1024}, {"100..1000", 100, 1000}, {"8..9", 8, 9}, {"1..7", 1, 7}}) {
    const SizeSource sizes = source(text);
    Rng random(1, 0);
    double sum = 0;
    std::uint64_t least = ~0ULL, most = 0;
    for (int at = 0; at < 20000; ++at) {
      const std::uint64_t bytes = at % 2 ? sizes.draw(random) : sizes.draw_drifting(at % 4, 4, random);
      least = std::min(least, bytes);
      most = std::max(most, bytes);
      sum += static_cast<double>(sizes.draw(random));
    }
    CAPTURE(text);
    CHECK(least >= static_cast<std::uint64_t>(low));
    CHECK(most < static_cast<std::uint64_t>(high));
    CHECK(least <= static_cast<std::uint64_t>(low) * 11 / 10);
    CHECK(most >= static_cast<std::uint64_t>(high) * 9 / 10 - 1);
    CHECK(static_cast<double>(sizes.mean_bytes()) == Approx(sum / 20000).epsilon(0.03).margin(1));
  }
}

TEST_CASE("a range of whole octaves draws what the named mixes draw") {
  const SizeSource range = source("16..64K"), named({octave(4), octave(16)});
  Rng one(5, 0), other(5, 0);
  for (int at = 0; at < 1000; ++at) CHECK(range.draw_drifting(1, 4, one) == named.draw_drifting(1, 4, other));
  CHECK(range.mean_bytes() == named.mean_bytes());
}

TEST_CASE("a histogram file is drawn by its weights") {
  const File file("# bytes weight\n16 6\n\n  48 3\n4096 1\r\n");
  const SizeSource sizes = source("@" + file.path);
  Rng random(1, 0);
  std::map<std::uint64_t, int> seen;
  for (int at = 0; at < 10000; ++at) ++seen[sizes.draw(random)];
  REQUIRE(seen.size() == 3);
  CHECK(seen[16] == Approx(6000).margin(200));
  CHECK(seen[48] == Approx(3000).margin(200));
  CHECK(seen[4096] == Approx(1000).margin(150));
  CHECK(sizes.mean_bytes() == (16 * 6 + 48 * 3 + 4096) / 10);
  CHECK(sizes.largest_bytes() == 4096);
}

TEST_CASE("a wrong file of sizes is refused with its line") {
  CHECK_THROWS_WITH(source("@/nonexistent/sizes"), Contains("cannot be opened"));
  for (const auto& [text, message] : {std::pair{"16 1\n32\n", "line 2: BYTES WEIGHT"},
                                      {"0 1\n", "line 1"},
                                      {"16 1 x\n", "line 1"},
                                      {"# nothing\n", "holds no line"},
                                      {"99999999999 1\n", "line 1"}}) {
    const File file(text);
    CAPTURE(text);
    CHECK_THROWS_WITH(source("@" + file.path), Contains(message));
  }
}

TEST_CASE("the inverse square law halves what is left at each doubling") {
  Rng random(1, 0);
  int above_8 = 0, above_64 = 0;
  for (int at = 0; at < 100000; ++at) {
    const std::uint64_t bytes = draw_inverse_square(4, 32768, random);
    REQUIRE(bytes >= 4);
    REQUIRE(bytes <= 32768);
    above_8 += bytes >= 8;
    above_64 += bytes >= 64;
  }
  CHECK(above_8 == Approx(50000).margin(1000));
  CHECK(above_64 == Approx(6250).margin(400));
}

}  // namespace heapmark
