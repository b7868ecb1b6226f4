// A closed trace read as a whole, for tests that look at what was recorded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "testing/folder.h"
#include "workloads/contract/trace/reader.h"

namespace heapmark::testing {

struct TraceEvents {
  std::string error;  // "" where the file could be read to its end
  trace::Header header{};
  std::string text;
  std::map<std::uint32_t, std::vector<trace::Event>> of_thread;

  // Events of that kind and size, of all threads.
  [[nodiscard]] std::uint64_t count(trace::Op op, std::uint64_t size) const {
    std::uint64_t found = 0;
    for (const auto& [thread, events] : of_thread)
      for (const trace::Event& event : events) found += event.op == op && event.size == size ? 1U : 0U;
    return found;
  }
  [[nodiscard]] std::uint64_t count(trace::Op op) const {
    std::uint64_t found = 0;
    for (const auto& [thread, events] : of_thread)
      for (const trace::Event& event : events) found += event.op == op ? 1U : 0U;
    return found;
  }
  // Frees of objects of that size, by whatever thread.
  [[nodiscard]] std::uint64_t frees(std::uint64_t size) const {
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> sizes;
    for (const auto& [thread, events] : of_thread)
      for (const trace::Event& event : events)
        if (trace::yields(event.op)) sizes[{event.gives.thread, event.gives.serial}] = event.size;
    std::uint64_t found = 0;
    for (const auto& [thread, events] : of_thread)
      for (const trace::Event& event : events)
        if (event.op == trace::Op::kFree && sizes.at({event.takes.thread, event.takes.serial}) == size)
          ++found;
    return found;
  }
};

inline TraceEvents read_trace_bytes(const std::string& bytes) {
  TraceEvents read;
  trace::TraceFile file;
  const auto failed = [&](trace::Error error) {
    if (error != nullptr && read.error.empty()) read.error = error;
    return error != nullptr;
  };
  if (failed(file.open(bytes.data(), bytes.size()))) return read;
  read.header = file.header();
  std::vector<std::uint64_t> workspace(trace::TraceFile::workspace_bytes() / 8 + 1);
  std::vector<std::uint64_t> index(read.header.index_raw_bytes / 8 + 1);
  if (failed(file.read_index(index.data(), workspace.data()))) return read;
  read.text.assign(file.text(), read.header.text_bytes);
  std::vector<std::uint64_t> made(read.header.threads);
  std::string raw(read.header.max_segment_raw_bytes, '\0');
  for (std::uint64_t number = 0; number < read.header.segments; ++number) {
    if (failed(file.read_segment(number, raw.data(), workspace.data()))) return read;
    trace::SegmentParts parts(file, number, raw.data(), made.data());
    std::vector<std::uint64_t> made_after = made;
    while (parts.left() > 0) {
      trace::Part part;
      if (failed(parts.next(part))) return read;
      while (part.left() > 0) {
        trace::Event event{};
        if (failed(part.next(event))) return read;
        if (trace::yields(event.op)) made_after[part.thread()] = event.gives.serial + 1;
        read.of_thread[part.thread()].push_back(event);
      }
    }
    if (failed(parts.finish())) return read;
    made = made_after;
  }
  return read;
}

inline TraceEvents read_trace(const std::filesystem::path& path) {
  return read_trace_bytes(contents(path));
}

}  // namespace heapmark::testing
