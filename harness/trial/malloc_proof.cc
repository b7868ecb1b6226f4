// See malloc_proof.h. The loader maps LD_PRELOAD's libraries before those that a program names (ld.so(8)), so
// where the C library is mapped and the preloaded one is not, it will not come any more.
#include "harness/trial/malloc_proof.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "harness/machine/program_file.h"

namespace heapmark::trial {
namespace {

namespace fs = std::filesystem;

std::string canonical(const std::string& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  return error ? file : real.string();
}

bool holds(const std::vector<std::string>& files, const std::string& file) {
  return std::find(files.begin(), files.end(), file) != files.end();
}

}  // namespace

ProcessLook look_at(pid_t process) {
  ProcessLook look;
  const std::string folder = fmt::format("/proc/{}/", process);
  char program[PATH_MAX];
  const ssize_t size = ::readlink((folder + "exe").c_str(), program, sizeof program);
  if (size <= 0) return look;
  look.program.assign(program, static_cast<std::size_t>(size));
  std::ifstream maps(folder + "maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t path = line.find('/');
    if (path == std::string::npos) continue;
    std::string file = line.substr(path);
    if (look.files.empty() || (look.files.back() != file && !holds(look.files, file)))
      look.files.push_back(std::move(file));
  }
  return look;
}

Judged judge_process(const ProcessLook& look, const std::string& preload, const std::string& library) {
  if (look.program.empty()) return {};
  const machine::ProgramFacts& facts = machine::program_facts(look.program);
  const std::string name = fs::path(look.program).filename();
  if (const std::string why = machine::why_own_malloc(facts); !why.empty())
    return {Proof::kOwn,
            fmt::format("{} {}: it runs on its own malloc, and the figures of all allocators will be alike",
                        name, why)};
  const bool has_libc = std::any_of(look.files.begin(), look.files.end(), [](const std::string& file) {
    return fs::path(file).filename().string().starts_with("libc");
  });
  if (!holds(look.files, preload)) {
    if (!has_libc) return {};
    return {Proof::kLost, fmt::format("{} runs without {}: it, or what started it, changed LD_PRELOAD or "
                                      "replaced its environment",
                                      name, fs::path(preload).filename().string())};
  }
  // With a preload that has no malloc itself, the next library that has one is taken.
  if (preload != library && !machine::program_facts(preload).defines_malloc)
    for (const std::string& file : look.files)
      if (file != look.program && !machine::is_c_library(file) && machine::program_facts(file).is_elf &&
          machine::program_facts(file).defines_malloc)
        return {Proof::kLinked, fmt::format("{} is linked with {}, which its malloc resolves to", name,
                                            fs::path(file).filename().string())};
  return {Proof::kProved, ""};
}

ProofBook::ProofBook(std::string preload, std::string library)
    : preload_(canonical(preload)), library_(canonical(library)) {}

Proof ProofBook::judge(const ProcessLook& look) {
  const Judged judged = judge_process(look, preload_, library_);
  if (judged.proof == Proof::kProved) ++proved_;
  if (!judged.why.empty()) sentences_.emplace(judged.why, judged.proof);
  return judged.proof;
}

std::vector<std::string> ProofBook::of(Proof proof) const {
  std::vector<std::string> found;
  for (const auto& [sentence, kind] : sentences_)
    if (kind == proof) found.push_back(sentence);
  return found;
}

}  // namespace heapmark::trial
