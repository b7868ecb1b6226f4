// Runs one trial whose work is a server: the server alone on the allocator, a load from outside, then time to
// settle. Phases: starting, ready, load, settle. Above: command_run.cc.
#pragma once

#include <optional>
#include <string>

#include "harness/trial/launch.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

// Fills `result`; `launch` is the server's. In the memory pass the tree is sampled and may settle, in the
// speed pass it is stopped when the load has ended. Throws std::system_error where it cannot be started.
void run_server(const TrialSpec& spec, const Launch& launch, int interrupted_fd, TrialResult& result);

// The number that the first group of `pattern` (ECMAScript) takes from `text`, or the whole match where it
// has no group; of several matches the last. Nothing where there is none. Throws std::regex_error.
[[nodiscard]] std::optional<double> figure_in(const std::string& text, const std::string& pattern);

}  // namespace heapmark::trial
