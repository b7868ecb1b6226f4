// Starts the measured process: its environment built from nothing, its report in a shared mapping, its
// standard error kept, in a process group of its own that dies with the tool.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/trial/trial.h"
#include "workloads/contract/report.h"

namespace heapmark::trial {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// The report as shared memory: the child writes it, the parent reads it, also while the child runs.
class SharedReport {
 public:
  SharedReport();  // throws std::system_error
  ~SharedReport();
  SharedReport(const SharedReport&) = delete;
  SharedReport& operator=(const SharedReport&) = delete;
  [[nodiscard]] const Report& get() const { return *report_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Descriptor fd_;
  Report* report_;
};

// What a child does before it becomes the measured process, for the ledger: 0, or the errno of a failure.
using BeforeExec = int (*)();

struct Child {
  pid_t pid = -1;
  Descriptor standard_error;  // a file in memory
};

// What the measured process gets beside its report: descriptors that stay open, and the words that name them.
struct HandedOver {
  std::vector<std::string> arguments;
  std::vector<int> descriptors;
};

// `padding` bytes are added to the environment, so that the stack lies elsewhere each time. In the speed pass
// it runs at the highest priority that this process may give.
[[nodiscard]] Child start_child(const std::string& host_program, const TrialSpec& spec, int report_fd,
                                std::size_t padding, BeforeExec before_exec = nullptr,
                                const HandedOver& more = {});

// Ends the whole group: the workload, or what it left behind.
void kill_all_of(const Child& child);

// Bytes to add to the environment, drawn from the seed, round and id of the trial.
[[nodiscard]] std::size_t padding_for(const TrialSpec& spec);

[[nodiscard]] std::string now_utc();  // ISO 8601

// The last lines that the child wrote to its standard error, made one line; "" where it wrote nothing.
[[nodiscard]] std::string last_words(const Descriptor& standard_error);

}  // namespace heapmark::trial
