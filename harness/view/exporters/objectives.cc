// What tuning compares, as JSON (docs/tuning.md).
#include "harness/view/exporter.h"

namespace heapmark::view {
namespace {

std::string render(const Subject& subject) {
  return stats::objectives_json(subject.results, subject.analysis.overalls).dump(1) + "\n";
}

HEAPMARK_EXPORTER("objectives", "what tuning compares, as JSON", render)

}  // namespace
}  // namespace heapmark::view
