// Finding library files: in a made-up tree of copies of this very program (an ELF shared object, as all
// position-independent programs are), and on this machine.
#include "harness/machine/library_search.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "harness/machine/run_and_read.h"

using namespace heapmark::machine;
namespace fs = std::filesystem;

namespace {

fs::path own_program() {
  return fs::read_symlink("/proc/self/exe");
}

class Tree {
 public:
  Tree() {
    std::string name = fs::temp_directory_path() / "heapmark-libraries-XXXXXX";
    path_ = fs::canonical(mkdtemp(name.data()));
  }
  ~Tree() { fs::remove_all(path_); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // A link serves as well as a copy where only the contents are looked at; find_library would follow it.
  std::string library(const std::string& name) const {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    fs::copy_file(own_program(), file);
    return file;
  }
  std::string text(const std::string& name) const {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "INPUT(libreal.so.2)\n";
    return file;
  }
  [[nodiscard]] std::string directory(const std::string& name = "") const { return path_ / name; }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("the first library name that is found wins, then the first directory") {
  const Tree tree;
  tree.library("late/libx.so.2");
  const std::string wanted = tree.library("early/libx.so.1");
  tree.library("late/libx.so.1");
  CHECK(find_library({"libx.so.1", "libx.so.2"}, {tree.directory("early"), tree.directory("late")}) ==
        wanted);
  CHECK(find_library({"liby.so"}, {tree.directory("early"), tree.directory("late")}).empty());
  CHECK(find_library({"libx.so.1"}, {tree.directory("none")}).empty());
}

TEST_CASE("of several matches of a pattern the highest version wins") {
  const Tree tree;
  tree.library("llvm-9/lib/libz.so");
  const std::string wanted = tree.library("llvm-19/lib/libz.so");
  tree.library("llvm-14/lib/libz.so");
  CHECK(find_library({"libz.so"}, {tree.directory("llvm-*/lib")}) == wanted);
  CHECK(find_library({tree.directory("llvm-*/lib/libz.so")}, {}) == wanted);
}

TEST_CASE("a linker script under a library's name is passed over") {
  const Tree tree;
  tree.text("a/libx.so");
  const std::string wanted = tree.library("b/libx.so");
  CHECK(find_library({"libx.so"}, {tree.directory("a"), tree.directory("b")}) == wanted);
}

TEST_CASE("the path found is that of the file itself, not of a link to it") {
  const Tree tree;
  const std::string real = tree.library("libx.so.1.2.3");
  fs::create_symlink(real, tree.directory("libx.so.1"));
  CHECK(find_library({"libx.so.1"}, {tree.directory()}) == real);
}

TEST_CASE("only shared objects of this processor are taken") {
  const Tree tree;
  const std::string file = tree.library("libx.so");
  CHECK(is_shared_library(file));
  CHECK_FALSE(is_shared_library(tree.text("script.so")));
  CHECK_FALSE(is_shared_library(tree.directory()));
  CHECK_FALSE(is_shared_library(tree.directory("none")));
  // e_machine, two bytes at offset 18: another processor's library.
  std::fstream patched(file, std::ios::in | std::ios::out | std::ios::binary);
  patched.seekp(18);
  patched.write("\x7f\x7f", 2);
  patched.close();
  CHECK_FALSE(is_shared_library(file));
}

TEST_CASE("the C library in use is found, with its build id") {
  const std::string file = c_library_in_use();
  REQUIRE(is_shared_library(file));
  const std::string id = build_id(file);
  // Debian's are SHA-1.
  CHECK(id.size() == 40);
  CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(build_id("/etc/passwd").empty());
}

TEST_CASE("a file of no package has no version") {
  const Tree tree;
  CHECK(debian_versions({tree.library("libx.so")}).empty());
  CHECK(debian_versions({}).empty());
}

TEST_CASE("another program's output and exit status are read") {
  const Answer answer = run_and_read({"sh", "-c", "echo out; echo err >&2; exit 3"}, true);
  CHECK(answer.output == "out\n");
  CHECK(answer.status == 3);
  CHECK(run_and_read({"sh", "-c", "kill -9 $$"}).status == 128 + 9);
  CHECK_THROWS_AS(run_and_read({"/no/such/program"}), std::system_error);
}
