// See trace.h.
#include "harness/cli/trace.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "harness/cli/exit_codes.h"
#include "harness/cli/long_work.h"
#include "harness/cli/output.h"
#include "harness/cli/terminal.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/plan/written_value.h"
#include "harness/trace/trace_cut.h"
#include "harness/trace/trace_facts.h"
#include "harness/trace/trace_import.h"
#include "harness/trace/trace_walk.h"
#include "harness/view/quantity.h"
#include "harness/view/trace_view.h"

namespace heapmark::cli {
namespace {

namespace fs = std::filesystem;
using view::counted;

const std::vector<std::string> kFormats{"text", "csv", "json"};

// As a shell takes it.
std::string quoted(const std::string& word) {
  if (word.find_first_of(" \t\n\"'\\$`*?[]{}()<>|&;#!~") == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// A place to write a file to that gets its name only when it is whole: a failure leaves what was there.
class NewFile {
 public:
  NewFile(const std::string& flag, const std::string& name, const std::string& input)
      : name_(name), part_(name + ".part") {
    if (name.empty()) throw UsageError(flag + " needs -o FILE to write to");
    require_file_name("-o", name);
    std::error_code ignored;
    if (fs::equivalent(name, input, ignored))
      throw UsageError("-o names " + input + ", which is to be read: name another file");
  }
  ~NewFile() {
    std::error_code ignored;
    if (!kept_) fs::remove(part_, ignored);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  [[nodiscard]] const fs::path& part() const { return part_; }
  void keep() {
    fs::rename(part_, name_);
    kept_ = true;
  }

 private:
  fs::path name_, part_;
  bool kept_ = false;
};

std::string written(const std::string& file, const trace::Header& header) {
  std::string text = fmt::format("{}: {} of {}, {} of live memory at the peak, {} at the end\n", file,
                                 counted(header.events, "event"), counted(header.threads, "thread"),
                                 view::quantity(static_cast<double>(header.max_live_bytes), "bytes"),
                                 view::quantity(static_cast<double>(header.end_live_bytes), "bytes"));
  if (header.repaired_inversions != 0)
    text += fmt::format("  handed out before they were freed: {}; the order was repaired\n",
                        counted(header.repaired_inversions, "block"));
  if (header.unknown_frees != 0)
    text += fmt::format("  left out: {} of addresses that the file does not hand out\n",
                        counted(header.unknown_frees, "free"));
  if (header.lost_events != 0) text += "  the last line is not whole and was left out\n";
  return text + fmt::format("Next: heapmark trace {}\n", quoted(file));
}

// "10s..40s", "..500ms", "10s.."; in a trace without times numbers of events.
trace::CutRange parse_cut(const std::string& text, const trace::TraceReading& reading) {
  const bool has_times = reading.text("clock") != "events";
  const double duration =
      static_cast<double>(reading.header().duration_ticks) * static_cast<double>(reading.header().tick_ns);
  const std::string shown =
      has_times ? view::quantity(duration, "ns") : counted(reading.header().events, "event");
  const auto wrong = [&](const std::string& why) {
    return UsageError(fmt::format("--cut {}: {}; the trace lasts {}; write {}", text, why, shown,
                                  has_times ? "10s..40s or 500ms.. or ..2s" : "1000..5000, in events"));
  };
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) throw wrong("it is no range");
  const auto end = [&](const std::string& word) {
    const auto number = plan::parse_number(word);
    const auto dimension =
        has_times ? plan::WrittenNumber::Dimension::kTime : plan::WrittenNumber::Dimension::kPlain;
    if (!number || number->dimension != dimension || number->value < 0)
      throw wrong(fmt::format("'{}' is no {}", word, has_times ? "time" : "number"));
    return number->value * (has_times ? 1e9 : 1);
  };
  trace::CutRange range;
  range.words = text;
  double from = 0;
  const std::string first = text.substr(0, dots), last = text.substr(dots + 2);
  if (!first.empty()) from = end(first);
  if (from > duration) throw wrong("it begins after the end");
  range.from_ns = static_cast<std::uint64_t>(from);
  if (last.empty()) return range;
  const double to = end(last);
  if (to <= from) throw wrong("it ends before it begins");
  if (to <= duration) range.to_ns = static_cast<std::uint64_t>(to);
  return range;
}

void cut(const TraceOptions& options) {
  if (options.files.size() != 1) throw UsageError("--cut takes one trace");
  trace::TraceReading reading(options.files[0]);
  const trace::CutRange range = parse_cut(options.cut, reading);
  NewFile file("--cut", options.output, options.files[0]);
  LongWork work("cutting " + options.files[0]);
  const trace::Header header =
      trace::cut_trace(reading, range, file.part(), [&](double share) { work.done(share); });
  file.keep();
  fmt::print("{}", written(options.output, header));
}

trace::ForeignFormat format_of(const TraceOptions& options, const std::string& name, std::string_view text) {
  std::vector<std::string> names;
  for (const trace::ForeignFormat format : trace::foreign_formats()) {
    if (options.from == trace::format_name(format)) return format;
    names.emplace_back(trace::format_name(format));
  }
  if (!options.from.empty()) throw UsageError("--from: " + plan::unknown("format", options.from, names));
  if (text.starts_with(std::string_view(trace::kMagic, sizeof(trace::kMagic))))
    throw Failure(kBadTrace, name + ": it is a heapmark trace already");
  const auto format = trace::recognise(text);
  if (!format)
    throw Failure(kBadTrace, fmt::format("{}: by its first line it is of none of the known formats ({}); "
                                         "--from NAME reads it as one of them",
                                         name, fmt::join(names, ", ")));
  return *format;
}

void import(const TraceOptions& options) {
  if (options.files.size() != 2)
    throw UsageError("trace import takes one file: trace import FILE -o OUT.hmtrace");
  const std::string& name = options.files[1];
  const trace::MappedFile input(name);
  const trace::ForeignFormat format = format_of(options, name, input.bytes());
  NewFile file("trace import", options.output, name);
  LongWork work("importing " + name);
  const trace::Header header =
      trace::import_trace(input.bytes(), name, format, file.part(), [&](double share) { work.done(share); });
  file.keep();
  fmt::print("{}", written(options.output, header));
}

void check(const std::string& name) {
  trace::TraceReading reading(name);
  trace::TraceWalk walk(reading);
  LongWork work("checking " + name);
  while (walk.next())
    work.done(static_cast<double>(reading.segments_begun()) / static_cast<double>(reading.header().segments));
  const trace::Header& header = reading.header();
  fmt::print("{}: whole and right: {}, {}, {}, {}\n", name, counted(header.events, "event"),
             counted(header.threads, "thread"), counted(header.objects, "object"),
             counted(header.segments, "segment"));
}

// Runs scripts/plot; its messages go where ours go.
void plot(const Paths& paths, const trace::TraceFacts& facts, const fs::path& folder) {
  const std::string script = paths.scripts_directory + "/plot";
  if (!fs::exists(script))
    throw UsageError("--plot needs " + script + "; HEAPMARK_SCRIPTS names another folder of scripts");
  fs::create_directories(folder);
  const std::string data = folder / "trace.json", out = folder;
  if (!(std::ofstream(data) << view::trace_json(facts)).flush())
    throw std::system_error(errno, std::generic_category(), data);
  (void)std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "starting " + script);
  if (child == 0) {
    ::execl(script.c_str(), script.c_str(), data.c_str(), "--out", out.c_str(), nullptr);
    ::_exit(kNotFound);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Failure(kToolFailed, fmt::format("{} failed; the data is in {}", script, data));
}

// What is wrong with a file that is no trace, and what it is perhaps.
std::string with_advice(const std::string& what, const std::string& name) {
  try {
    const trace::MappedFile file(name);
    if (const auto format = trace::recognise(file.bytes()))
      return fmt::format("{}; it looks like {}: heapmark trace import {} -o OUT.hmtrace", what,
                         trace::format_name(*format), quoted(name));
  } catch (const std::exception&) {  // then there is no advice
  }
  return what;
}

class Shown {
 public:
  Shown(const Paths& paths, const TraceOptions& options) : paths_(paths), options_(options) {}

  void show(const std::string& name) {
    if (options_.check) return check(name);
    trace::TraceReading reading(name);
    std::optional<LongWork> work(std::in_place, "reading " + name);
    const trace::TraceFacts facts = trace::facts_of(reading, [&](double share) { work->done(share); });
    work.reset();
    if (options_.format == "csv")
      fmt::print("{}", view::trace_csv(facts, shown_ == 0));
    else if (options_.format == "json")
      fmt::print("{}{}",
                 options_.files.size() == 1 ? ""
                 : shown_ == 0              ? "[\n"
                                            : ",\n",
                 view::trace_json(facts));
    else
      fmt::print("{}Replay it on every allocator: heapmark run -w {} -a all\n{}",
                 view::trace_text(facts, terminal_width(stdout), wants_colour(stdout)),
                 quoted("trace:" + name), options_.files.size() == 1 ? "" : "\n");
    ++shown_;
    if (options_.plot.empty()) return;
    const fs::path folder = options_.plot;
    plot(paths_, facts, options_.files.size() == 1 ? folder : folder / fs::path(name).stem());
  }

  void end() const {
    if (options_.format == "json" && !options_.check && options_.files.size() > 1)
      fmt::print("{}]\n", shown_ == 0 ? "[" : "");
  }

 private:
  const Paths& paths_;
  const TraceOptions& options_;
  std::size_t shown_ = 0;
};

// Runs `work`; says what is wrong with the file `name` and returns the exit code for it.
template <typename Work>
int guarded(const std::string& name, const Work& work) {
  try {
    work();
    return 0;
  } catch (const trace::BadTrace& error) {
    warn(with_advice(error.what(), name));
    return kBadTrace;
  } catch (const std::system_error& error) {
    std::error_code ignored;
    if (fs::exists(name, ignored) && ::access(name.c_str(), R_OK) == 0) throw;
    warn("cannot read " + std::string(error.what()));
    return kUsage;
  }
}

}  // namespace

void add_trace_flags(CLI::App& verb, TraceOptions& options) {
  verb.add_option("FILE", options.files,
                  "traces (.hmtrace); or import FILE: a log of memory_replay or mtrace(3)")
      ->required();
  verb.add_option("--format", options.format, fmt::format("{}", fmt::join(kFormats, ", ")))
      ->capture_default_str();
  verb.add_option("--plot", options.plot, "draw into this folder, by scripts/plot");
  verb.add_option("--cut", options.cut,
                  "10s..40s: write this part, which begins by requesting what lives then, to -o FILE");
  verb.add_option("-o,--output", options.output, "the trace that --cut and import write");
  verb.add_option("--from", options.from, "import: memory_replay or mtrace; by default recognised");
  verb.add_flag("--check", options.check, "only say whether the traces are whole and right");
}

int trace(const Paths& paths, const TraceOptions& options) {
  const bool imports = options.files[0] == "import";
  if (std::find(kFormats.begin(), kFormats.end(), options.format) == kFormats.end())
    throw UsageError("--format: " + plan::unknown("format", options.format, kFormats));
  if (options.output.empty() == (imports || !options.cut.empty()))
    throw UsageError(options.output.empty() ? "--cut and import need -o FILE to write to"
                                            : "-o is for --cut and import");
  if (imports && (options.check || !options.cut.empty() || !options.plot.empty()))
    throw UsageError("trace import takes no --check, --cut or --plot: use them on what it writes");
  if (!imports && !options.from.empty()) throw UsageError("--from is for trace import");
  if (!options.cut.empty() && (options.check || !options.plot.empty()))
    throw UsageError("--cut takes no --check or --plot: use them on what it writes");
  if (imports) return guarded(options.files.back(), [&] { import(options); });
  if (!options.cut.empty()) return guarded(options.files[0], [&] { cut(options); });
  Shown shown(paths, options);
  int code = 0;
  for (const std::string& name : options.files) {
    const int one = guarded(name, [&] { shown.show(name); });
    if (code == 0) code = one;
  }
  shown.end();
  return code;
}

}  // namespace heapmark::cli
