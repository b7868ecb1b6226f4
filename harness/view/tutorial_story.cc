// See tutorial_story.h. The drawing: one character a few KiB of the brk heap, from where the break was at the
// start. A block is drawn by its letter, small while it is only addresses, capital once its pages are there.
#include "harness/view/tutorial_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "harness/view/quantity.h"
#include "harness/view/text_table.h"

namespace heapmark::view {
namespace {

constexpr int kInBrkHeap = 1;

struct Block {
  double offset = 0, bytes = 0;
  bool in_heap = false, touched = false;
};

struct Step {
  std::string text;
  double break_offset = 0, rss_bytes = 0, virtual_bytes = 0, minor_faults = 0, major_faults = 0;
  std::map<char, Block> live;
};

// Reads a cell by its column's name; NaN where there is no such column.
class Rows {
 public:
  explicit Rows(const trial::Table& table) : table_(table) {}
  [[nodiscard]] std::size_t size() const { return table_.rows.size(); }
  [[nodiscard]] double at(std::size_t row, std::string_view column) const {
    const auto found = std::find(table_.columns.begin(), table_.columns.end(), column);
    if (found == table_.columns.end()) return std::nan("");
    return table_.rows[row][static_cast<std::size_t>(found - table_.columns.begin())];
  }
  [[nodiscard]] std::string text(std::size_t row) const {
    return row < table_.texts.size() ? table_.texts[row] : "";
  }

 private:
  const trial::Table& table_;
};

// Plays the sequence: which blocks live after each row of the table.
std::vector<Step> steps_of(const trial::Table& table) {
  const Rows rows(table);
  std::vector<Step> steps;
  std::map<char, Block> live;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const double letter = rows.at(row, "block"), bytes = rows.at(row, "block_bytes");
    if (letter >= 1) {
      const char name = static_cast<char>('a' + static_cast<int>(letter) - 1);
      if (bytes > 0)
        live[name] = {rows.at(row, "address_offset"), bytes, rows.at(row, "place") == kInBrkHeap,
                      rows.at(row, "touched") == 1};
      else
        live.erase(name);
    }
    steps.push_back({rows.text(row), rows.at(row, "break_offset"), rows.at(row, "rss_bytes"),
                     rows.at(row, "virtual_bytes"), rows.at(row, "minor_faults"),
                     rows.at(row, "major_faults"), live});
  }
  return steps;
}

struct Scale {
  double start = 0, bytes_per_column = 4096;
  [[nodiscard]] std::size_t column(double offset) const {
    return static_cast<std::size_t>(std::max(0.0, std::round((offset - start) / bytes_per_column)));
  }
};

Scale scale_for(const std::vector<Step>& steps, std::size_t columns) {
  Scale scale;
  double end = 0;
  for (const Step& step : steps) {
    end = std::max(end, step.break_offset);
    for (const auto& [name, block] : step.live)
      if (block.in_heap) scale.start = std::min(scale.start, block.offset);
  }
  while ((end - scale.start) / scale.bytes_per_column > static_cast<double>(columns))
    scale.bytes_per_column *= 2;
  return scale;
}

std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (column + 1 + display_width(word) > width && column > indent) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += display_width(word);
    at = end + 1;
  }
  return out;
}

std::string drawing(const Step& step, const Scale& scale, std::size_t width) {
  std::string heap(scale.column(step.break_offset), '.');
  std::string mapped;
  double last_end = scale.start;
  for (const auto& [name, block] : step.live) {
    const char letter = block.touched ? static_cast<char>(name - 'a' + 'A') : name;
    if (!block.in_heap) {
      mapped += fmt::format("{}{} {}", mapped.empty() ? "" : ", ", letter, quantity(block.bytes, "bytes"));
      continue;
    }
    last_end = std::max(last_end, block.offset + block.bytes);
    const std::size_t first = scale.column(block.offset), last = scale.column(block.offset + block.bytes);
    for (std::size_t at = first; at < std::max(last, first + 1) && at < heap.size(); ++at) heap[at] = letter;
  }
  // What lies between the last block and the break is free at the top, below it are holes.
  for (std::size_t at = scale.column(last_end); at < heap.size(); ++at)
    if (heap[at] == '.') heap[at] = '-';
  std::string out = "    |" + heap + "|";
  std::string beside = "break +" + quantity(step.break_offset, "bytes");
  if (step.break_offset <= 0 && heap.empty()) {
    out = "    |";
    beside = "the brk heap is empty";
  }
  if (!mapped.empty()) beside += "   mapped: " + mapped;
  // Beside the drawing where there is room for it, else below.
  const bool fits = display_width(out) + 1 + display_width(beside) <= width;
  return out + (fits ? " " + beside : "\n    " + wrapped(beside, 4, width)) + "\n";
}

