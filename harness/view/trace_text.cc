// See trace_view.h. Histograms have a row for each power of two; a curve is drawn by blocks of eight heights.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <span>

#include "harness/view/quantity.h"
#include "harness/view/text_table.h"
#include "harness/view/trace_view.h"

namespace heapmark::view {
namespace {

using trace::Log2Counts;
using trace::TraceFacts;

constexpr std::size_t kBarWidth = 24;

// The file's text comes from anywhere: no control character of it reaches the terminal.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

// At most so many columns of a command line that may be a whole script.
std::string shortened(const std::string& text, std::size_t columns) {
  if (display_width(text) <= columns) return text;
  std::size_t end = 0;
  for (std::size_t taken = 0; end < text.size(); ++end) {
    // A character of UTF-8 takes its column with its first byte.
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && ++taken == columns) break;
  }
  return text.substr(0, end) + "…";
}

std::string count(std::uint64_t value) {
  return quantity(static_cast<double>(value), "count");
}

std::string bytes(std::uint64_t value) {
  return quantity(static_cast<double>(value), "bytes");
}

std::string time(const TraceFacts& facts, std::uint64_t ns) {
  return facts.has_times ? quantity(static_cast<double>(ns), "ns") : counted(ns, "event");
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  const double share = 100 * ratio(part, whole);
  return fmt::format("{:.{}f} %", share, share >= 10 || share == 0 ? 0 : share >= 0.1 ? 1 : 2);
}

// Eighths of a column; something is always to be seen of what is not 0. As wide as the longest, since
// columns stand to the right.
std::string bar(std::uint64_t part, std::uint64_t largest) {
  constexpr std::array kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  auto eighths = static_cast<std::size_t>(std::lround(ratio(part, largest) * kBarWidth * 8));
  if (part != 0) eighths = std::max<std::size_t>(eighths, 1);
  std::string text;
  for (std::size_t full = 0; full < eighths / 8; ++full) text += "█";
  text += kEighths[eighths % 8];
  return text + std::string(kBarWidth - (eighths + 7) / 8, ' ');
}

std::string headline(const std::string& text, bool colour) {
  return colour ? "\033[1m" + text + "\033[0m\n" : text + "\n";
}

// The largest of each `columns`-th part, as heights of eight steps.
template <typename Value>
std::string curve(const std::vector<trace::Moment>& moments, std::size_t columns, const Value& value) {
  constexpr std::array kHeights{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  columns = std::min(columns, moments.size());
  std::vector<std::uint64_t> parts(columns);
  for (std::size_t at = 0; at < moments.size(); ++at) {
    std::uint64_t& part = parts[at * columns / moments.size()];
    part = std::max(part, value(moments[at]));
  }
  const std::uint64_t largest = columns == 0 ? 0 : *std::max_element(parts.begin(), parts.end());
  std::string text;
  for (const std::uint64_t part : parts) {
    const auto height = static_cast<std::size_t>(std::ceil(ratio(part, largest) * 8));
    text += kHeights[std::min<std::size_t>(height, 8)];
  }
  return text;
}

std::string head(const TraceFacts& facts, std::size_t width, bool colour) {
  const auto& header = facts.header;
  const auto of = [&](std::string_view key) {
    for (const auto& [name, value] : facts.text)
      if (name == key) return printable(value);
    return std::string();
  };
  const std::string command = of("command");
  std::string out = headline(
      shortened(facts.name + (command.empty() ? "" : ": " + command), std::max<std::size_t>(width, 40)),
      colour);
  std::string line = "  ";
  const auto start = static_cast<std::time_t>(header.start_unix_ns / 1'000'000'000);
  if (!of("imported").empty())
    line += "imported from " + of("imported");
  else if (header.start_unix_ns == 0)
    line += "recorded at an unknown time";
  else
    line += fmt::format("recorded {:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(start));
  if (!of("allocator").empty()) line += " on " + of("allocator");
  if (!of("machine").empty()) line += ", " + of("machine");
  if (header.pid != 0) line += fmt::format(", process {}", header.pid);
  out += line + "\n";
  out += fmt::format("  {} in {}, {} in the file ({:.2f} bytes an event)\n", counted(header.events, "event"),
                     facts.has_times ? time(facts, facts.duration_ns) : "an unknown time",
                     bytes(facts.file_bytes), ratio(facts.file_bytes, header.events));
  if (!of("cut").empty()) out += "  a part of it: " + of("cut") + "\n";
  return out + fmt::format("  ended {}\n\n", trace::end_words(static_cast<trace::End>(header.end)));
}

std::string calls(const TraceFacts& facts, std::size_t width, bool colour) {
  TextTable table{"Calls", {"", "count", "share", ""}, {}, {}};
  const std::uint64_t most = *std::max_element(facts.events_by_op.begin(), facts.events_by_op.end());
  for (std::size_t op = 1; op < facts.events_by_op.size(); ++op) {
    const std::uint64_t events = facts.events_by_op[op];
    if (events != 0)
      table.rows.push_back({{trace::op_name(static_cast<trace::Op>(op))},
                            {count(events)},
                            {percent(events, facts.header.events)},
                            {bar(events, most)}});
  }
  table.notes.push_back(
      fmt::format("{} requested in {}; {} of what was given up ({}) was given up by "
                  "another thread than it was made by",
                  bytes(facts.requested_bytes), counted(facts.requests, "request"),
                  percent(facts.given_up_by_others, facts.given_up), count(facts.given_up_by_others)));
  const auto& reallocs = facts.reallocs;
  if (reallocs.count != 0)
    table.notes.push_back(fmt::format(
        "of {} {} moved and copied {}, {} grew{}, {} shrank", counted(reallocs.count, "realloc"),
        percent(reallocs.moved, reallocs.count), bytes(reallocs.copied_bytes),
        percent(reallocs.grew, reallocs.count),
        reallocs.growth > 0 ? fmt::format(" ({} times on average)", quantity(reallocs.growth, "ratio")) : "",
        percent(reallocs.shrank, reallocs.count)));
  if (facts.zero_requests != 0)
    table.notes.push_back(counted(facts.zero_requests, "request") + " of 0 bytes");
  return for_terminal(table, width, colour) + "\n";
}

std::string memory(const TraceFacts& facts, std::size_t width, bool colour) {
  const auto& header = facts.header;
  std::string out = headline("Live memory", colour);
  out +=
      fmt::format("  peak: {} in {}, {} {}\n", bytes(facts.peak_bytes), counted(facts.peak_objects, "object"),
                  facts.has_times ? "at" : "after", time(facts, facts.peak_ns));
  if (facts.told.requests != 0)
    out += fmt::format("  written to: {} of {} asked for in {} whose blocks were looked at\n",
                       bytes(facts.told.written_bytes), bytes(facts.told.bytes),
                       counted(facts.told.requests, "request"));
  out += fmt::format("  least RSS of any allocator, if the program writes to all {}: {}\n",
                     facts.told.requests != 0 ? "else" : "of it", bytes(facts.least_rss_bytes));
  out += fmt::format("  never freed: {} in {}\n", bytes(header.end_live_bytes),
                     counted(header.end_live_objects, "object"));
  if (facts.moments.empty()) return out + "\n";
  const std::size_t columns = std::clamp<std::size_t>(width, 40, 104) - 24;
  const auto row = [&](const char* name, const auto& value) {
    out += fmt::format("  {:<13} |{}|\n", name, curve(facts.moments, columns, value));
  };
  row("live bytes", [](const trace::Moment& moment) { return moment.max_live_bytes; });
  row("live objects", [](const trace::Moment& moment) { return moment.max_live_objects; });
  row("events", [](const trace::Moment& moment) { return moment.events; });
  if (facts.max_threads_at_once > 1)
    row("threads", [](const trace::Moment& moment) { return moment.max_threads; });
  return out + fmt::format("  {:<13}  0 to {}\n\n", "", time(facts, facts.duration_ns));
}

// First and last class of any of `all` that holds something.
std::pair<std::size_t, std::size_t> classes_in(std::initializer_list<const Log2Counts*> all) {
  std::size_t first = 65, last = 0;
  for (const Log2Counts* one : all)
    for (std::size_t number = 0; number < one->classes.size(); ++number)
      if (one->classes[number].count != 0) {
        first = std::min(first, number);
        last = std::max(last, number + 1);
      }
  return {std::min(first, last), last};
}

std::uint64_t largest_of(const Log2Counts& counts) {
  std::uint64_t largest = 0;
  for (const auto& one : counts.classes) largest = std::max(largest, one.count);
  return largest;
}

std::string size_range(std::size_t number) {
  return number <= 1 ? bytes(number) : "from " + bytes(Log2Counts::class_start(number));
}

std::string sizes(const TraceFacts& facts, std::size_t width, bool colour) {
  if (facts.requests == 0) return "";
  TextTable table{"Sizes", {"", "requests", "share", "", "bytes", "at peak", "never freed"}, {}, {}};
  const auto [first, last] = classes_in({&facts.sizes});
  for (std::size_t number = first; number < last; ++number) {
    const auto &made = facts.sizes.classes[number], &peak = facts.sizes_at_peak.classes[number],
               &never = facts.sizes_never_freed.classes[number];
    if (made.count == 0) continue;
    table.rows.push_back({{size_range(number)},
                          {count(made.count)},
                          {percent(made.count, facts.requests)},
                          {bar(made.count, largest_of(facts.sizes))},
                          {bytes(made.bytes)},
                          {bytes(peak.bytes)},
                          {bytes(never.bytes)}});
  }
  std::string out = for_terminal(table, width, colour) + "\n";

  TextTable top{facts.top_is_approximate ? "Most frequent sizes (of so many, rare ones were not counted)"
                                         : "Most frequent sizes",
                {"", "requests", "share", "bytes", "share of bytes"},
                {},
                {}};
  for (const trace::SizeCount& one : facts.top_by_count)
    top.rows.push_back({{count(one.size) + " B"},
                        {count(one.count)},
                        {percent(one.count, facts.requests)},
                        {bytes(one.bytes())},
                        {percent(one.bytes(), facts.requested_bytes)}});
  std::string largest;
  for (const trace::SizeCount& one :
       std::span(facts.top_by_bytes).first(std::min<std::size_t>(5, facts.top_by_bytes.size())))
    largest += fmt::format("{}{} ({})", largest.empty() ? "" : ", ", bytes(one.size),
                           percent(one.bytes(), facts.requested_bytes));
  top.notes.push_back("most bytes were requested in blocks of " + largest);
  return out + for_terminal(top, width, colour) + "\n";
}

std::string lifetimes(const TraceFacts& facts, std::size_t width, bool colour) {
  if (facts.given_up == 0) return "";
  TextTable table{"Lifetimes of what was given up", {"", "objects", "share", "", "bytes"}, {}, {}};
  const auto [first, last] = classes_in({&facts.lifetimes_ns});
  for (std::size_t number = first; number < last; ++number) {
    const auto& one = facts.lifetimes_ns.classes[number];
    if (one.count == 0) continue;
    const std::uint64_t start = Log2Counts::class_start(number);
    // Shorter than a tick is 0 in the file.
    table.rows.push_back({{number == 0 ? "in the same tick" : "from " + time(facts, start)},
                          {count(one.count)},
                          {percent(one.count, facts.given_up)},
                          {bar(one.count, largest_of(facts.lifetimes_ns))},
                          {bytes(one.bytes)}});
  }
  return for_terminal(table, width, colour) + "\n";
}

std::string threads(const TraceFacts& facts, std::size_t width, bool colour) {
  if (facts.threads.size() == 1) return "";
  TextTable table{
      "Threads", {"", "events", "share", "", "requested", "frees of others' blocks", "from", "to"}, {}, {}};
  std::vector<trace::ThreadFacts> busiest = facts.threads;
  std::stable_sort(busiest.begin(), busiest.end(),
                   [](const auto& left, const auto& right) { return left.events > right.events; });
  constexpr std::size_t kShown = 12;
  const std::uint64_t most = busiest[0].events;
  if (busiest.size() > kShown) busiest.resize(kShown);
  for (const trace::ThreadFacts& one : busiest)
    table.rows.push_back({{fmt::format("thread {}", one.number)},
                          {count(one.events)},
                          {percent(one.events, facts.header.events)},
                          {bar(one.events, most)},
                          {bytes(one.requested_bytes)},
                          {percent(one.frees_of_others, one.frees)},
                          {time(facts, one.start_ns)},
                          {one.ended ? time(facts, one.end_ns) : "the end"}});
  table.notes.push_back(fmt::format(
      "{}, {} at once{}{}", counted(facts.threads.size(), "thread"), count(facts.max_threads_at_once),
      facts.threads.size() > kShown ? fmt::format("; the {} with most events are shown", kShown) : "",
      facts.thread_lifetimes_ns.count() == 0
          ? ""
          : fmt::format("; of {} that ended, half lived at least {}",
                        count(facts.thread_lifetimes_ns.count()),
                        time(facts, facts.thread_lifetimes_ns.quantile_class_start(0.5)))));
  return for_terminal(table, width, colour) + "\n";
}

std::string remarks(const TraceFacts& facts) {
  const auto& header = facts.header;
  std::vector<std::string> lines;
  if (facts.alignments.count() != 0) {
    std::string list;
    for (std::size_t number = 0; number < facts.alignments.classes.size(); ++number)
      if (const auto& one = facts.alignments.classes[number]; one.count != 0)
        list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", bytes(Log2Counts::class_start(number)),
                            count(one.count));
    lines.push_back("alignments asked for: " + list);
  }
  if (facts.idle.count != 0)
    lines.push_back(fmt::format("{} of 10 ms or more, {} in all ({}), the longest of {} from {}",
                                counted(facts.idle.count, "idle gap"), time(facts, facts.idle.total_ns),
                                percent(facts.idle.total_ns, facts.duration_ns),
                                time(facts, facts.idle.longest_ns),
                                time(facts, facts.idle.longest_start_ns)));
  if (header.refused_requests != 0)
    lines.push_back(
        fmt::format("refused: {}; a replay does not make them", counted(header.refused_requests, "request")));
  if (header.repaired_inversions != 0)
    lines.push_back(
        fmt::format("handed out before they were freed, by the recorded times: {}; the order was repaired",
                    counted(header.repaired_inversions, "block")));
  if (header.unknown_frees != 0)
    lines.push_back(fmt::format("left out: {} of addresses that were not seen handed out",
                                counted(header.unknown_frees, "free")));
  if (header.lost_events != 0)
    lines.push_back(fmt::format("lost: at least {}", counted(header.lost_events, "event")));
  std::string out;
  for (const std::string& line : lines) out += "  " + line + "\n";
  return out.empty() ? "" : out + "\n";
}

}  // namespace

std::string trace_text(const TraceFacts& facts, std::size_t width, bool colour) {
  return head(facts, width, colour) + calls(facts, width, colour) + memory(facts, width, colour) +
         sizes(facts, width, colour) + lifetimes(facts, width, colour) + threads(facts, width, colour) +
         remarks(facts);
}

}  // namespace heapmark::view
