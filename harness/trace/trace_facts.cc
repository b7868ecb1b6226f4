#include "harness/trace/trace_facts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "harness/trace/trace_walk.h"

namespace heapmark::trace {

namespace {

// How often each size was asked for. Small sizes have a counter each; of others at most twice kKept are
// known, beyond which the rarest are forgotten.
class SizeCounts {
 public:
  SizeCounts() : small_(kSmall) {}

  void add(std::uint64_t size) {
    if (size < kSmall) {
      ++small_[size];
      return;
    }
    ++large_[size];
    if (large_.size() > 2 * kKept) forget();
  }

  [[nodiscard]] bool approximate() const { return approximate_; }

  // The largest by `key`, the largest first; of equal ones the smaller size.
  template <typename Key>
  [[nodiscard]] std::vector<SizeCount> top(const Key& key) const {
    std::vector<SizeCount> all;
    for (std::size_t size = 0; size < kSmall; ++size)
      if (small_[size] != 0) all.push_back({size, small_[size]});
    for (const auto& [size, count] : large_) all.push_back({size, count});
    const std::size_t kept = std::min(kTopSizes, all.size());
    const auto before = [&](const SizeCount& left, const SizeCount& right) {
      return key(left) != key(right) ? key(left) > key(right) : left.size < right.size;
    };
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), before);
    all.resize(kept);
    return all;
  }

 private:
  static constexpr std::size_t kSmall = 1 << 16, kKept = 1 << 16;

  void forget() {
    std::vector<std::uint64_t> weights;
    for (const auto& [size, count] : large_) weights.push_back(size * count);
    const auto middle = weights.begin() + static_cast<std::ptrdiff_t>(weights.size() / 2);
    std::nth_element(weights.begin(), middle, weights.end());
    const std::uint64_t limit = *middle;
    std::erase_if(large_, [&](const auto& one) { return one.first * one.second <= limit; });
    approximate_ = true;
  }

  std::vector<std::uint64_t> small_;
  std::unordered_map<std::uint64_t, std::uint64_t> large_;
  bool approximate_ = false;
};

class Finder {
 public:
  explicit Finder(TraceReading& reading) : reading_(reading), walk_(reading) {
    facts_.name = reading.name();
    facts_.header = reading.header();
    facts_.text = reading.text();
    facts_.has_times = reading.text("clock") != "events";
    facts_.file_bytes = reading.header().file_bytes;
    facts_.duration_ns = ns(reading.header().duration_ticks);
    facts_.threads.resize(reading.header().threads);
    for (std::uint32_t number = 0; number < facts_.threads.size(); ++number)
      facts_.threads[number].number = number;
    // One part more than the quotient would need, so that the last event has a place.
    moment_ticks_ = reading.header().duration_ticks / kMoments + 1;
    facts_.moments.resize(reading.header().events == 0 ? 0
                                                       : reading.header().duration_ticks / moment_ticks_ + 1);
  }

  TraceFacts run(const std::function<void(double)>& progress) {
    std::uint64_t segment = ~std::uint64_t{0};
    facts_.max_threads_at_once = 1;
    while (walk_.next()) {
      if (progress && walk_.step().segment != segment) {
        segment = walk_.step().segment;
        progress(static_cast<double>(segment) / static_cast<double>(reading_.header().segments));
      }
      see();
    }
    finish();
    return std::move(facts_);
  }

 private:
  [[nodiscard]] std::uint64_t ns(std::uint64_t ticks) const {
    const std::uint64_t most = ~std::uint64_t{0} / reading_.header().tick_ns;
    return std::min(ticks, most) * reading_.header().tick_ns;
  }

  void see() {
    const Event& event = walk_.event();
    ThreadFacts& thread = facts_.threads[walk_.step().thread];
    ++facts_.events_by_op[static_cast<std::size_t>(event.op)];
    ++thread.events;
    see_time(event.tick);
    if (gives_up(event.op)) see_given_up(thread);
    if (event.op == Op::kRealloc) see_realloc();
    if (yields(event.op)) see_request(thread);
    if (event.op == Op::kWrite) facts_.told.written_bytes += walk_.more_written_bytes();
    if (event.op == Op::kRefused) facts_.refused_bytes += std::min(event.size, kMaxRequest);
    if (event.op == Op::kSpawn) facts_.threads[event.spawned].start_ns = ns(event.tick);
    if (event.op == Op::kEnd) {
      thread.ended = true;
      thread.end_ns = ns(event.tick);
      facts_.thread_lifetimes_ns.add(thread.end_ns - thread.start_ns, 0);
    }
    facts_.max_threads_at_once = std::max(facts_.max_threads_at_once, walk_.threads_running());
    see_live();
  }

