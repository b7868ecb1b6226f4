// The closing words of a run.
#include "harness/view/closing_words.h"
#include "harness/view/exporter.h"

namespace heapmark::view {
namespace {

std::string render(const Subject& subject) {
  std::string out;
  for (const std::string& line : closing_words(subject.results, subject.analysis, subject.file))
    out += line + "\n";
  return out;
}

HEAPMARK_EXPORTER("words", "what the run found, in at most ten lines", render)

}  // namespace
}  // namespace heapmark::view
