// Which malloc a process of a command runs on, told from what it has mapped: the proof that a figure is the
// allocator's. Deciding is pure (judge_process); reading is /proc's maps. Above: tree_watch.h and the
// ledger's look at each process's end.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace heapmark::trial {

struct ProcessLook {
  std::string program;             // the file that it runs
  std::vector<std::string> files;  // that it has mapped, each once
};

// What a process has mapped now; empty where it is gone or may not be looked at.
[[nodiscard]] ProcessLook look_at(pid_t process);

enum class Proof {
  kUnknown,  // too early to say: its libraries are not mapped yet, or it could not be looked at
  kProved,   // the preloaded library is there, before all others
  kOwn,      // it runs on a malloc that nothing replaces
  kLost,     // the preloaded library is not there, though it could be
  kLinked,   // with glibc: it is linked with an allocator, which malloc resolves to
};

struct Judged {
  Proof proof = Proof::kUnknown;
  std::string why;  // a sentence where it is not proved
};

// `preload`: the file in LD_PRELOAD; `library`: that in which malloc must be found (the C library for glibc).
[[nodiscard]] Judged judge_process(const ProcessLook& look, const std::string& preload,
                                   const std::string& library);

// The judgements of a whole tree, each sentence once.
class ProofBook {
 public:
  ProofBook(std::string preload, std::string library);
  Proof judge(const ProcessLook& look);  // and keeps the sentence
  [[nodiscard]] std::vector<std::string> of(Proof proof) const;
  [[nodiscard]] bool proved_any() const { return proved_ > 0; }

 private:
  std::string preload_, library_;
  std::map<std::string, Proof> sentences_;
  unsigned proved_ = 0;
};

}  // namespace heapmark::trial
