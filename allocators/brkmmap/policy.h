// What to do with free memory: pure decisions over what is known of it, the thresholds and the time. Who
// holds the memory (the page heap, the mappings) carries them out and falls back to keeping where the kernel
// refuses.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "allocators/brkmmap/tunables.h"

namespace brkmmap {

struct FreeRange {
  std::size_t bytes;
  std::size_t dirty_bytes;  // that may have been written
  bool at_top;              // it ends at the break
  bool beside_hole;         // a neighbour's addresses are given back already
};

enum class Action { kKeep, kTrim, kPurge, kRelease };

// How much more than needed the break is raised. In proportion to what lives, so that a heap of any size
// grows in some hundred steps.
inline std::size_t top_pad(std::size_t live_bytes, const Tunables& tunables) noexcept {
  constexpr std::size_t kMost = std::size_t{32} << 20;
  const std::size_t share = tunables.dynamic != 0 ? std::min(live_bytes / 64, kMost) : 0;
  return std::max<std::size_t>(tunables.top_pad, share);
}

// Free memory at the top above which the break is lowered: in proportion too, so that it shrinks in such
// steps.
inline std::size_t trim_above(std::size_t live_bytes, const Tunables& tunables) noexcept {
  const std::size_t share = tunables.dynamic != 0 ? live_bytes / 32 : 0;
  return std::max<std::size_t>(tunables.trim_threshold, share);
}

// The tutorial's thresholds, raised by `slack`. Beside a hole the addresses go as soon as purging would pay,
// since no further mapping is split off.
inline Action decide(const FreeRange& range, std::size_t live_bytes, const Tunables& tunables,
                     std::size_t slack) noexcept {
  if (range.at_top)
    return range.bytes > trim_above(live_bytes, tunables) + slack ? Action::kTrim : Action::kKeep;
  if (range.bytes >= tunables.release_threshold + slack) return Action::kRelease;
  if (range.beside_hole && range.bytes >= tunables.purge_threshold + slack) return Action::kRelease;
  if (range.dirty_bytes >= tunables.purge_threshold + slack) return Action::kPurge;
  return Action::kKeep;
}

inline constexpr std::size_t kLeastSlack = std::size_t{1} << 20;  // bytes that are always affordable

// What slack may be while `live_bytes` are in use, of which it is to be at most `percent`.
inline std::size_t most_slack(std::size_t live_bytes, std::size_t percent) noexcept {
  return std::max<std::size_t>(kLeastSlack, live_bytes / 100 * percent);
}

// What a program that empties its heap again and again may keep of it while little lives, wherever it lies,
// until nothing has needed it for kRestAfter (Heap::rest_if_due). With the tables and what stays anyway that
// is at most 8 MiB or a tenth of the recent peak.
inline std::size_t burst_allowance(std::size_t peak_bytes) noexcept {
  return std::max<std::size_t>(std::size_t{7} << 20, peak_bytes / 12);
}

// Retained memory above this, beside a share of what lives, is given back when nothing has needed it for
// kRestAfter milliseconds.
inline constexpr std::size_t kRest = std::size_t{1} << 20;
inline constexpr std::uint64_t kRestAfter = 900;
inline bool is_excess(std::size_t retained_bytes, std::size_t live_bytes) noexcept {
  return retained_bytes > kRest + live_bytes;
}

// Requests from this size on are mappings of their own. What is small beside all that lives leaves a hole
// which others fill; as a mapping, every page of it would be faulted in anew each time. Up to a limit: large
// mappings are moved and put together without a copy (kept_mappings.h), and leave no hole. In a program that
// empties its heap again and again, whose slack is more than its share, there is no limit.
inline std::size_t mapped_from(std::size_t live_bytes, std::size_t slack, const Tunables& tunables) noexcept {
  constexpr std::size_t kMost = std::size_t{2} << 20;
  const std::size_t share = tunables.dynamic != 0 ? live_bytes / 100 * tunables.mmap_percent : 0;
  const std::size_t raised = std::max<std::size_t>(tunables.mmap_threshold + slack, share);
  if (slack > most_slack(live_bytes, tunables.slack_share())) return raised;
  return std::max<std::size_t>(tunables.mmap_threshold, std::min(raised, kMost));
}

// Of the slack, what small things may have of it, which lie scattered: nothing while there is only the least.
inline std::size_t scattered_slack(std::size_t slack) noexcept {
  return slack - std::min(slack, kLeastSlack);
}

// What may lie on the shelf: nothing, but in a program that empties its heap again and again, whose slack is
// more than the share: then what `dirty_bytes` of free spans leave of it.
inline std::size_t shelf_limit(std::size_t live_bytes, std::size_t slack, std::size_t dirty_bytes,
                               const Tunables& tunables) noexcept {
  const std::size_t share = tunables.slack_share();
  return share != 0 && slack > most_slack(live_bytes, share) ? slack - std::min(slack, dirty_bytes) : 0;
}

// So much written free memory is always worth keeping.
inline constexpr std::size_t kLeastDirty = std::size_t{256} << 10;

// Written free memory below all thresholds, in ranges however small, that is worth keeping.
inline std::size_t dirty_limit(std::size_t live_bytes, std::size_t slack, const Tunables& tunables) noexcept {
  return kLeastDirty + live_bytes / 100 * tunables.dirty_percent + slack;
}

// The same for free pages inside slabs of several pages, whose objects take so many bytes.
inline std::size_t slab_dirty_limit(std::size_t object_bytes, const Tunables& tunables,
                                    std::size_t slack) noexcept {
  return kLeastDirty + object_bytes / 100 * tunables.dirty_percent * 2 +
         std::min(scattered_slack(slack), object_bytes);
}

// What the caches of all threads may hold together: a share of what lives, taken by those that use it, and a
// little more for each thread.
inline constexpr std::size_t kOwnCache = std::size_t{8} << 10;
inline std::size_t cache_budget(std::size_t live_bytes, std::size_t threads) noexcept {
  constexpr std::size_t kLeast = std::size_t{2} << 20;
  return std::max(kLeast, live_bytes / 16) + threads * kOwnCache;
}

// The part of it that no other thread can take.
inline std::size_t equal_part(std::size_t budget_bytes, std::size_t threads) noexcept {
  return budget_bytes / std::max<std::size_t>(threads, 1);
}

// What a thread that has `promised_bytes` of the `all_bytes` promised to all may keep while it frees: what it
// has, where that is too much for all together half of it but no less than an equal part of the budget, and
// little where it does nothing else.
inline std::size_t cache_limit(std::size_t promised_bytes, std::size_t all_bytes, std::size_t budget_bytes,
                               std::size_t threads, bool asks) noexcept {
  const std::size_t part = all_bytes > budget_bytes
                               ? std::max(promised_bytes / 2, equal_part(budget_bytes, threads))
                               : promised_bytes;
  return asks ? part : std::min(part, budget_bytes / 16);
}

// Against thrashing. Memory that was given back and is soon needed again must be faulted in anew: it was
// given back too early. So many bytes are added to the slack, free memory that is kept beyond the thresholds;
// each second in which no more are added halves it. The slack never exceeds a share of what is live, so that
// it is gone when the program has freed its memory. With a share of 0 there is no slack, and the thresholds
// are exact.
class Hysteresis {
 public:
  static constexpr std::uint64_t kHalfLife = 1000;  // milliseconds
  // Once the half of the peak that goes last was given back too early so often, all of it may be kept, as far
  // as the burst allowance goes.
  static constexpr std::size_t kRounds = 3;

