// `heapmark record` of the program workloads/trace/recorder/tests/recorded.c, and the traces that it leaves,
// for tests.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "testing/folder.h"
#include "testing/tool.h"
#include "testing/trace_events.h"

namespace heapmark::testing {

// What stands in a folder of its own after recording.
struct Recording {
  Folder folder;
  Ended ended;
  [[nodiscard]] std::filesystem::path output() const { return folder.path() / "t.hmtrace"; }
  [[nodiscard]] std::filesystem::path raw() const { return folder.path() / "t.hmtrace.raw"; }
  // The traces of all processes but the first, by name.
  [[nodiscard]] std::vector<std::filesystem::path> others() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.path().extension() == ".hmtrace" && entry.path() != output()) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
};

inline std::string recorded_program(const std::string& name = "recorded") {
  return build_folder() + "/" + name;
}

// heapmark record -o t.hmtrace FLAGS... -- WORDS...
inline void record_into(Recording& recording, const std::vector<std::string>& words,
                        const std::vector<std::string>& flags = {}) {
  std::vector<std::string> arguments{"record", "-o", recording.output()};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), words.begin(), words.end());
  recording.ended = tool(recording.folder, arguments);
  INFO(recording.ended.err);
}

// The first process's trace, which must be whole.
inline TraceEvents first_trace(const Recording& recording) {
  INFO(recording.ended.err);
  TraceEvents trace = read_trace(recording.output());
  REQUIRE(trace.error.empty());
  return trace;
}

}  // namespace heapmark::testing
