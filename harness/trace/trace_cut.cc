#include "harness/trace/trace_cut.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "harness/trace/trace_walk.h"
#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

namespace {

struct ObjectHash {
  std::size_t operator()(const Object& object) const {
    return (object.serial * kMaxThreads + object.thread) * 0x9e3779b97f4a7c15;
  }
};

class Cutter {
 public:
  Cutter(TraceReading& reading, const CutRange& range, const std::filesystem::path& to)
      : reading_(reading),
        walk_(reading),
        tick_ns_(reading.header().tick_ns),
        from_tick_(first_tick(range.from_ns)),
        to_tick_(first_tick(range.to_ns)),
        writer_(to, options(range)),
        runs_(reading.header().threads),
        numbers_(reading.header().threads) {
    runs_[0] = true;
  }

  Header run(const std::function<void(double)>& progress) {
    bool within = false, passed = false;
    std::uint64_t segment = ~std::uint64_t{0};
    while (walk_.next()) {
      if (progress && walk_.step().segment != segment) {
        segment = walk_.step().segment;
        progress(static_cast<double>(segment) / static_cast<double>(reading_.header().segments));
      }
      const Event& event = walk_.event();
      passed = event.tick >= to_tick_;
      if (passed) break;
      if (event.tick >= from_tick_) {
        if (!within) write_start(&event);
        within = true;
        write_event();
      }
      if (event.op == Op::kSpawn) runs_[event.spawned] = true;
      if (event.op == Op::kEnd) runs_[walk_.step().thread] = false;
    }
    if (!within) write_start(passed ? &walk_.event() : nullptr);
    return writer_.finish(End::kCut, {});
  }

 private:
  // The first tick that is not before a time.
  [[nodiscard]] std::uint64_t first_tick(std::uint64_t ns) const {
    return ns / tick_ns_ + (ns % tick_ns_ != 0 ? 1 : 0);
  }

  [[nodiscard]] WriterOptions options(const CutRange& range) const {
    const Header& header = reading_.header();
    WriterOptions options;
    options.tick_ns = tick_ns_;
    options.start_unix_ns = header.start_unix_ns == 0 ? 0 : header.start_unix_ns + from_tick_ * tick_ns_;
    options.pid = header.pid;
    for (const auto& [key, value] : reading_.text())
      if (key != "cut") options.text.emplace_back(key, value);
    const std::string before = reading_.text("cut");
    options.text.emplace_back("cut", before.empty() ? range.words : before + ", of that " + range.words);
    std::uint64_t events = 0;
    for (std::uint64_t number = 0; number < header.segments; ++number)
      if (reading_.segment(number).end_tick >= from_tick_ &&
          (number == 0 || reading_.segment(number - 1).end_tick < to_tick_))
        events += reading_.segment(number).events;
    options.segment_events = segment_events_for(events);
    return options;
  }

  // The threads that run, and what lives, before `undone`: the event that the walk is at, or nullptr where
  // none is to be undone.
  void write_start(const Event* undone) {
    for (std::uint32_t thread = 0; thread < runs_.size(); ++thread)
      if (runs_[thread]) {
        numbers_[thread] = threads_++;
        if (numbers_[thread] != 0) writer_.spawn(0, 0, numbers_[thread]);
      }
    // Where none runs the first stands for all: there are no events to come.
    threads_ = std::max(threads_, std::uint32_t{1});
    std::vector<std::pair<Object, Known>> live;
    live.reserve(walk_.live().size() + 1);
    walk_.live().each([&](const Object& object, const Known& known) {
      if (undone == nullptr || !yields(undone->op) || object != undone->gives)
        live.emplace_back(object, known);
    });
    if (undone != nullptr && gives_up(undone->op)) live.emplace_back(undone->takes, walk_.taken());
    std::sort(live.begin(), live.end(), [](const auto& left, const auto& right) {
      return std::tuple(left.second.born_tick, left.first.thread, left.first.serial) <
             std::tuple(right.second.born_tick, right.first.thread, right.first.serial);
    });
    for (const auto& [object, known] : live) {
      const std::uint32_t thread = runs_[object.thread] ? numbers_[object.thread] : 0;
      const Op op = known.op == Op::kRealloc ? Op::kMalloc : known.op;
      live_[object] = writer_.request(thread, 0, op, known.bytes, known.log2_alignment, known.written_pages);
    }
    if (writer_.events() != 0) ticks_before_ = 1;
  }

  void write_event() {
    const Event& event = walk_.event();
    const std::uint32_t thread = numbers_[walk_.step().thread];
    const std::uint64_t time_ns = (event.tick - from_tick_ + ticks_before_) * tick_ns_;
    LiveObject taken;
    if (gives_up(event.op)) {
      const auto found = live_.find(event.takes);
      taken = found->second;
      live_.erase(found);
    }
    switch (event.op) {
      case Op::kMalloc:
      case Op::kCalloc:
      case Op::kAligned:
        live_[event.gives] =
            writer_.request(thread, time_ns, event.op, event.size, event.log2_alignment, event.written_pages);
        break;
      case Op::kRealloc:
        live_[event.gives] =
            writer_.resize(thread, time_ns, taken, event.size, event.moved, event.written_pages);
        break;
      case Op::kFree:
        writer_.free(thread, time_ns, taken);
        break;
      case Op::kWrite:
        if (const auto found = live_.find(event.takes); found != live_.end())
          writer_.write(thread, time_ns, found->second, event.written_pages);
        break;
      case Op::kRefused:
        writer_.refused(thread, time_ns, event.size);
        break;
      case Op::kSpawn:
        numbers_[event.spawned] = threads_++;
        writer_.spawn(thread, time_ns, numbers_[event.spawned]);
        break;
      case Op::kEnd:
        writer_.end(thread, time_ns);
        break;
    }
  }

  TraceReading& reading_;
  TraceWalk walk_;
  std::uint64_t tick_ns_, from_tick_, to_tick_;
  std::uint64_t ticks_before_ = 0;  // 1 where the part begins with what lives, all of which then comes first
  TraceWriter writer_;
  std::vector<bool> runs_;
  std::vector<std::uint32_t> numbers_;  // in the part, of each thread of the whole that runs in it
  std::uint32_t threads_ = 0;
  std::unordered_map<Object, LiveObject, ObjectHash> live_;
};

}  // namespace

Header cut_trace(TraceReading& reading, const CutRange& range, const std::filesystem::path& to,
                 const std::function<void(double)>& progress) {
  return Cutter(reading, range, to).run(progress);
}

}  // namespace heapmark::trace
