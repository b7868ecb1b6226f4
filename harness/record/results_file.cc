// See results_file.h.
#include "harness/record/results_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "harness/plan/usage_error.h"
#include "harness/record/benchmark_rows.h"
#include "harness/record/compression.h"
#include "harness/record/record_json.h"

namespace heapmark::record {
namespace {

// What older ones lack is read as what it was then; statistics are always computed anew.
//   1  verdicts "no difference" and "undecided", no margin, no `shown`
constexpr int kSchema = 2;

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing) {
  throw std::system_error(errno, std::generic_category(), std::string(doing) + " " + path.string());
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail(path, "opening");
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "writing");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// A line of its own for each element: diffs and greps of a committed file stay readable.
template <typename List, typename Dump>
std::string lines(const List& list, const Dump& dump) {
  std::string out = "[";
  const char* separator = "\n";
  for (const auto& element : list) {
    out += separator + dump(element);
    separator = ",\n";
  }
  return out + "\n]";
}

std::string head_of(const Results& results) {
  json allocators = json::object();
  for (const AllocatorFound& allocator : results.allocators) allocators[allocator.label] = to_json(allocator);
  json metrics = json::object();
  for (const auto& [workload, list] : results.metrics)
    for (const plan::Metric& metric : list) metrics[workload][metric.name] = to_json(metric);
  return "{\n\"heapmark_version\": " + json(results.heapmark_version).dump() +
         ",\n\"schema\": " + std::to_string(kSchema) + ",\n\"context\": " + results.context.dump() +
         ",\n\"plan\": " + to_json(results.asked).dump() + ",\n\"allocators\": " + allocators.dump() +
         ",\n\"metrics\": " + metrics.dump() + ",\n\"records\": ";
}

std::string text_of(const Record& record) {
  // A crashed program's last words may not be UTF-8: they are kept with the bad bytes replaced.
  return to_json(record).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

ResultsFile::ResultsFile(std::filesystem::path path, Results results)
    : path_(std::move(path)), results_(std::move(results)), head_(head_of(results_)) {
  for (const Record& record : results_.records) records_.push_back(text_of(record));
}

void ResultsFile::add(Record record) {
  if (record.host.empty() && results_.context.is_object())
    record.host = results_.context.value("host_name", "");
  records_.push_back(text_of(record));
  results_.records.push_back(std::move(record));
  write(",\n\"statistics\": [],\n\"benchmarks\": []\n}\n", kQuickLevel);
}

void ResultsFile::finish(const std::vector<json>& statistics) {
  const auto dump = [](const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  write(",\n\"statistics\": " + lines(statistics, dump) +
            ",\n\"benchmarks\": " + lines(benchmark_rows(results_), dump) + "\n}\n",
        kSmallLevel);
}

void ResultsFile::write(const std::string& tail, int level) const {
  std::string text = head_ + lines(records_, [](const std::string& record) { return record; }) + tail;
  if (names_compressed(path_)) text = compress(text, level);
  const std::filesystem::path beside = path_.string() + ".tmp";
  try {
    Descriptor file(beside, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(file.get(), text, beside);
    if (::fsync(file.get()) != 0) fail(beside, "writing");
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
  std::filesystem::rename(beside, path_);
}

Results read_results(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UsageError("cannot read " + path.string() + ": " + std::generic_category().message(errno));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (is_compressed(text)) text = decompress(text, path);
  Results results;
  try {
    const json root = json::parse(text);
    if (!root.is_object() || !root.contains("schema") || !root.contains("records"))
      throw UsageError(path.string() + " is JSON but no results file of heapmark");
    const json& schema = root.at("schema");
    if (!schema.is_number_integer() || schema < 1 || schema > kSchema)
      throw UsageError(path.string() + " has schema " + schema.dump() +
                       "; this heapmark reads schemas up to " + std::to_string(kSchema) +
                       ": read it with heapmark " + root.value("heapmark_version", "of a newer version"));
    root.at("heapmark_version").get_to(results.heapmark_version);
    results.context = root.at("context");
    results.asked = asked_from(root.at("plan"));
    for (const auto& [label, allocator] : root.at("allocators").items())
      results.allocators.push_back(allocator_from(allocator));
    for (const auto& [workload, metrics] : root.at("metrics").items())
      for (const auto& [name, metric] : metrics.items())
        results.metrics[workload].push_back(metric_from(name, metric));
    for (const json& record : root.at("records")) results.records.push_back(record_from(record));
  } catch (const json::exception& error) {
    throw UsageError(path.string() + " is damaged or no results file of heapmark: " + error.what());
  }
  return results;
}

}  // namespace heapmark::record
