// One value for each pass of workloads/contract/pass.def: how many rounds a plan has, what a round costs. And
// what `--rounds` means. Pure.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/contract/pass.h"

namespace heapmark::plan {

// Names in the order of the rows.
[[nodiscard]] std::vector<std::string> pass_names();

// Throws UsageError ("did you mean") for a name that no pass has.
[[nodiscard]] std::size_t pass_index(std::string_view name);
[[nodiscard]] const PassInfo& pass_info(std::string_view name);

template <typename T>
class ByPass {
 public:
  ByPass() = default;
  // Those not named are T{}.
  ByPass(std::initializer_list<std::pair<std::string_view, T>> values) {
    for (const auto& [name, value] : values) of(name) = value;
  }
  // Both throw UsageError for a name that no pass has.
  [[nodiscard]] T& of(std::string_view pass) { return values_[pass_index(pass)]; }
  [[nodiscard]] const T& of(std::string_view pass) const { return values_[pass_index(pass)]; }
  [[nodiscard]] auto begin() { return values_.begin(); }
  [[nodiscard]] auto end() { return values_.end(); }
  [[nodiscard]] auto begin() const { return values_.begin(); }
  [[nodiscard]] auto end() const { return values_.end(); }
  bool operator==(const ByPass&) const = default;

 private:
  std::array<T, kPassCount> values_{};
};

using Rounds = ByPass<unsigned>;

[[nodiscard]] Rounds default_rounds(bool quick);
[[nodiscard]] Rounds one_round_each();

// "" (the defaults), "6" (see PassInfo::grows) or "speed=6,memory=1" (the others as by default). Throws
// UsageError.
[[nodiscard]] Rounds parse_rounds(const std::string& asked, bool quick);

// "speed=6,memory=3,...": what parse_rounds takes.
[[nodiscard]] std::string written(const Rounds& rounds);

// What a resumed run asks for with --rounds. What is measured already must stay part of the plan: a pass that
// took part in the last round may go on, one that had ended before it may not begin again.
[[nodiscard]] Rounds more_rounds(const Rounds& before, const std::string& asked);

// The defaults in words, for --help.
[[nodiscard]] std::string rounds_help();

}  // namespace heapmark::plan
