#include "harness/machine/preload_link.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "testing/folder.h"

using Catch::Contains;
namespace fs = std::filesystem;

namespace heapmark::machine {
namespace {

TEST_CASE("a path that LD_PRELOAD can name is used as it is, and no folder is made") {
  const testing::Folder folder;
  const fs::path links = folder.path() / "links";
  CHECK(preloadable("/usr/lib/libx.so", links) == "/usr/lib/libx.so");
  CHECK_FALSE(fs::exists(links));
}

TEST_CASE("a path with a space or a colon is linked to, the same one again by the same link") {
  const testing::Folder folder;
  const fs::path links = folder.path() / "links";
  for (const char* name : {"a b", "a:b"}) {
    const fs::path library = folder.path() / name / "lib x.so";
    fs::create_directory(library.parent_path());
    std::ofstream(library) << name;
    const std::string link = preloadable(library, links);
    CHECK(can_be_preloaded(link));
    CHECK(fs::equivalent(link, library));
    CHECK(preloadable(library, links) == link);
  }
  CHECK(std::distance(fs::directory_iterator(links), fs::directory_iterator()) == 2);
  CHECK((fs::status(links).permissions() & fs::perms::all) == fs::perms::owner_all);
}

TEST_CASE("a folder that others may enter, or that is none, is refused by name") {
  const testing::Folder folder;
  const fs::path open = folder.path() / "open", file = folder.path() / "file", link = folder.path() / "link";
  fs::create_directory(open);
  fs::permissions(open, fs::perms::all);
  std::ofstream(file) << "";
  fs::create_directory_symlink(open, link);
  for (const fs::path& refused : {open, file, link})
    CHECK_THROWS_WITH(preloadable("/a b/lib.so", refused),
                      Contains(refused.string()) && Contains("mode 0700"));
}

}  // namespace
}  // namespace heapmark::machine
