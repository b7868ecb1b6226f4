// See ledger_result.h.
#include "harness/trial/ledger_result.h"

namespace heapmark::trial {

void add_ledger(const ledger::OsLedger& ledger, TrialResult& result) {
  result.metrics.merge(ledger.metrics());
  Table& table = result.tables["kernel_events"];
  table.columns = {"time_ns", "kind", "bytes", "phase"};
  for (const ledger::Event& event : ledger.events())
    table.rows.push_back({static_cast<double>(event.time_ns), static_cast<double>(event.kind),
                          static_cast<double>(event.bytes), static_cast<double>(event.phase)});
  table.dropped_rows = static_cast<std::uint32_t>(ledger.dropped_events());
}

}  // namespace heapmark::trial
