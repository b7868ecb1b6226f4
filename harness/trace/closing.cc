// See closing.h.
#include "harness/trace/closing.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <limits>
#include <optional>
#include <queue>
#include <set>
#include <unordered_map>

#include "harness/trace/placed_objects.h"
#include "harness/trace/raw_thread.h"
#include "harness/trace/written_pages.h"

namespace heapmark::trace {
namespace {

// Far longer than the counters of two CPUs are apart, and shorter than a block takes to go through another
// thread and back for most programs.
constexpr double kLateNs = 1e6;
// How long, one after the other, an event waits for the request of the block that it gives up.
// Short: what the thread does afterwards is late by as much.
constexpr double kWaitsNs[] = {50, 200, 1000, 4000};
constexpr std::uint64_t kProgressEvents = 1 << 16;
constexpr std::uint64_t kRawBytesAnEvent = 5;  // to guess the number of events
// What only a damaged recording has: more than a malloc can be given (the kernel gives 2^47 bytes of
// addresses to who does not ask for more by mmap(2) himself), and times (in ns) near the end of 64 bits.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 48, kMostLiveBytes = kMaxRequest;
constexpr std::uint64_t kLatestNs = std::uint64_t{1} << 63;
constexpr std::uint32_t kNoThread = ~std::uint32_t{0};

// A thread's state: its next event, and what it has begun.
struct Source {
  explicit Source(RawThread thread) : thread(std::move(thread)) {}
  RawThread thread;
  RawEvent event;
  std::uint32_t number = kNoThread;  // in the trace
  bool ended = false;                // it said so
  std::uint64_t last_time = 0;
  std::size_t waits = 0;  // of its event, for the request of what it gives up
  struct Resize {
    std::uint64_t address = 0;
    std::optional<LiveObject> old;  // none: not known
  };
  std::vector<Resize> resizes;  // begun; a signal handler may begin one within another
};

std::deque<Source> sources_of(const RawRecording& recording, const RawProcess& process) {
  std::deque<Source> sources;
  const auto& chunks = process.chunks;
  for (std::size_t first = 0; first < chunks.size();) {
    std::size_t end = first;
    while (end < chunks.size() && chunks[end].thread == chunks[first].thread) ++end;
    sources.emplace_back(RawThread(recording.fd(), std::span(chunks).subspan(first, end - first)));
    first = end;
  }
  return sources;
}

// Writer: WritingPass or TellingPass.
template <typename Writer>
class Closing {
 public:
  Closing(const RawRecording& recording, const RawProcess& process, double ns_per_tick, Writer writer)
      : control_(recording.control()),
        process_(process),
        writer_(writer),
        unit_ns_(ns_per_tick * static_cast<double>(std::uint64_t{1} << control_.time_shift)),
        start_units_(process.start_ticks >> control_.time_shift),
        sources_(sources_of(recording, process)),
        places_(static_cast<std::uint64_t>(kLateNs / unit_ns_), sources_.size() > 1, closed_.counts) {
    for (const double wait_ns : kWaitsNs)
      wait_units_.push_back(static_cast<std::uint64_t>(wait_ns / unit_ns_) + 1);
  }

  Closed run(const Progress& progress) {
    // A thread is opened once the merge has come to its first chunk.
    for (std::size_t source = 0; source < sources_.size(); ++source) {
      by_raw_number_[sources_[source].thread.number()] = source;
      queue_.push({sources_[source].thread.start_time(), source, false});
    }
    if (const auto first = by_raw_number_.find(0); first != by_raw_number_.end())
      sources_[first->second].number = 0;
    const std::uint64_t total = process_.bytes();
    while (!queue_.empty()) {
      const auto [time, index, has_event] = queue_.top();
      queue_.pop();
      Source& source = sources_[index];
      if (has_event) {
        free_what_is_too_late(time);
        if (waits_for_request(source)) {
          queue_.push({time + wait_units_[source.waits++], index, true});
          continue;
        }
        apply(source);
        if (++closed_.raw_events % kProgressEvents == 0 && progress) progress(bytes_done_, total);
      }
      const std::uint64_t read = source.thread.bytes_read();
      if (source.thread.next(source.event))
        queue_.push({source.event.time, index, true});
      else
        finish(source);
      bytes_done_ += source.thread.bytes_read() - read;
    }
    free_what_is_too_late(std::numeric_limits<std::uint64_t>::max());
    closed_.raw_bytes = bytes_done_;
    return closed_;
  }