Cell claim_cell(double holds) {
  if (std::isnan(holds)) return {"not measured", Tone::kDim};
  return holds == 1 ? Cell{"holds", Tone::kGood} : Cell{"fails", Tone::kBad};
}

std::string coloured(const Cell& cell, bool colour) {
  if (!colour || cell.tone == Tone::kPlain) return cell.text;
  const char* start = cell.tone == Tone::kGood  ? "\033[32m"
                      : cell.tone == Tone::kBad ? "\033[31m"
                                                : "\033[2m";
  return start + cell.text + "\033[0m";
}

const trial::Table* table_of(const record::Record& record, const std::string& name) {
  const auto found = record.result.tables.find(name);
  return found == record.result.tables.end() ? nullptr : &found->second;
}

std::string head_line(const std::string& text, bool colour) {
  return colour ? "\033[1m" + text + "\033[0m\n" : text + "\n";
}

}  // namespace

std::string tutorial_story(const record::Record& record, std::size_t width, bool colour) {
  std::string out = head_line("The tutorial on " + record.spec.allocator, colour);
  if (record.result.outcome != trial::Outcome::kOk)
    out += fmt::format("  the trial failed: {}: {}\n", record::outcome_name(record.result.outcome),
                       record.result.message);
  const trial::Table* steps_table = table_of(record, "steps");
  const trial::Table* claims = table_of(record, "claims");
  if (steps_table == nullptr || claims == nullptr) return out + "  it left no steps to tell\n";

  const std::vector<Step> steps = steps_of(*steps_table);
  const Scale scale = scale_for(steps, width > 60 ? width - 50 : 10);
  const auto paragraph = [&](const std::string& text, std::size_t indent) {
    return std::string(indent, ' ') + wrapped(text, indent, width) + "\n";
  };
  out +=
      paragraph(
          fmt::format(
              "In the drawings one character is {}: a small letter is a block that is only addresses, a "
              "capital one a block whose pages are there, . a hole or a page kept below the top, - free at "
              "the top.",
              quantity(scale.bytes_per_column, "bytes")),
          2) +
      "\n";
  Step before;
  std::size_t number = 0;
  for (const Step& step : steps) {
    out += fmt::format("{:>3}  {}\n", ++number, wrapped(step.text, 5, width));
    out += drawing(step, scale, width);
    std::string figures = fmt::format(
        "RSS {} ({}{}), virtual {}, minor faults {} (+{})", quantity(step.rss_bytes, "bytes"),
        step.rss_bytes >= before.rss_bytes ? "+" : "", quantity(step.rss_bytes - before.rss_bytes, "bytes"),
        quantity(step.virtual_bytes, "bytes"), step.minor_faults, step.minor_faults - before.minor_faults);
    if (step.major_faults > before.major_faults)
      figures += fmt::format(", major faults {}", step.major_faults);
    out += paragraph(figures, 4) + "\n";
    before = step;
  }
  out += head_line("  Its twelve claims, and what was seen", colour);
  const Rows rows(*claims);
  constexpr std::size_t kVerdictWidth = 12;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Cell verdict = claim_cell(rows.at(row, "holds"));
    // Padded by what is seen: a colour takes no columns.
    const std::string space(kVerdictWidth - std::min(kVerdictWidth, display_width(verdict.text)), ' ');
    out += fmt::format("  {:>2} {}{} {}\n", rows.at(row, "claim"), coloured(verdict, colour), space,
                       wrapped(rows.text(row), kVerdictWidth + 6, width));
  }
  return out;
}

std::string tutorial_overview(const record::Results& results, std::size_t width, bool colour) {
  TextTable table{"The twelve claims", {"claim"}, {}, {}};
  std::map<int, std::vector<Cell>> by_claim;
  for (const record::Record& record : results.records) {
    const trial::Table* claims = table_of(record, "claims");
    if (claims == nullptr) continue;
    table.columns.push_back(record.spec.allocator);
    const Rows rows(*claims);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      auto& cells = by_claim[static_cast<int>(rows.at(row, "claim"))];
      cells.resize(table.columns.size() - 2, {"", Tone::kDim});
      cells.push_back(claim_cell(rows.at(row, "holds")));
    }
  }
  for (auto& [claim, cells] : by_claim) {
    auto& row = table.rows.emplace_back(std::vector<Cell>{{std::to_string(claim)}});
    cells.resize(table.columns.size() - 1, {"", Tone::kDim});
    row.insert(row.end(), cells.begin(), cells.end());
  }
  return for_terminal(table, width, colour);
}

}  // namespace heapmark::view
