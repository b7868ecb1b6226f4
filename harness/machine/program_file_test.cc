#include "harness/machine/program_file.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "testing/folder.h"

using namespace heapmark::machine;
using Catch::Contains;
using heapmark::testing::Folder;
namespace fs = std::filesystem;

namespace {

std::string script(const Folder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder.file(name)) << text;
  fs::permissions(folder.file(name), fs::perms::owner_all);
  return folder.file(name);
}

}  // namespace

TEST_CASE("the program behind a script is its interpreter, through env as well") {
  const Folder folder;
  const std::string shell = fs::canonical("/bin/sh");
  CHECK(program_behind("sh") == shell);
  CHECK(program_behind(script(folder, "a", "#!/bin/sh -e\n")) == shell);
  CHECK(program_behind(script(folder, "b", "#!/usr/bin/env sh\n")) == shell);
  CHECK(program_behind(script(folder, "c", "#!/usr/bin/env -S X=1 sh\n")) == shell);
  CHECK(program_behind(script(folder, "d", "#!" + folder.file("a") + "\n")) == shell);
  CHECK(program_behind("./a", folder.path()) == shell);
  CHECK(program_behind("no-such-program-here").empty());
  CHECK(program_behind(script(folder, "e", "no program")).empty());
  CHECK(program_behind(script(folder, "f", "#!" + folder.file("f") + "\n")).empty());
}

TEST_CASE("an ordinary program has no malloc of its own, the C library does") {
  CHECK(why_own_malloc(program_facts(program_behind("sh"))).empty());
  CHECK_FALSE(program_facts(program_behind("sh")).defines_malloc);
  CHECK(linked_mallocs(program_behind("sh")).empty());
  CHECK(is_c_library("/lib/x86_64-linux-gnu/libc.so.6"));
  CHECK(is_c_library("/lib64/ld-linux-x86-64.so.2"));
  CHECK_FALSE(is_c_library("/usr/lib/libcurl.so.4"));
}

TEST_CASE("why a program runs on its own malloc is said in the order of what decides") {
  ProgramFacts facts;
  CHECK(why_own_malloc(facts).empty());
  facts.defines_malloc = true;
  CHECK_THAT(why_own_malloc(facts), Contains("a malloc of its own"));
  facts.linked_in = "jemalloc";
  CHECK_THAT(why_own_malloc(facts), Contains("jemalloc linked in"));
  facts.is_static = true;
  CHECK_THAT(why_own_malloc(facts), Contains("statically linked"));
  facts.is_go = true;
  CHECK_THAT(why_own_malloc(facts), Contains("Go program"));
}

TEST_CASE("a damaged file is no program, and nothing is said of it") {
  const Folder folder;
  std::ifstream in(program_behind("sh"), std::ios::binary);
  std::string text(4000, '\0');
  in.read(text.data(), 4000);
  for (const std::size_t cut : {std::size_t{3}, std::size_t{20}, std::size_t{70}, std::size_t{4000}}) {
    const std::string file = folder.file("cut" + std::to_string(cut));
    std::ofstream(file, std::ios::binary) << text.substr(0, cut);
    CHECK_FALSE(program_facts(file).defines_malloc);
  }
  CHECK_FALSE(program_facts(folder.file("nothing")).is_elf);
}
