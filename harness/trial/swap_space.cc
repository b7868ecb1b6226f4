// See swap_space.h.
#include "harness/trial/swap_space.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "harness/machine/memory_pressure.h"

namespace heapmark::trial {
namespace {

constexpr std::array<std::pair<SwapKind, std::string_view>, 5> kNames{{{SwapKind::kFile, "file"},
                                                                       {SwapKind::kZram, "zram"},
                                                                       {SwapKind::kPresent, "present"},
                                                                       {SwapKind::kNone, "none"},
                                                                       {SwapKind::kAutomatic, "automatic"}}};

}  // namespace

std::string_view swap_kind_name(SwapKind kind) {
  for (const auto& [known, name] : kNames)
    if (known == kind) return name;
  return "";
}

const std::vector<std::string>& swap_kind_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [kind, name] : kNames)
      if (kind != SwapKind::kAutomatic) all.emplace_back(name);
    return all;
  }();
  return names;
}

SwapKind swap_kind_from(std::string_view name) {
  for (const auto& [kind, known] : kNames)
    if (known == name) return kind;
  return SwapKind::kAutomatic;
}

SwapKind settle(SwapKind asked, bool has_swap, bool is_root) {
  if (asked != SwapKind::kAutomatic) return asked;
  if (has_swap) return SwapKind::kPresent;
  return is_root ? SwapKind::kFile : SwapKind::kNone;
}

SwapSpace::SwapSpace(const SwapAsked& asked)
    : kind_(settle(asked.kind, machine::has_swap(), ::geteuid() == 0)) {
  // Who names a kind wants that one, whatever the machine has.
  const auto beside = asked.kind == SwapKind::kAutomatic ? BesideOther::kNo : BesideOther::kYes;
  try {
    if (kind_ == SwapKind::kFile) file_ = std::make_unique<SwapFile>(asked.folder, asked.bytes, beside);
    if (kind_ == SwapKind::kZram) zram_ = std::make_unique<ZramSwap>(asked.bytes, beside);
    if (kind_ == SwapKind::kPresent && !machine::has_swap())
      throw SwapRefused("this machine has no swap: --swap file or --swap zram makes one");
  } catch (const SwapRefused& refused) {
    if (asked.kind != SwapKind::kAutomatic) throw;
    kind_ = SwapKind::kNone;
    why_none_ = refused.what();
  }
}

}  // namespace heapmark::trial
