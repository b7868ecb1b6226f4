// The map of addresses against std::map.
#include "harness/trace/address_map.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "harness/trace/live_objects.h"

namespace heapmark::trace {
namespace {

TEST_CASE("the map of addresses agrees with std::map under random changes") {
  AddressMap map;
  std::map<std::uint64_t, std::uint64_t> expected;
  std::mt19937 random(7);
  for (int step = 0; step < 200000; ++step) {
    const std::uint64_t address = random() % 5000 * (random() % 2 == 0 ? 2 : 0x10000);
    LiveObject* const found = map.find(address);
    REQUIRE((found != nullptr) == (expected.count(address) == 1));
    if (found == nullptr) {
      map.insert(address, {{0, static_cast<std::uint64_t>(step)}, 1});
      expected[address] = static_cast<std::uint64_t>(step);
    } else {
      REQUIRE(found->name.serial == expected[address]);
      map.erase(address);
      expected.erase(address);
    }
    REQUIRE(map.size() == expected.size());
  }
}

}  // namespace
}  // namespace heapmark::trace