 private:
  struct Next {
    std::uint64_t time;
    std::size_t source;
    bool has_event;
    bool operator>(const Next& other) const {
      return time != other.time ? time > other.time : source > other.source;
    }
  };

  [[nodiscard]] std::uint64_t ns(std::uint64_t units) const {
    if (units <= start_units_) return 0;
    const double ns = static_cast<double>(units - start_units_) * unit_ns_;
    return ns < static_cast<double>(kLatestNs) ? static_cast<std::uint64_t>(ns) : kLatestNs;
  }

  // Whether the event gives up a block that is not known yet, and may be once the others have come as far as
  // a little later: its request was stamped by another CPU.
  [[nodiscard]] bool waits_for_request(Source& source) {
    const RawEvent& event = source.event;
    const bool is_of_block = event.op == kRawFree || event.op == kRawReallocBegin ||
                             event.op == kRawWritten || event.op == kRawLooked;
    const bool waits = is_of_block && sources_.size() > 1 && source.waits < std::size(kWaitsNs) &&
                       !places_.is_known(event.address, source.number);
    if (!waits && source.waits > 0) {
      if (places_.is_known(event.address, source.number)) ++closed_.counts.repaired_inversions;
      source.waits = 0;
    }
    return waits;
  }

  // False where the trace has no number left for the thread: its events are lost.
  [[nodiscard]] bool numbered(Source& source) {
    if (source.number == kNoThread && next_number_ < kMaxThreads)
      source.number = static_cast<std::uint32_t>(next_number_++);
    return source.number != kNoThread;
  }

  // Of a thread whose start was not recorded. The writer takes numbers in their order, and the thread's first
  // event may be one that leaves nothing in the trace.
  [[nodiscard]] bool started(Source& source) {
    if (source.number != kNoThread) return true;
    if (!numbered(source)) return false;
    writer_.spawn(0, ns(source.event.time), source.number);
    return true;
  }

  // Whether the writer can tell of so many more live bytes; counts the event as lost where not.
  [[nodiscard]] bool fits(std::uint64_t bytes) {
    if (bytes <= kMostBytes && bytes <= kMostLiveBytes - writer_.live_bytes()) return true;
    ++closed_.counts.lost_events;
    return false;
  }

  void apply(Source& source) {
    const RawEvent& event = source.event;
    if (!started(source)) {
      ++closed_.counts.lost_events;
      return;
    }
    const std::uint64_t time = ns(event.time), bytes = std::min(event.number, kMaxRequest);
    source.last_time = event.time;
    switch (event.op) {
      case kRawMalloc:
      case kRawCalloc:
      case kRawAligned:
        make_way(source);
        if (fits(bytes))
          lay(source, writer_.request(source.number, time, op_of(event.op), bytes,
                                      std::min(event.align_log2, kMaxAlignmentLog2)));
        break;
      case kRawFree:
        if (const auto object = take(source); object) writer_.free(source.number, time, *object);
        break;
      case kRawReallocBegin:
        source.resizes.push_back({event.address, take(source)});
        break;
      case kRawReallocEnd: {
        const Source::Resize resize = take_resize(source);
        make_way(source);
        if (!fits(bytes)) {
          if (resize.old) writer_.free(source.number, time, *resize.old);
          break;
        }
        lay(source, resize.old ? writer_.resize(source.number, time, *resize.old, bytes,
                                                resize.address != event.address)
                               : writer_.request(source.number, time, Op::kMalloc, bytes));
        break;
      }
      case kRawReallocFailed: {
        const Source::Resize resize = take_resize(source);
        if (resize.old) places_.insert(resize.address, *resize.old);
        writer_.refused(source.number, time, bytes);
        break;
      }
      case kRawReallocFreed:
        if (const Source::Resize resize = take_resize(source); resize.old)
          writer_.free(source.number, time, *resize.old);
        break;
      case kRawFailed:
        writer_.refused(source.number, time, bytes);
        break;
      case kRawHidden:
        make_way(source);
        places_.insert(event.address, {{kHiddenThread, 0}, 0});
        break;
      case kRawWritten:
      case kRawLooked:
        if (LiveObject* const object = places_.find(event.address, source.number))
          writer_.written(source.number, time, *object, event.number, event.op == kRawLooked);
        break;
      case kRawSpawn:
        spawn(source, time);
        break;
      case kRawEnd:
        source.ended = true;
        break;
      case kRawOps:
        break;
    }
  }

