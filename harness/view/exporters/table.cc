// The long tables for a terminal.
#include "harness/view/comparison.h"
#include "harness/view/exporter.h"

namespace heapmark::view {
namespace {

std::string render(const Subject& subject) {
  std::string out;
  for (const TextTable& table : comparison_tables(subject.results, subject.analysis))
    out += for_terminal(table, subject.width, subject.colour) + "\n";
  if (stats::swept_tunables(subject.results).empty())  // of a sweep it would be as wide as the grid is large
    out +=
        for_terminal(overview_table(subject.results, subject.analysis), subject.width, subject.colour) + "\n";
  for (const std::string& note : comparison_notes(subject.results, subject.analysis.margin))
    out += note + "\n";
  return out;
}

HEAPMARK_EXPORTER("table", "all tables, for a terminal", render)

}  // namespace
}  // namespace heapmark::view
