// What the ledger counted, as part of a trial's result: its metrics, and its events as a table.
#pragma once

#include "harness/ledger/os_ledger.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

void add_ledger(const ledger::OsLedger& ledger, TrialResult& result);

}  // namespace heapmark::trial