  void see_time(std::uint64_t tick) {
    const std::uint64_t gap = ns(tick - last_tick_);
    if (facts_.has_times && gap >= kIdleNs) {
      ++facts_.idle.count;
      facts_.idle.total_ns += gap;
      if (gap > facts_.idle.longest_ns) {
        facts_.idle.longest_ns = gap;
        facts_.idle.longest_start_ns = ns(last_tick_);
      }
    }
    last_tick_ = tick;
    for (const std::size_t now = tick / moment_ticks_; moment_ < now;) open_moment(moment_ + 1);
  }

  // What lived when the moment before was over lives at its start.
  void open_moment(std::size_t number) {
    const Moment& before = facts_.moments[moment_];
    Moment& moment = facts_.moments[number];
    moment.start_ns = ns(number * moment_ticks_);
    moment.max_live_bytes = moment.end_live_bytes = before.end_live_bytes;
    moment.max_live_objects = moment.end_live_objects = before.end_live_objects;
    moment.max_threads = threads_before_;
    moment_ = number;
  }

  void see_given_up(ThreadFacts& thread) {
    const Known& taken = walk_.taken();
    if (peak_is_here_) {
      facts_.sizes_at_peak = live_sizes_;
      peak_is_here_ = false;
    }
    ++facts_.given_up;
    ++thread.frees;
    if (walk_.event().takes.thread != walk_.step().thread) {
      ++facts_.given_up_by_others;
      ++thread.frees_of_others;
      facts_.given_up_bytes_by_others += taken.bytes;
    }
    facts_.lifetimes_ns.add(ns(walk_.event().tick - taken.born_tick), taken.bytes);
    live_sizes_.remove(taken.bytes, taken.bytes);
  }

  void see_realloc() {
    const std::uint64_t old = walk_.taken().bytes, now = walk_.event().size;
    auto& reallocs = facts_.reallocs;
    ++reallocs.count;
    if (walk_.event().moved) {
      ++reallocs.moved;
      reallocs.copied_bytes += std::min(old, now);
    }
    if (now > old) ++reallocs.grew;
    if (now < old) ++reallocs.shrank;
    if (now > old && old > 0) {
      sum_log2_growth_ += std::log2(static_cast<double>(now) / static_cast<double>(old));
      ++growths_;
    }
  }

  void see_request(ThreadFacts& thread) {
    const Event& event = walk_.event();
    ++facts_.requests;
    ++thread.requests;
    facts_.requested_bytes += event.size;
    thread.requested_bytes += event.size;
    if (event.size == 0) ++facts_.zero_requests;
    if (event.written_pages != kNotTold) {
      ++facts_.told.requests;
      facts_.told.bytes += event.size;
      facts_.told.written_bytes += written_bytes(event.size, event.written_pages);
    }
    facts_.sizes.add(event.size, event.size);
    live_sizes_.add(event.size, event.size);
    size_counts_.add(event.size);
    if (event.op == Op::kAligned) facts_.alignments.add(std::uint64_t{1} << event.log2_alignment, event.size);
    facts_.moments[moment_].requested_bytes += event.size;
  }

  void see_live() {
    Moment& moment = facts_.moments[moment_];
    ++moment.events;
    moment.end_live_bytes = walk_.live_bytes();
    moment.end_live_objects = walk_.live().size();
    moment.max_live_bytes = std::max(moment.max_live_bytes, moment.end_live_bytes);
    moment.max_live_objects = std::max(moment.max_live_objects, moment.end_live_objects);
    threads_before_ = walk_.threads_running();
    moment.max_threads = std::max(moment.max_threads, threads_before_);
    facts_.peak_written_bytes = std::max(facts_.peak_written_bytes, walk_.live_written_bytes());
    if (walk_.live_bytes() > facts_.peak_bytes) {
      facts_.peak_bytes = walk_.live_bytes();
      facts_.peak_objects = walk_.live().size();
      facts_.peak_ns = ns(walk_.event().tick);
      peak_is_here_ = true;  // the sizes are copied when the peak is left, not at each step up to it
    }
  }

