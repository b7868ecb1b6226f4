// The smallest memory limit at which a piece of work completes, by bisection. Pure: what a try is, is the
// caller's. That a larger limit never does worse is taken for granted; where tries near the boundary come out
// by chance, the result is one of the limits in that range, and repeating the search shows how wide it is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace heapmark::trial {

enum class TryEnd { kCompletes, kFails, kStop };  // kStop: the search is to be given up

// A search ends where what fails and what completes are this share of the latter apart, or one page.
inline constexpr double kLimitResolution = 0.01;
// `enough` is tried first, and doubled as often as this where it does not suffice.
inline constexpr int kMostDoublings = 2;

// The smallest limit found to complete; at the resolution above a smaller one failed. `fails_bytes`: known,
// or taken, to fail. Empty where nothing completed, or a try said kStop.
[[nodiscard]] std::optional<std::uint64_t> smallest_limit(
    std::uint64_t fails_bytes, std::uint64_t enough_bytes,
    const std::function<TryEnd(std::uint64_t)>& try_limit);

}  // namespace heapmark::trial
