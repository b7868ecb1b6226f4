// The long tables as markdown.
#include "harness/view/comparison.h"
#include "harness/view/exporter.h"

namespace heapmark::view {
namespace {

std::string render(const Subject& subject) {
  std::string out;
  for (const TextTable& table : comparison_tables(subject.results, subject.analysis))
    out += for_markdown(table) + "\n";
  for (const std::string& note : comparison_notes(subject.results, subject.analysis.margin))
    out += "- " + note + "\n";
  return out;
}

HEAPMARK_EXPORTER("markdown", "all tables, as markdown", render)

}  // namespace
}  // namespace heapmark::view
