// A recorded program, replayed: every request and free of a trace (docs/replay.md) by as many threads as the
// program had, on whatever allocator there is. A unit of work is a segment of the trace. Decoding is outside
// of the timed part; the live bytes are compared with the recorded ones at the end of each segment. Watch
// peak memory, what a live byte costs, and what is held where the program ended.
#include <algorithm>

#include "workloads/common_parameters.h"
#include "workloads/context.h"
#include "workloads/steady_report.h"
#include "workloads/trace/batch.h"
#include "workloads/trace/crew.h"
#include "workloads/trace/trace_source.h"

namespace heapmark {
namespace {

using namespace replay;

constexpr std::uint64_t kLeastLookNs = 1'000'000;

constexpr Parameter kParameters[] = {
    {"file", Kind::kText, "", "", 0, 0, "the trace; given as -w trace:FILE"},
    {"checksum", Kind::kText, "", "", 0, 0, "of the trace's header, which tells one trace from another"},
    {"recorded_events", Kind::kText, "", "", 0, 0, "of the trace"},
    {"recorded_threads", Kind::kText, "", "", 0, 0, "of the trace"},
    {"touch", Kind::kChoice, "pages", "pages|all|none", 0, 0,
     "of each block: a byte of each page that the program wrote to, as far as the trace tells it; all bytes; "
     "nothing"},
    {"pace", Kind::kChoice, "fast", "fast|recorded", 0, 0,
     "fast: without the gaps between the recorded calls; recorded: with them"},
    {"repeat", Kind::kCount, "1", "", 1, 1e6, "times that the trace is replayed, all freed in between"},
    {"from", Kind::kShare, "0", "", 0, 1,
     "share of the trace at which the part begins; what is live there is asked for first, untimed"},
    {"to", Kind::kShare, "1", "", 0, 1, "share of the trace at which the part ends"},
};

constexpr MetricInfo kOwnMetrics[] = {
    {"rss_at_end_bytes", "bytes", Better::kLower, kMemory, true,
     "resident above the start where the trace ends, before anything that the program kept is freed"},
    {"least_rss_bytes", "bytes", Better::kNeither, kMemory, false,
     "the least that any allocator could hold at the peak: most live bytes of the trace that are written to, "
     "in whole pages"},
};
constexpr auto kMetrics = with_steady_metrics(kOwnMetrics);

void look_at_memory(std::uint64_t recorded_ns);

class Replay {
 public:
  void prepare(Context& context);
  void run(Context& context);
  void look(std::uint64_t recorded_ns);

 private:
  void go_to_start(Context& context);
  void decode_batch(Context& context, std::uint64_t done);
  void work(Context& context);
  void compare_live_bytes(Context& context);
  [[nodiscard]] std::uint64_t tick_before(std::uint64_t segment) const;
  [[nodiscard]] std::uint64_t decoded_until_ns() const;