  constexpr Hysteresis() = default;

  // Whether took() has any effect now.
  bool watching() const noexcept { return given_ != 0; }
  // `bytes` went back to the kernel, or came from it, at `now` (milliseconds from any fixed point).
  void gave_back(std::size_t bytes, std::uint64_t now) noexcept {
    age(now);
    given_ += bytes;
    if (has_shrunk(last_live_bytes())) given_when_low_ += bytes;
  }
  void took(std::size_t bytes, std::uint64_t now) noexcept {
    if (given_ == 0) return;
    age(now);
    const std::size_t early = std::min(bytes, given_);
    given_ -= early;
    slack_ += early;
    const std::size_t of_low = std::min(early, given_when_low_);
    given_when_low_ -= of_low;
    early_when_low_ += of_low;
  }
  // Bytes to keep beyond the thresholds while `live_bytes` are in use, of which they may be `percent`; where
  // the program empties its heap again and again, as many as it had lately, as far as the burst allowance
  // goes, of which `elsewhere_bytes` are taken.
  std::size_t slack(std::size_t live_bytes, std::size_t percent, std::uint64_t now,
                    std::size_t elsewhere_bytes = 0) noexcept {
    note_live(live_bytes);
    if (slack_ != 0) age(now);
    const std::size_t share = percent == 0 ? 0 : most_slack(live_bytes, percent);
    const bool empties = percent != 0 && early_when_low_ * 2 > kRounds * peak_;
    const std::size_t burst = burst_allowance(peak_);
    slack_ = empties ? std::max(share, std::min(peak_, burst - std::min(burst, elsewhere_bytes)))
                     : std::min(slack_, share);
    last_.store(slack_, std::memory_order_relaxed);
    note_rounds(live_bytes, percent != 0);
    return slack_;
  }

