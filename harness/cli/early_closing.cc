// See early_closing.h.
#include "harness/cli/early_closing.h"

#include <fmt/format.h>

#include <exception>

#include "harness/cli/terminal.h"

namespace heapmark::cli {

void EarlyClosing::begin() {
  if (recording_.control().reason == trace::RawReason::kDisk) {
    warn("recording has ended: the disk is full; the program goes on, and the trace is written when it ends");
    return;
  }
  recording_.note_end();
  closing_ = std::async(std::launch::async, [this] { return close(); });
}

std::vector<ClosedTrace> EarlyClosing::close() const {
  const char* const why = words_of(recording_.control().reason);
  try {
    std::vector<ClosedTrace> traces =
        close_recording(recording_, raw_, output_, std::nullopt, trace::Writers::kMayBeAtWork);
    if (traces.empty())
      warn(fmt::format("recording has ended: {}; nothing was recorded, and the program goes on", why));
    else
      warn(fmt::format("recording has ended: {}; {} is written{}, and the program goes on", why,
                       most_events(traces).file,
                       traces.size() > 1 ? fmt::format(" and {} more", traces.size() - 1) : ""));
    return traces;
  } catch (const std::exception& error) {
    warn(fmt::format(
        "recording has ended: {}; the program goes on, and the trace is tried again when it ends: {}", why,
        error.what()));
    return {};
  }
}

std::vector<ClosedTrace> EarlyClosing::traces() {
  return closing_.valid() ? closing_.get() : std::vector<ClosedTrace>{};
}

}  // namespace heapmark::cli
