// Every conformance check on every allocator that is installed, as a Markdown table: what CONFORMANCE.md is.
//   conformance_table [--check NAME]... [--allocator NAME | NAME=LIBRARY]...     without: all of them
// A 'no' is an answer and no error: it exits 0 where the table was made, 2 where it was asked for something
// unknown. What brkmmap must keep is decided by conformance_test; what the checks say, by the other
// conformance_*.cc.
#include <gnu/libc-version.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocators/tests/child.h"
#include "harness/cli/known.h"

using namespace heapmark::tests;

namespace {

constexpr int kMostSeconds = 15;   // a check that takes longer hangs: each is made to take under five
constexpr int kNotThereExit = 77;  // see conformance_child.cc

struct Allocator {
  std::string name, library;  // "" is the C library's own
};

struct Answer {
  std::string word;     // yes, no, crash, hang, or - where there is nothing to check
  std::string instead;  // what it did, where the word is none of yes and -
};

struct Table {
  std::vector<std::string> checks;
  std::vector<Allocator> allocators;
  std::vector<std::vector<Answer>> answers;  // answers[check][allocator]
};

// Of the catalog, in its order, but for those that nobody should use: the C library's first, ours last.
std::vector<Allocator> installed() {
  const std::string source = HEAPMARK_SOURCE_DIR;
  const heapmark::cli::MachineLibraries libraries(build_folder());
  std::vector<Allocator> first, others, last;
  for (const heapmark::plan::Allocator& known : heapmark::cli::load_catalog(source + "/allocators/catalog")) {
    const std::string library = libraries.find(known);
    if (!known.not_for_use.empty() || library.empty()) continue;
    (known.builtin   ? first
     : known.bundled ? last
                     : others)
        .push_back({known.name, known.builtin ? "" : library});
  }
  first.insert(first.end(), others.begin(), others.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

std::string child() {
  return build_folder() + "/conformance_child";
}

std::vector<std::string> all_checks() {
  std::vector<std::string> names;
  std::istringstream lines(run({child(), "--list"}, "").out);
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  if (names.empty()) throw std::runtime_error(child() + " lists no checks: is it built?");
  std::sort(names.begin(), names.end());
  return names;
}

// The last line without its "(line N)", which moves with every edit of the check; safe in a Markdown list.
std::string last_line(const std::string& text) {
  std::string last;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) last = line;
  return last.substr(0, last.rfind(" (line "));
}

Answer answer(const Ended& ended) {
  if (ended.timed_out)
    return {"hang", "still running after " + std::to_string(kSlower * kMostSeconds) + " s"};
  if (ended.signal != 0) {
    const char* name = sigabbrev_np(ended.signal);
    const std::string said = last_line(ended.err);
    return {"crash", std::string("SIG") + (name != nullptr ? name : "?") + (said.empty() ? "" : ": " + said)};
  }
  if (ended.exit_code == 0) return {"yes", ""};
  if (ended.exit_code == kNotThereExit) return {"-", ""};
  const std::string said = last_line(ended.out);
  return {"no", said.empty() ? "exit code " + std::to_string(ended.exit_code) : said};
}

Answer try_one(const std::string& check, const Allocator& allocator) {
  const Ended ended = run({child(), check}, allocator.library, {}, kMostSeconds);
  // Where a library is of no use the loader goes on with glibc's malloc, or ends with 127: neither is an
  // answer.
  if (ended.exit_code == 127 || ended.err.find("cannot be preloaded") != std::string::npos)
    throw std::runtime_error("running " + check + " under " + allocator.name + ": " + last_line(ended.err));
  return answer(ended);
}

Table tried(std::vector<std::string> checks, std::vector<Allocator> allocators) {
  Table table{std::move(checks), std::move(allocators), {}};
  for (const std::string& check : table.checks) {
    std::vector<Answer>& row = table.answers.emplace_back();
    for (const Allocator& allocator : table.allocators) row.push_back(try_one(check, allocator));
    std::fprintf(stderr, "%zu of %zu: %s\n", table.answers.size(), table.checks.size(), check.c_str());
  }
  return table;
}

std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

// Backslashes before what Markdown would read as markup.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    if (std::strchr("|*_<>`[]", letter) != nullptr) safe += '\\';
    safe += letter;
  }
  return safe;
}