  // A program fills its heap in rounds when lately half of the peak was given back while much less lived, and
  // came again soon: as slack() found last. No peak below kLeastRounds counts, since all of that may be kept.
  static constexpr std::size_t kLeastRounds = std::size_t{8} << 20;
  bool in_rounds() const noexcept { return in_rounds_; }
  // Whether it is filling its heap now and will fill so many bytes more, to get what it had.
  bool refills(std::size_t live_bytes, std::size_t more_bytes) const noexcept {
    return in_rounds_ && !is_little(live_bytes) && live_bytes + more_bytes <= peak_;
  }
  // In rounds: how often the heap was emptied. Any thread.
  std::uint32_t times_emptied() const noexcept { return times_emptied_.load(std::memory_order_relaxed); }
  // No rounds are seen from now on, or before the heap has been emptied once more.
  void ignore_rounds(bool for_ever) noexcept {
    ignores_ = for_ever ? Ignores::kAlways : std::max(ignores_, Ignores::kThisRound);
    in_rounds_ = false;
  }

  // Starts anew: the program has not needed what was kept for it.
  void rest() noexcept {
    given_ = given_when_low_ = slack_ = early_when_low_ = 0;
    in_rounds_ = false;
  }
  // Of what is kept, so much was of use again. Any thread.
  void reused(std::size_t bytes) noexcept { reused_.fetch_add(bytes, std::memory_order_relaxed); }
  void note_live(std::size_t live_bytes) noexcept {
    peak_ = std::max(peak_, live_bytes);
    if (live_bytes > peak_ / 2) was_full_ = true;
    live_.store(live_bytes, std::memory_order_relaxed);
  }
  // Whether much less lives than lately.
  bool has_shrunk(std::size_t live_bytes) const noexcept { return live_bytes < peak_ / 2; }
  // What slack() returned last, and the live bytes seen last: for those who don't hold the lock that guards
  // the rest.
  std::size_t last() const noexcept { return last_.load(std::memory_order_relaxed); }
  std::size_t last_live_bytes() const noexcept { return live_.load(std::memory_order_relaxed); }

 private:
  enum class Ignores : std::uint8_t { kNothing, kThisRound, kAlways };

  bool is_little(std::size_t live_bytes) const noexcept { return live_bytes < peak_ / 16; }
  void note_rounds(std::size_t live_bytes, bool is_dynamic) noexcept {
    const bool emptied = was_full_ && is_little(live_bytes);
    if (emptied) {
      was_full_ = false;
      if (ignores_ == Ignores::kThisRound) ignores_ = Ignores::kNothing;
    }
    in_rounds_ =
        is_dynamic && ignores_ == Ignores::kNothing && peak_ >= kLeastRounds && early_when_low_ * 2 > peak_;
    if (emptied && in_rounds_) times_emptied_.fetch_add(1, std::memory_order_relaxed);
  }
  void age(std::uint64_t now) noexcept {
    for (; now - since_ >= kHalfLife && (given_ | slack_ | early_when_low_) != 0; since_ += kHalfLife) {
      peak_ = std::max(peak_ / 2, last_live_bytes());
      // While as much as the slack is in use again and again, nothing is given back too early, thanks to the
      // slack.
      if (slack_ != 0 && reused_.exchange(0, std::memory_order_relaxed) >= slack_) continue;
      given_ /= 2;
      given_when_low_ /= 2;
      slack_ /= 2;
      early_when_low_ /= 2;
    }
    if (now - since_ >= kHalfLife) since_ = now;
  }

  std::size_t given_ = 0;           // given back lately
  std::size_t given_when_low_ = 0;  // of that, while much less lived than before
  std::size_t slack_ = 0;
  std::size_t early_when_low_ = 0;  // of what was given back while little lived, too early, lately
  std::size_t peak_ = 0;            // most live bytes lately
  std::uint64_t since_ = 0;
  bool in_rounds_ = false;
  bool was_full_ = false;  // more than half of the peak lived since the heap was emptied last
  Ignores ignores_ = Ignores::kNothing;
  std::atomic<std::size_t> reused_{0};  // lately
  std::atomic<std::size_t> last_{0};
  std::atomic<std::size_t> live_{0};
  std::atomic<std::uint32_t> times_emptied_{0};
};

}  // namespace brkmmap
