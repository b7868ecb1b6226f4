// The floor's size classes against the plain definition: the smallest class that holds a size.
#include "allocators/floor/size_class.h"

#include <catch2/catch.hpp>

using namespace heapmark::floor;

TEST_CASE("each size gets the smallest class of the floor that holds it") {
  for (std::size_t bytes = 1; bytes <= 70'000; ++bytes) {
    const std::size_t index = class_of(bytes);
    REQUIRE(class_size(index) >= bytes);
    if (index > 0) REQUIRE(class_size(index - 1) < bytes);
    if (bytes > 128) REQUIRE(static_cast<double>(class_size(index)) <= 1.125 * static_cast<double>(bytes));
  }
  CHECK(class_of(0) == 0);
}

TEST_CASE("the largest request has a class") {
  const std::size_t most = std::size_t{1} << 47;
  CHECK(class_of(2 * most) < kClasses);
  CHECK(class_size(class_of(most)) >= most);
}
