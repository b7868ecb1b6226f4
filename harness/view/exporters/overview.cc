// The one table that decides, as markdown: what stands in READMEs.
#include "harness/view/comparison.h"
#include "harness/view/exporter.h"

namespace heapmark::view {
namespace {

std::string render(const Subject& subject) {
  TextTable table = overview_table(subject.results, subject.analysis);
  table.title.clear();
  return for_markdown(table);
}

HEAPMARK_EXPORTER("overview", "one table of the figures that decide, as markdown", render)

}  // namespace
}  // namespace heapmark::view