  void finish() {
    if (peak_is_here_) facts_.sizes_at_peak = live_sizes_;
    facts_.sizes_never_freed = live_sizes_;
    for (ThreadFacts& thread : facts_.threads)
      if (!thread.ended) thread.end_ns = facts_.duration_ns;
    if (growths_ > 0) facts_.reallocs.growth = std::exp2(sum_log2_growth_ / static_cast<double>(growths_));
    facts_.top_by_count = size_counts_.top([](const SizeCount& one) { return one.count; });
    facts_.top_by_bytes = size_counts_.top([](const SizeCount& one) { return one.bytes(); });
    facts_.top_is_approximate = size_counts_.approximate();
    // The walk and the writer may order the events of one tick differently: the file's own peak is what was.
    facts_.peak_bytes = reading_.header().max_live_bytes;
    if (facts_.told.requests == 0) facts_.peak_written_bytes = facts_.peak_bytes;
    facts_.least_rss_bytes = pages_of(facts_.peak_written_bytes) * kPageBytes;
  }

  TraceReading& reading_;
  TraceWalk walk_;
  TraceFacts facts_;
  SizeCounts size_counts_;
  Log2Counts live_sizes_;
  std::uint64_t last_tick_ = 0, moment_ticks_ = 1, threads_before_ = 1, growths_ = 0;
  std::size_t moment_ = 0;
  double sum_log2_growth_ = 0;
  bool peak_is_here_ = false;
};

}  // namespace

void Log2Counts::add(std::uint64_t value, std::uint64_t bytes) {
  Class& one = classes[static_cast<std::size_t>(std::bit_width(value))];
  ++one.count;
  one.bytes += bytes;
}

void Log2Counts::remove(std::uint64_t value, std::uint64_t bytes) {
  Class& one = classes[static_cast<std::size_t>(std::bit_width(value))];
  --one.count;
  one.bytes -= bytes;
}

std::uint64_t Log2Counts::count() const {
  std::uint64_t sum = 0;
  for (const Class& one : classes) sum += one.count;
  return sum;
}

std::uint64_t Log2Counts::class_start(std::size_t number) {
  return number == 0 ? 0 : std::uint64_t{1} << (number - 1);
}

std::uint64_t Log2Counts::quantile_class_start(double share) const {
  const double wanted = share * static_cast<double>(count());
  double sum = 0;
  for (std::size_t number = 0; number < classes.size(); ++number) {
    sum += static_cast<double>(classes[number].count);
    if (classes[number].count != 0 && sum >= wanted) return class_start(number);
  }
  return 0;
}

TraceFacts facts_of(TraceReading& reading, const std::function<void(double)>& progress) {
  return Finder(reading).run(progress);
}

const char* op_name(Op op) {
  switch (op) {
    case Op::kMalloc:
      return "malloc";
    case Op::kCalloc:
      return "calloc";
    case Op::kAligned:
      return "aligned";
    case Op::kRealloc:
      return "realloc";
    case Op::kFree:
      return "free";
    case Op::kRefused:
      return "refused request";
    case Op::kSpawn:
      return "thread start";
    case Op::kEnd:
      return "thread end";
    case Op::kWrite:
      return "more written to";
  }
  return "unknown";
}

const char* end_words(End end) {
  switch (end) {
    case End::kExit:
      return "with the program";
    case End::kKilled:
      return "when the program was killed";
    case End::kDiskFull:
      return "when the disk was full; the program went on";
    case End::kBudget:
      return "at the limit of --max; the program went on";
    case End::kTime:
      return "after the time of --for; the program went on";
    case End::kSignal:
      return "by a signal; the program went on";
    case End::kExec:
      return "when the process became another program";
    case End::kCut:
      return "where it was cut out of a longer one";
    case End::kImported:
      return "with the file that it was imported from";
  }
  return "for a reason that is not known";
}

}  // namespace heapmark::trace
