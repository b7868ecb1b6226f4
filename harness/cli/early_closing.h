// Closes a recording in a thread of its own as soon as it has ended, while the program goes on; says so in a
// line when the traces are there. Above: record.cc. Below: close_recording.h.
#pragma once

#include <filesystem>
#include <future>
#include <optional>
#include <vector>

#include "harness/cli/close_recording.h"

namespace heapmark::cli {

class EarlyClosing {
 public:
  // `recording` must stay; it is the file `raw`.
  EarlyClosing(const trace::RawRecording& recording, std::filesystem::path raw, std::filesystem::path output)
      : recording_(recording), raw_(std::move(raw)), output_(std::move(output)) {}

  // Recording has ended and the program goes on. Returns at once. On a full disk nothing is begun.
  void begin();

  // Waits for it. None where it was not begun, failed (which was said), or found nothing: the recording is
  // then to be closed at the program's end.
  [[nodiscard]] std::vector<ClosedTrace> traces();

 private:
  [[nodiscard]] std::vector<ClosedTrace> close() const;

  const trace::RawRecording& recording_;
  std::filesystem::path raw_, output_;
  std::future<std::vector<ClosedTrace>> closing_;
};

}  // namespace heapmark::cli
