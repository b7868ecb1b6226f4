// `heapmark record` of the program workloads/trace/recorder/tests/recorded.c, and the traces that it leaves,
// for tests.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "testing/folder.h"
#include "testing/soon.h"
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

// A heapmark that records a program that reads what it is told ("wait", "steps"); the program's input ends
// with the object.
class Waiting {
 public:
  explicit Waiting(const Recording& recording, const std::string& what = "wait",
                   const std::vector<std::string>& flags = {})
      : folder_(recording.folder), fifo_(recording.folder.file("fifo")) {
    REQUIRE(::mkfifo(fifo_.c_str(), 0600) == 0);
    std::vector<std::string> arguments{"record", "-o", recording.output()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.insert(arguments.end(),
                     {"--", "sh", "-c", "exec " + recorded_program() + " " + what + " <" + fifo_});
    tool_ = start_tool(recording.folder, arguments);
    writer_ = ::open(fifo_.c_str(), O_WRONLY | O_CLOEXEC);
    REQUIRE(writer_ >= 0);
    REQUIRE(prints("ready\n"));
  }
  ~Waiting() { end(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  void say(const std::string& bytes) const {
    REQUIRE(::write(writer_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  void end() {
    if (writer_ >= 0) ::close(writer_);
    writer_ = -1;
  }
  // Whether that becomes all that it has printed.
  [[nodiscard]] bool prints(const std::string& all) const {
    return becomes_true([&] { return contents(folder_.file("out")) == all; }, std::chrono::seconds(60));
  }
  // What heapmark has said so far.
  [[nodiscard]] std::string said() const { return contents(folder_.file("err")); }
  [[nodiscard]] pid_t tool() const { return tool_; }

 private:
  const Folder& folder_;
  std::string fifo_;
  pid_t tool_ = -1;
  int writer_ = -1;
};

}  // namespace heapmark::testing
