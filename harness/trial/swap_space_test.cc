// Which swap is chosen, and zram devices of a made-up machine and of this one.
#include "harness/trial/swap_space.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "harness/machine/memory_pressure.h"
#include "testing/folder.h"

using namespace heapmark;
using namespace heapmark::trial;
using Catch::Contains;

namespace {

constexpr std::uint64_t kBytes = 8 << 20;
constexpr std::uint64_t kPlenty = std::uint64_t{1} << 40;
constexpr uid_t kRoot = 0, kUser = 1000;

class FakeRoot : public testing::Folder {
 public:
  FakeRoot() { write("proc/swaps", "Filename Type Size Used Priority\n"); }
};

}  // namespace

TEST_CASE("what is named is used; else what there is, else a file as root, else none") {
  CHECK(settle(SwapKind::kAutomatic, true, true) == SwapKind::kPresent);
  CHECK(settle(SwapKind::kAutomatic, false, true) == SwapKind::kFile);
  CHECK(settle(SwapKind::kAutomatic, false, false) == SwapKind::kNone);
  for (const std::string& name : swap_kind_names()) {
    CHECK(swap_kind_name(swap_kind_from(name)) == name);
    CHECK(settle(swap_kind_from(name), true, true) == swap_kind_from(name));
  }
  CHECK(swap_kind_names().size() == 4);
}

TEST_CASE("the first zram device that nobody has set up is used") {
  const FakeRoot root;
  CHECK(unused_zram(root.path()).empty());
  root.write("sys/block/zram0/disksize", "1048576\n");
  root.write("sys/block/loop0/disksize", "0\n");
  CHECK(unused_zram(root.path()).empty());
  root.write("sys/block/zram2/disksize", "0\n");
  root.write("sys/block/zram1/disksize", "0\n");
  CHECK(unused_zram(root.path()) == "zram1");
}

TEST_CASE("each thing in the way of zram has a message of its own that says what to do") {
  const FakeRoot root;
  CHECK_THAT(why_no_zram(kBytes, BesideOther::kNo, kPlenty, root.path(), kUser), Contains("only root"));
  CHECK_THAT(why_no_zram(kBytes, BesideOther::kNo, kPlenty, root.path(), kRoot), Contains("modprobe zram"));
  root.write("sys/block/zram0/disksize", "0\n");
  CHECK_THAT(why_no_zram(kBytes, BesideOther::kNo, kBytes, root.path(), kRoot), Contains("too small"));
  CHECK(why_no_zram(kBytes, BesideOther::kNo, kPlenty, root.path(), kRoot).empty());
  root.write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n");
  CHECK_THAT(why_no_zram(kBytes, BesideOther::kNo, kPlenty, root.path(), kRoot),
             Contains("has swap already"));
  CHECK(why_no_zram(kBytes, BesideOther::kYes, kPlenty, root.path(), kRoot).empty());
}

TEST_CASE("a zram device is in use for the time of its object, and as before afterwards") {
  const std::string why = why_no_zram(kBytes, BesideOther::kNo, kPlenty);
  if (!why.empty()) {
    WARN("not tested, no zram can be used here: " << why);
    return;
  }
  std::string device;
  try {
    const ZramSwap swap(kBytes, BesideOther::kNo);
    device = swap.device();
    CHECK_THAT(testing::contents("/proc/swaps"),
               Contains("/dev/" + device + " ") || Contains("/dev/" + device + "\t"));
  } catch (const SwapRefused& refused) {
    WARN("not tested, no zram can be used here: " << refused.what());
    return;
  }
  CHECK_THAT(testing::contents("/proc/swaps"), !Contains("/dev/" + device));
  CHECK(testing::contents("/sys/block/" + device + "/disksize") == "0\n");
}

TEST_CASE("without being told a kind, a machine that takes no swap file is measured without swap") {
  SwapAsked asked;
  asked.folder = "/nonexistent/folder";
  if (machine::has_swap() || ::geteuid() != 0) return;
  const SwapSpace none(asked);
  CHECK_FALSE(none.any());
  CHECK_THAT(none.why_none(), Contains("/nonexistent/folder"));
  asked.kind = SwapKind::kFile;
  CHECK_THROWS_AS(SwapSpace(asked), SwapRefused);
}