std::string markdown(const Table& table) {
  std::ostringstream out;
  out << "| check |";
  for (const Allocator& allocator : table.allocators) out << ' ' << allocator.name << " |";
  out << "\n| --- |";
  for (std::size_t at = 0; at < table.allocators.size(); ++at) out << " --- |";
  out << '\n';
  std::vector<std::size_t> kept(table.allocators.size());
  std::vector<std::size_t> asked(table.allocators.size());
  for (std::size_t check = 0; check < table.checks.size(); ++check) {
    out << "| " << spoken(table.checks[check]) << " |";
    for (std::size_t at = 0; at < table.allocators.size(); ++at) {
      const std::string& word = table.answers[check][at].word;
      out << ' ' << word << " |";
      kept[at] += word == "yes";
      asked[at] += word != "-";
    }
    out << '\n';
  }
  out << "| **kept** |";
  for (std::size_t at = 0; at < kept.size(); ++at) out << ' ' << kept[at] << " of " << asked[at] << " |";
  out << '\n';
  for (std::size_t at = 0; at < table.allocators.size(); ++at) {
    if (kept[at] == asked[at]) continue;
    out << "\n## What " << table.allocators[at].name << " does instead\n";
    for (std::size_t check = 0; check < table.checks.size(); ++check) {
      const Answer& given = table.answers[check][at];
      if (!given.instead.empty())
        out << "- " << spoken(table.checks[check]) << ": " << escaped(given.instead) << '\n';
    }
  }
  return out.str();
}

// Facts of the machine that the answers depend on.
std::string preamble(const Table& table) {
  std::ostringstream out;
  utsname system{};
  uname(&system);
  std::string mappings;
  std::ifstream("/proc/sys/vm/max_map_count") >> mappings;
  out << "# What each malloc keeps\n\n"
      << "Made by conformance_table; each check is a process of its own. 'no': it answers otherwise; "
         "'crash': a "
         "signal ended\nit; 'hang': it did not end within "
      << kSlower * kMostSeconds
      << " s; '-': there is nothing to check. Some checks ask for more than the\nstandards do: that the "
         "extensions of glibc are there, and that memory freed by one thread serves another.\n\n";
  for (const Allocator& allocator : table.allocators)
    out << "- " << allocator.name << ": "
        << (allocator.library.empty()
                ? std::string("glibc ") + gnu_get_libc_version()
                : std::filesystem::weakly_canonical(allocator.library).filename().string())
        << '\n';
  out << "- kernel " << system.release << ", " << sysconf(_SC_NPROCESSORS_ONLN)
      << " processors, vm.max\\_map\\_count " << mappings << "\n\n";
  return out.str();
}

Allocator named(const std::string& word, const std::vector<Allocator>& all) {
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos) {
    Allocator given{word.substr(0, equals), word.substr(equals + 1)};
    if (!given.library.empty() && !std::filesystem::exists(given.library))
      throw std::runtime_error("there is no library " + given.library);
    return given;
  }
  for (const Allocator& allocator : all)
    if (allocator.name == word) return allocator;
  throw std::runtime_error(word + " is not installed; give the library: --allocator " + word + "=LIBRARY");
}

Table asked_for(int argc, char** argv) {
  const std::vector<std::string> known = all_checks();
  const std::vector<Allocator> all = installed();
  std::vector<std::string> checks;
  std::vector<Allocator> allocators;
  for (int at = 1; at < argc; at += 2) {
    const std::string option = argv[at], value = at + 1 < argc ? argv[at + 1] : "";
    if (option == "--allocator" && !value.empty()) {
      allocators.push_back(named(value, all));
    } else if (option == "--check" && std::count(known.begin(), known.end(), value) == 1) {
      checks.push_back(value);
    } else if (option == "--check") {
      throw std::runtime_error("there is no check '" + value + "'");
    } else {
      throw std::runtime_error("conformance_table [--check NAME]... [--allocator NAME | NAME=LIBRARY]...");
    }
  }
  return tried(checks.empty() ? known : checks, allocators.empty() ? all : allocators);
}

// By hand it is run without ctest's variable: the children lie beside this program.
void find_build_folder() {
  setenv("HEAPMARK_BUILD_DIR", std::filesystem::read_symlink("/proc/self/exe").parent_path().c_str(), 0);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    find_build_folder();
    const Table table = asked_for(argc, argv);
    std::cout << preamble(table) << markdown(table);
    return 0;
  } catch (const std::exception& wrong) {
    std::cerr << "conformance_table: " << wrong.what() << '\n';
    return 2;
  }
}