  static Op op_of(RawOp op) {
    return op == kRawCalloc ? Op::kCalloc : op == kRawAligned ? Op::kAligned : Op::kMalloc;
  }

  // A thread that never recorded an event has no part in the trace.
  void spawn(Source& source, std::uint64_t time) {
    const auto found = by_raw_number_.find(static_cast<std::uint32_t>(source.event.number));
    if (source.event.number > kNoThread || found == by_raw_number_.end()) return;
    Source& child = sources_[found->second];
    if (child.number != kNoThread || !numbered(child)) return;
    writer_.spawn(source.number, time, child.number);
  }

  void finish(Source& source) {
    closed_.counts.lost_events += source.thread.lost_chunks();
    if (source.ended && source.number != kNoThread && source.number != 0) {
      writer_.end(source.number, ns(source.last_time));
      ended_.insert(source.number);
    }
  }

  Source::Resize take_resize(Source& source) {
    if (source.resizes.empty()) return {};
    const Source::Resize resize = source.resizes.back();
    source.resizes.pop_back();
    return resize;
  }

  std::optional<LiveObject> take(const Source& source) {
    return places_.take(source.event.address, source.event.time, source.number);
  }
  void make_way(const Source& source) {
    places_.make_way(source.event.address, source.event.time, source.number);
  }

  // Puts the object at the event's address, or frees it at once where its free came before it.
  void lay(const Source& source, const LiveObject& object) {
    if (const auto thread = places_.owed_by(source.event.address, source.event.time))
      writer_.free(ended_.count(*thread) != 0 ? 0 : *thread, ns(source.event.time), object);
    else
      places_.insert(source.event.address, object);
  }

  void free_what_is_too_late(std::uint64_t time) {
    places_.give_up_waiting(time, [this](const LiveObject& object, std::uint64_t until) {
      writer_.free(0, ns(until), object);  // whoever did it: thread 0 never ends
    });
  }

  const RawControl& control_;
  const RawProcess& process_;
  Writer writer_;
  double unit_ns_;
  std::uint64_t start_units_, bytes_done_ = 0, next_number_ = 1;
  std::vector<std::uint64_t> wait_units_;
  std::deque<Source> sources_;
  std::unordered_map<std::uint32_t, std::size_t> by_raw_number_;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> queue_;
  Closed closed_;
  PlacedObjects places_;
  std::set<std::uint32_t> ended_;
};

}  // namespace

Closed close_process(const RawRecording& recording, const RawProcess& process, double ns_per_tick, End end,
                     const std::filesystem::path& path, const Progress& progress) {
  WriterOptions options;
  options.start_unix_ns = process.start_unix_ns;
  options.pid = static_cast<std::uint64_t>(process.pid);
  options.segment_events = segment_events_for(process.bytes() / kRawBytesAnEvent);
  options.text = recording.text();
  if (!process.command.empty())
    std::replace_if(
        options.text.begin(), options.text.end(), [](const auto& one) { return one.first == "command"; },
        std::pair<std::string, std::string>("command", process.command));
  TraceWriter writer(path, options);
  WrittenPages written;
  if (process.tells_written) {
    const Progress first_half = [&](std::uint64_t done, std::uint64_t total) {
      if (progress) progress(done, 2 * total);
    };
    Closing<TellingPass>(recording, process, ns_per_tick, TellingPass(written)).run(first_half);
    written.sort();
  }
  const Progress rest = [&](std::uint64_t done, std::uint64_t total) {
    if (progress) process.tells_written ? progress(total + done, 2 * total) : progress(done, total);
  };
  Closed closed =
      Closing<WritingPass>(recording, process, ns_per_tick, WritingPass(writer, written)).run(rest);
  closed.header = writer.finish(end, closed.counts);
  return closed;
}

}  // namespace heapmark::trace