  TraceSource source_;
  Decoder decoder_;
  Crew crew_;
  SteadySeries series_;
  std::uint64_t first_ = 0, end_ = 0, repeat_ = 1;  // segments
  std::uint64_t next_ = 0, done_ = 0, operations_ = 0, sample_every_ = 0;
  std::uint64_t looked_at_ns_ = 0;  // recorded time of the last look at memory
  int recorded_table_ = -1;
  Context* context_ = nullptr;
};

void Replay::prepare(Context& context) {
  source_.open(context, context.text("file"), context.text("checksum"));
  const trace::Header& header = source_.header();
  if (header.events == 0) refuse(context, "it holds no events");
  const auto segments = static_cast<double>(header.segments);
  first_ = static_cast<std::uint64_t>(segments * context.number("from") + 0.5);
  end_ = static_cast<std::uint64_t>(segments * context.number("to") + 0.5);
  if (first_ >= end_) refuse(context, "the part of it that from= and to= name holds nothing");
  repeat_ = context.count("repeat");
  context_ = &context;
  const bool paced = context.chosen("pace", "recorded");
  decoder_.prepare(context, source_, paced);
  const Touch touch = context.chosen("touch", "all")    ? Touch::kAll
                      : context.chosen("touch", "none") ? Touch::kNothing
                                                        : Touch::kPages;
  crew_.prepare(context, decoder_, header, touch, paced ? header.tick_ns : 0);
  context.uses_threads(static_cast<std::uint32_t>(header.max_live_threads));
  series_.prepare(context);
  if (!context.sampling()) return;
  // One is left for the end.
  sample_every_ = (end_ - first_) * repeat_ / (SteadySeries::kSamples - 2) + 1;
  recorded_table_ = context.open_table("recorded", {"recorded_ns", "live_bytes", "rss_bytes"},
                                       static_cast<std::uint32_t>(2 * SteadySeries::kSamples));
  if (paced)
    crew_.look_every(header.duration_ticks * header.tick_ns * repeat_ / SteadySeries::kSamples + kLeastLookNs,
                     look_at_memory);
}

// What comes before the part is decoded and not done; then what is live there is asked for.
void Replay::go_to_start(Context& context) {
  decoder_.start_again();
  for (std::uint64_t number = 0; number < first_; ++number) {
    decoder_.begin_batch();
    decoder_.add_segment(context, number);
  }
  if (first_ > 0) {
    decoder_.begin_batch();
    decoder_.list_live();
    crew_.set_up_live();
    compare_live_bytes(context);
  }
  next_ = first_;
  looked_at_ns_ = decoded_until_ns();
  decoder_.begin_part();
  crew_.begin_pace(tick_before(first_));
}

// One segment at least, and no more than up to where the process must stop or look.
void Replay::decode_batch(Context& context, std::uint64_t done) {
  decoder_.begin_batch();
  do {
    decoder_.add_segment(context, next_++);
    ++done;
  } while (next_ < end_ && decoder_.wants_more() && done < context.next_cut() &&
           (sample_every_ == 0 || done % sample_every_ != 0));
}

// At which the segments before it end.
std::uint64_t Replay::tick_before(std::uint64_t segment) const {
  return segment == 0 ? 0 : source_.file().segment(segment - 1).end_tick;
}

// In recorded time.
std::uint64_t Replay::decoded_until_ns() const {
  return tick_before(next_) * source_.header().tick_ns;
}

void Replay::compare_live_bytes(Context& context) {
  if (crew_.live_bytes() != decoder_.objects().live_bytes())
    context.fail(Outcome::kCheckFailed, "the replay's live bytes are not the recorded ones");
}

void Replay::work(Context& context) {
  while (next_ < end_) {
    context.slice(done_);
    context.pause_clock();
    const std::uint64_t before = next_;
    decode_batch(context, done_);
    context.resume_clock();
    crew_.run_batch();
    done_ += next_ - before;
    operations_ += decoder_.operations();
    compare_live_bytes(context);
    if (sample_every_ == 0 || done_ % sample_every_ != 0) continue;
    series_.add(context, operations_, crew_.live_bytes());
    looked_at_ns_ = decoded_until_ns();
    context.add_row(recorded_table_,
                    {static_cast<double>(looked_at_ns_), static_cast<double>(crew_.live_bytes()),
                     static_cast<double>(context.observe().rss_bytes)});
  }
}

// Between two meetings: how many bytes live is not known then. A replay that cannot keep the pace is at most
// where its batch ends, whatever the clock says.
void Replay::look(std::uint64_t recorded_ns) {
  looked_at_ns_ = std::clamp(recorded_ns, looked_at_ns_, std::max(looked_at_ns_, decoded_until_ns()));
  context_->add_row(recorded_table_, {static_cast<double>(looked_at_ns_), kNotMeasured,
                                      static_cast<double>(context_->observe().rss_bytes)});
}

void Replay::run(Context& context) {
  context.phase("set up");
  go_to_start(context);
  context.phase("replay");
  context.start_clock((end_ - first_) * repeat_);
  crew_.begin_pace(tick_before(first_));
  work(context);
  for (std::uint64_t time = 1; time < repeat_; ++time) {
    context.pause_clock();
    crew_.free_live();
    crew_.end_all();
    go_to_start(context);
    context.resume_clock();
    work(context);
  }
  context.stop_clock(done_, operations_);
  const Observation end = context.observe();
  context.phase("free all");
  crew_.free_live();
  crew_.end_all();
  const Observation freed = context.observe();
  context.sample(operations_, 0);
  if (context.pass() != kMemory) return;
  series_.report(context, freed);
  context.metric("rss_at_end_bytes", static_cast<double>(end.rss_bytes));
  context.metric("least_rss_bytes",
                 static_cast<double>(trace::pages_of(decoder_.peak_written_bytes()) * trace::kPageBytes));
}

Replay replay_of_trace;

void look_at_memory(std::uint64_t recorded_ns) {
  replay_of_trace.look(recorded_ns);
}

void prepare(Context& context) {
  replay_of_trace.prepare(context);
}
void run(Context& context) {
  replay_of_trace.run(context);
}

// Stands for each trace that a run names.
constexpr Variant kVariants[] = {{"FILE", kUsualPasses, "", ""}};

constexpr Workload kReplay{"replay",
                           "a recorded program: the trace's requests and frees, by as many threads",
                           kParameters,
                           kVariants,
                           kMetrics.rows,
                           prepare,
                           run};

HEAPMARK_WORKLOAD(kReplay)

}  // namespace
}  // namespace heapmark
