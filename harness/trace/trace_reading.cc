#include "harness/trace/trace_reading.h"

#include <fmt/core.h>

#include <algorithm>

namespace heapmark::trace {

TraceReading::TraceReading(const std::filesystem::path& path) : name_(path.string()), mapped_(path) {
  bytes_ = mapped_->bytes();
  open();
}

TraceReading::TraceReading(std::string_view bytes, std::string name) : name_(std::move(name)), bytes_(bytes) {
  open();
}

void TraceReading::bad(const std::string& what) const {
  throw BadTrace(fmt::format("{}: {}", name_, what));
}

void TraceReading::bad(std::uint64_t segment, std::uint32_t thread, const std::string& what) const {
  throw BadTrace(fmt::format("{}: segment {}, thread {}: {}", name_, segment, thread, what));
}

void TraceReading::open() {
  if (const Error error = file_.open(bytes_.data(), bytes_.size())) bad(error);
  workspace_.resize(TraceFile::workspace_bytes() / 8 + 1);
  index_.resize(header().index_raw_bytes / 8 + 1);
  if (const Error error = file_.read_index(index_.data(), workspace_.data())) bad(error);
  std::string_view rest(file_.text(), header().text_bytes);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t tab = line.find('\t');
    if (tab != std::string_view::npos) text_.emplace_back(line.substr(0, tab), line.substr(tab + 1));
  }
  raw_.resize(header().max_segment_raw_bytes);
  made_before_.resize(header().threads);
  made_.resize(header().threads);
  part_of_.assign(header().threads, kNoPart);
  has_started_.resize(header().threads);
  has_ended_.resize(header().threads);
  has_started_[0] = 1;
}

std::string TraceReading::text(std::string_view key) const {
  for (const auto& [name, value] : text_)
    if (name == key) return value;
  return "";
}

void TraceReading::open_segment() {
  const std::uint64_t number = next_segment_++;
  if (const Error error = file_.read_segment(number, raw_.data(), workspace_.data()))
    bad(fmt::format("segment {}: {}", number, error));
  if (mapped_) mapped_->drop_before(file_.segment(number).offset);
  SegmentParts parts(file_, number, raw_.data(), made_before_.data());
  if (parts.left() > parts_.size()) parts_.resize(parts.left());
  std::uint32_t count = 0;
  while (parts.left() > 0) {
    OpenPart& open = parts_[count];
    if (parts.next(open.part) != nullptr) break;
    const std::uint32_t thread = open.part.thread();
    if (has_ended_[thread] != 0) bad(number, thread, "it goes on after its end");
    part_of_[thread] = count++;
  }
  if (const Error error = parts.finish()) bad(fmt::format("segment {}: {}", number, error));
  parts_.resize(count);
  left_in_segment_ = file_.segment(number).events;
  for (std::uint32_t part = 0; part < count; ++part) read_head(part);
}

void TraceReading::close_segment() {
  for (OpenPart& open : parts_) {
    const std::uint32_t thread = open.part.thread();
    made_before_[thread] = made_[thread];
    part_of_[thread] = kNoPart;
    open.waiters.clear();
  }
}

void TraceReading::read_head(std::uint32_t number) {
  OpenPart& open = parts_[number];
  open.has_head = open.part.left() > 0;
  if (!open.has_head) return;
  if (const Error error = open.part.next(open.head)) bad(next_segment_ - 1, open.part.thread(), error);
  place(number);
}

void TraceReading::place(std::uint32_t number) {
  OpenPart& open = parts_[number];
  const std::uint32_t thread = open.part.thread();
  open.waits_for_spawn = has_started_[thread] == 0;
  if (open.waits_for_spawn) return;
  if (refers(open.head.op)) {
    const Object& object = open.head.takes;
    if (object.serial >= made_[object.thread]) {
      const std::uint32_t maker = part_of_[object.thread];
      if (maker == kNoPart)
        bad(next_segment_ - 1, thread,
            fmt::format("it refers to object {} of thread {}, which made only {}", object.serial,
                        object.thread, made_[object.thread]));
      parts_[maker].waiters.push_back({object.serial, number});
      return;
    }
  }
  ready_.push({open.head.tick, thread, number});
}

void TraceReading::spawned(std::uint32_t parent, std::uint32_t thread) {
  if (has_started_[thread] != 0)
    bad(next_segment_ - 1, parent, fmt::format("it starts thread {}, which has been started before", thread));
  has_started_[thread] = 1;
  const std::uint32_t part = part_of_[thread];
  if (part != kNoPart && parts_[part].waits_for_spawn) place(part);
}

bool TraceReading::next(Step& step) {
  if (left_in_segment_ == 0) {
    close_segment();
    parts_.clear();
    if (next_segment_ == header().segments) return false;
    open_segment();
  }
  if (ready_.empty()) {
    std::uint32_t thread = 0;
    for (const OpenPart& open : parts_)
      if (open.has_head) thread = open.part.thread();
    bad(next_segment_ - 1, thread, "it waits for an object or a start that never comes");
  }
  const Ready first = ready_.top();
  ready_.pop();
  OpenPart& open = parts_[first.part];
  step.segment = next_segment_ - 1;
  step.thread = first.thread;
  step.event = open.head;
  if (first.tick < last_tick_)
    bad(step.segment, step.thread, "it is at work, by its times, before what it waits for");
  last_tick_ = first.tick;
  --left_in_segment_;
  const Op op = step.event.op;
  if (op == Op::kSpawn) spawned(step.thread, step.event.spawned);
  if (op == Op::kEnd) has_ended_[step.thread] = 1;
  if (yields(op)) {
    const std::uint64_t made = ++made_[step.thread];
    for (std::size_t at = 0; at < open.waiters.size();) {
      const Waiter waiter = open.waiters[at];
      if (waiter.serial >= made) {
        ++at;
        continue;
      }
      open.waiters[at] = open.waiters.back();
      open.waiters.pop_back();
      const OpenPart& waiting = parts_[waiter.part];
      ready_.push({waiting.head.tick, waiting.part.thread(), waiter.part});
    }
  }
  read_head(first.part);
  return true;
}

}  // namespace heapmark::trace
