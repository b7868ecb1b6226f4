// Made-up results for the tests of records and views: two allocators on one workload with figures that can be
// worked out by hand.
#pragma once

#include "harness/record/record.h"

namespace heapmark::record::example {

inline Record record(const std::string& allocator, const std::string& pass, unsigned round,
                     std::map<std::string, double> metrics) {
  Record record;
  record.spec.allocator = allocator;
  record.spec.workload = "churn";
  record.spec.variant = "small";
  record.spec.parameters = {{"threads", "4"}};
  record.spec.pass = pass;
  record.spec.round = round;
  record.result.outcome = trial::Outcome::kOk;
  record.result.operations = 1000;
  record.result.metrics = std::move(metrics);
  return record;
}

inline Record failed(const std::string& allocator, const std::string& pass, unsigned round,
                     trial::Outcome outcome, const std::string& message) {
  Record record = example::record(allocator, pass, round, {});
  record.result.outcome = outcome;
  record.result.message = message;
  return record;
}

inline Results results() {
  Results results;
  results.heapmark_version = "0.1.0";
  results.context = json{{"date", "2026-01-01T00:00:00Z"}, {"num_cpus", 2}};
  results.asked.allocators = "glibc,quick,absent";
  results.asked.baseline = "glibc";
  results.asked.request.workloads = {"churn"};
  for (const char* label : {"glibc", "quick", "absent"}) {
    AllocatorFound allocator;
    allocator.name = allocator.label = label;
    results.allocators.push_back(allocator);
  }
  results.allocators.back().skipped = "libabsent.so is not installed";
  results.metrics["churn"] = {
      {"ns_per_op", "ns", "lower", "time of one operation", {"speed"}, true},
      {"rss_peak_bytes", "bytes", "lower", "most memory held", {"memory"}, true},
      {"trims", "count", "neither", "times the break was lowered", {"ledger"}, true},
      {"own_trims", "count", "neither", "as the allocator counts them", {}, false},
  };
  return results;
}

}  // namespace heapmark::record::example
