// The results file on disk (docs/results-format.md): written anew beside itself and renamed into place after
// every trial, so that whoever reads it, whenever the writer died, sees all finished trials. A file whose
// name ends in
// ".zst" is compressed (compression.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/record/record.h"

namespace heapmark::record {

class ResultsFile {
 public:
  // Takes the records that `results` already has (of a run that is resumed). Nothing is written yet.
  ResultsFile(std::filesystem::path path, Results results);

  // Appends one record and writes the file. Throws std::system_error where the disk refuses; the file then
  // holds what it held before.
  void add(Record record);

  // Writes the file with these statistics (stats/analysis.h) and Google Benchmark's rows, both of which are
  // left out while the run goes on.
  void finish(const std::vector<json>& statistics);

  [[nodiscard]] const Results& results() const { return results_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  void write(const std::string& tail, int level) const;

  std::filesystem::path path_;
  Results results_;
  std::string head_;                  // everything before the records, as text
  std::vector<std::string> records_;  // as text, so that each is made into text once
};

// Reads a results file, of this schema or an older one. Throws UsageError where the file is none, is of a
// newer schema, or is damaged.
[[nodiscard]] Results read_results(const std::filesystem::path& path);

}  // namespace heapmark::record
