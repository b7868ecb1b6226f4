// Random operations against the reference model, on glibc (which proves the model) and on brkmmap with its
// default tunables and with tiny ones. What one run does is in model_child.cc; a failure prints how to repeat
// it.
#include "allocators/tests/model/model.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "allocators/tests/child.h"

using namespace heapmark::tests;
using heapmark::model::Block;
using heapmark::model::Model;

namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

// All thresholds at their least and no caches: every path to the kernel is taken often.
const Variables kTiny{
    {"BRKMMAP_MMAP_THRESHOLD", "4K"},  {"BRKMMAP_TRIM_THRESHOLD", "4K"},    {"BRKMMAP_TOP_PAD", "0"},
    {"BRKMMAP_PURGE_THRESHOLD", "4K"}, {"BRKMMAP_RELEASE_THRESHOLD", "4K"}, {"BRKMMAP_THREAD_CACHE", "0"}};

void agrees_with_the_model(const std::string& library, const Variables& variables, int first_seed, int seeds,
                           const std::string& operations, const std::string& threads) {
  for (int seed = first_seed; seed < first_seed + seeds; ++seed) {
    std::vector<std::string> command{build_folder() + "/model_child", std::to_string(seed), operations,
                                     threads};
    if (seed % 2 == 0) command.push_back("sbrk");
    const Ended ended = run(command, library, variables, 60);
    CAPTURE(seed, operations, threads, ended.out, ended.err, ended.signal, ended.timed_out);
    CHECK(ended.exit_code == 0);
    CHECK(ended.out == (library.empty() ? "without brkmmap_stats\n" : "with brkmmap_stats\n"));
  }
}

alignas(64) unsigned char memory[8192];

Block block_at(std::size_t offset, std::size_t bytes, std::uint64_t seed) {
  return {memory + offset, bytes, bytes, 1, seed, false};
}

}  // namespace

TEST_CASE("the model refuses blocks that overlap, and takes neighbours") {
  Model model;
  CHECK(model.add(block_at(1000, 100, 1)) == nullptr);
  CHECK(model.add(block_at(1100, 50, 2)) == nullptr);
  CHECK(model.add(block_at(900, 100, 3)) == nullptr);
  for (const auto& [offset, bytes] : {std::pair{1000, 100}, {1099, 1}, {999, 2}, {1149, 10}, {800, 2000}}) {
    CAPTURE(offset, bytes);
    CHECK(model.add(block_at(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes), 4)) !=
          nullptr);
  }
  CHECK(model.count() == 3);
  CHECK(model.usable_bytes() == 250);
}

TEST_CASE("the model refuses a block of wrong alignment or too small") {
  Model model;
  Block block = block_at(64, 32, 1);
  block.alignment = 64;
  CHECK(model.add(block) == nullptr);
  block = block_at(160, 32, 1);
  block.alignment = 64;
  CHECK(model.add(block) != nullptr);
  block = block_at(2048, 32, 1);
  block.usable = 31;
  CHECK(model.add(block) != nullptr);
}

TEST_CASE("the model finds a changed byte in a small block, and at the ends of a large one") {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{300}, std::size_t{1024}, std::size_t{8000}}) {
    for (const std::size_t at : {std::size_t{0}, bytes / 2, bytes - 1}) {
      if (bytes > 1024 && at == bytes / 2) continue;  // of a large block only some places are written
      Model model;
      const Block block = block_at(0, bytes, 77);
      heapmark::model::stamp(block);
      REQUIRE(model.add(block) == nullptr);
      CHECK(model.check_all() == nullptr);
      memory[at] ^= 1;
      CAPTURE(bytes, at);
      CHECK(model.check_all() != nullptr);
      CHECK(model.remove(block) != nullptr);
    }
  }
}

TEST_CASE("the model counts foreign memory as taken, not as live") {
  Model model;
  Block block = block_at(0, 4096, 1);
  block.foreign = true;
  CHECK(model.add(block) == nullptr);
  CHECK(model.usable_bytes() == 0);
  CHECK(model.add(block_at(4000, 8, 2)) != nullptr);
}

TEST_CASE("glibc agrees with the model") {
  agrees_with_the_model("", {}, 1, 2, "100000", "1");
  agrees_with_the_model("", {}, 11, 2, "40000", "4");
}
TEST_CASE("brkmmap agrees with the model in one thread") {
  agrees_with_the_model(brkmmap_library(), {}, 21, 6, "150000", "1");
}
TEST_CASE("brkmmap agrees with the model in four threads that pass blocks on") {
  agrees_with_the_model(brkmmap_library(), {}, 31, 4, "60000", "4");
}
TEST_CASE("brkmmap agrees with the model in one thread with tiny thresholds and no caches") {
  agrees_with_the_model(brkmmap_library(), kTiny, 41, 6, "150000", "1");
}
TEST_CASE("brkmmap agrees with the model in four threads with tiny thresholds and no caches") {
  agrees_with_the_model(brkmmap_library(), kTiny, 51, 4, "60000", "4");
}
