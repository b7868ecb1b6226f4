// The swap of a measurement under pressure: what was asked for, what there is, and how long it is kept. Below
// are swap_file.h and zram_swap.h, which make it; the decision is pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trial/swap_file.h"
#include "harness/trial/zram_swap.h"

namespace heapmark::trial {

// kAutomatic: what the machine has, else a file where root asks, else none.
enum class SwapKind { kAutomatic, kFile, kZram, kPresent, kNone };

// "file", "zram", "present", "none"; "automatic" where nothing was asked for.
[[nodiscard]] std::string_view swap_kind_name(SwapKind kind);
[[nodiscard]] const std::vector<std::string>& swap_kind_names();  // that a user can write
// kAutomatic for "" and for a name that is not known.
[[nodiscard]] SwapKind swap_kind_from(std::string_view name);

// What kAutomatic means on this machine; every other kind is itself.
[[nodiscard]] SwapKind settle(SwapKind asked, bool has_swap, bool is_root);

struct SwapAsked {
  SwapKind kind = SwapKind::kAutomatic;
  std::filesystem::path folder = "/var/tmp";  // of a swap file
  std::uint64_t bytes = std::uint64_t{512} << 20;
};

class SwapSpace {
 public:
  // Throws SwapRefused where what was asked for by name cannot be had; kAutomatic goes on without
  // (why_none()).
  explicit SwapSpace(const SwapAsked& asked);

  [[nodiscard]] SwapKind kind() const { return kind_; }  // never kAutomatic
  [[nodiscard]] bool any() const { return kind_ != SwapKind::kNone; }
  [[nodiscard]] const std::string& why_none() const { return why_none_; }

 private:
  SwapKind kind_;
  std::string why_none_;
  std::unique_ptr<SwapFile> file_;
  std::unique_ptr<ZramSwap> zram_;
};

}  // namespace heapmark::trial
