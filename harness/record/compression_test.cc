#include "harness/record/compression.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "harness/plan/usage_error.h"
#include "harness/record/example_results.h"
#include "harness/record/results_file.h"
#include "testing/folder.h"

using Catch::Contains;

namespace heapmark::record {
namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i * 7919) + ",";
  return text;
}

TEST_CASE("what is compressed comes back, the empty text and several frames too") {
  for (const std::string& text : {std::string(), std::string("{}"), long_text()}) {
    const std::string bytes = compress(text, kQuickLevel);
    CHECK(is_compressed(bytes));
    CHECK(decompress(bytes, "x") == text);
    CHECK(decompress(bytes + compress("more", kSmallLevel), "x") == text + "more");
  }
  CHECK(compress(long_text(), kQuickLevel).size() < long_text().size() / 2);
  CHECK_FALSE(is_compressed("{\"schema\": 2}"));
  CHECK_FALSE(is_compressed(""));
}

TEST_CASE("a compressed file that is cut off or changed is refused by name, wherever it is cut") {
  const std::string bytes = compress(long_text(), kQuickLevel);
  for (const std::size_t kept : {std::size_t{4}, std::size_t{9}, bytes.size() / 2, bytes.size() - 1})
    CHECK_THROWS_WITH(decompress(std::string_view(bytes).substr(0, kept), "kept.json.zst"),
                      Contains("kept.json.zst ends too early"));
  std::string changed = bytes;
  changed[bytes.size() / 2] = static_cast<char>(changed[bytes.size() / 2] ^ 0x55);
  CHECK_THROWS_AS(decompress(changed, "kept.json.zst"), UsageError);
  CHECK_THROWS_WITH(decompress(changed, "kept.json.zst"), Contains("kept.json.zst is damaged"));
}

TEST_CASE("a results file named .zst is written compressed, read back, and gone on with") {
  const testing::Folder folder;
  const auto path = folder.path() / "results.json.zst";
  {
    ResultsFile file(path, example::results());
    file.add(example::record("glibc", "speed", 0, {{"ns_per_op", 100.0}}));
    file.finish({});
  }
  std::ifstream written(path, std::ios::binary);
  CHECK(is_compressed(std::string(std::istreambuf_iterator<char>(written), {})));
  const Results read = read_results(path);
  REQUIRE(read.records.size() == 1);
  ResultsFile again(path, read);
  again.add(example::record("glibc", "speed", 1, {{"ns_per_op", 110.0}}));
  CHECK(read_results(path).records.size() == 2);
  CHECK_FALSE(std::filesystem::exists(path.string() + ".tmp"));
}

}  // namespace
}  // namespace heapmark::record
