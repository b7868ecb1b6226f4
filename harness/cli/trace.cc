// See trace.h.
#include "harness/cli/trace.h"

#include <fmt/format.h>

#include "harness/cli/exit_codes.h"
#include "harness/cli/terminal.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/trace/trace_facts.h"
#include "harness/view/trace_view.h"

namespace heapmark::cli {

void add_trace_flags(CLI::App& verb, TraceOptions& options) {
  verb.add_option("FILE", options.files, "traces (.hmtrace)")->required();
}

int trace(const Paths&, const TraceOptions& options) {
  int code = 0;
  for (const std::string& file : options.files) {
    try {
      trace::TraceReading reading(file);
      fmt::print("{}",
                 view::trace_text(trace::facts_of(reading), terminal_width(stdout), wants_colour(stdout)));
    } catch (const trace::BadTrace& error) {
      warn(error.what());
      code = kBadTrace;
    }
  }
  return code;
}

}  // namespace heapmark::cli
