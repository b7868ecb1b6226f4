// See text_table.h.
#include "harness/view/text_table.h"

#include <algorithm>
#include <string_view>

namespace heapmark::view {
namespace {

constexpr std::string_view kGap = "  ";

std::string_view colour_of(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "\033[32m";
    case Tone::kBad:
      return "\033[31m";
    case Tone::kDim:
      return "\033[2m";
    case Tone::kPlain:
      break;
  }
  return "";
}

std::string padded(std::string_view text, std::size_t width, bool left) {
  const std::size_t has = display_width(text);
  const std::string space(width > has ? width - has : 0, ' ');
  return left ? std::string(text) + space : space + std::string(text);
}

std::string toned(const Cell& cell, std::size_t width, bool left, bool colour) {
  const std::string text = padded(cell.text, width, left);
  const std::string_view start = colour ? colour_of(cell.tone) : "";
  return start.empty() ? text : std::string(start) + text + "\033[0m";
}

std::vector<std::size_t> widths_of(const TextTable& table) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    std::size_t width = display_width(table.columns[column]);
    for (const auto& row : table.rows) width = std::max(width, display_width(row[column].text));
    widths.push_back(width);
  }
  return widths;
}

void strip_right(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
}

void add_block(std::string& out, const TextTable& table, const std::vector<std::size_t>& widths,
               std::size_t first, std::size_t last, bool colour) {
  const auto add_line = [&](const auto& cell_at) {
    std::string line = cell_at(0);
    for (std::size_t column = first; column < last; ++column) line += std::string(kGap) + cell_at(column);
    strip_right(line);
    out += "  " + line + "\n";
  };
  add_line([&](std::size_t column) {
    return toned({table.columns[column], Tone::kDim}, widths[column], column == 0, colour);
  });
  for (const auto& row : table.rows)
    add_line([&](std::size_t column) { return toned(row[column], widths[column], column == 0, colour); });
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string for_terminal(const TextTable& table, std::size_t width, bool colour) {
  std::string out = colour ? "\033[1m" + table.title + "\033[0m\n" : table.title + "\n";
  const std::vector<std::size_t> widths = widths_of(table);
  std::size_t first = 1;
  do {
    std::size_t used = 2 + widths[0], last = first;
    while (last < widths.size() && (last == first || used + kGap.size() + widths[last] <= width))
      used += kGap.size() + widths[last++];
    if (first > 1) out += "\n";
    add_block(out, table, widths, first, last, colour);
    first = last;
  } while (first < widths.size());
  for (const std::string& note : table.notes) out += "  " + note + "\n";
  return out;
}

std::string for_markdown(const TextTable& table) {
  std::string out = (table.title.empty() ? "" : "**" + table.title + "**\n\n") + "|";
  for (const std::string& column : table.columns) out += " " + escaped(column) + " |";
  out += "\n|";
  for (std::size_t column = 0; column < table.columns.size(); ++column)
    out += column == 0 ? " :-- |" : " --: |";
  out += "\n";
  for (const auto& row : table.rows) {
    out += "|";
    for (const Cell& cell : row) {
      std::string text = escaped(cell.text);
      strip_right(text);
      out += " " + text + " |";
    }
    out += "\n";
  }
  if (!table.notes.empty()) out += "\n";
  for (const std::string& note : table.notes) out += "- " + note + "\n";
  return out;
}

}  // namespace heapmark::view
