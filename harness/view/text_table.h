// A table of texts and its three shapes: for a terminal of a given width (columns that do not fit go into a
// further block under the first column), for markdown. It knows nothing of what is measured.
#pragma once

#include <string>
#include <vector>

namespace heapmark::view {

enum class Tone { kPlain, kGood, kBad, kDim };

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;
};

struct TextTable {
  std::string title;
  std::vector<std::string> columns;  // the first is the row's name, set to the left; the others to the right
  std::vector<std::vector<Cell>> rows;  // each as long as `columns`
  std::vector<std::string> notes;       // lines below it
};

// Columns of a terminal that `text` takes (UTF-8; one for each code point, none for combining marks).
[[nodiscard]] std::size_t display_width(std::string_view text);

[[nodiscard]] std::string for_terminal(const TextTable& table, std::size_t width, bool colour);
[[nodiscard]] std::string for_markdown(const TextTable& table);

}  // namespace heapmark::view
