// What heapmark knows on this machine: the catalog's files read, the user's list of allocators with the
// libraries found for it, and the workloads of the measured process. Here the machine's facts meet the plan,
// which knows none of them by itself.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/paths.h"
#include "harness/plan/libraries.h"
#include "harness/plan/selection.h"
#include "harness/plan/traces.h"
#include "harness/plan/workload_list.h"

namespace heapmark::cli {

// Reads every *.toml of `directory`, in order of name. Throws UsageError that names file and line.
[[nodiscard]] std::vector<plan::Allocator> load_catalog(const std::filesystem::path& directory);

// The C library in use for a builtin allocator, beside the program for bundled ones, LD_LIBRARY_PATH and the
// system's directories for all others.
class MachineLibraries : public plan::Libraries {
 public:
  explicit MachineLibraries(std::string program_directory)
      : program_directory_(std::move(program_directory)) {}
  [[nodiscard]] std::string find(const plan::Allocator& allocator) const override;
  [[nodiscard]] std::string given(const std::string& path) const override;
  [[nodiscard]] std::string preloadable(const std::string& file) const override;
  [[nodiscard]] bool exports(const std::string& file, const std::string& symbol) const override;
  [[nodiscard]] std::string build_id(const std::string& file) const override;
  [[nodiscard]] std::map<std::string, std::string> versions(
      const std::vector<std::string>& files) const override;

 private:
  std::string program_directory_;
};

// Reads header and index. Throws Failure with kBadTrace for a file that is no whole trace, is of another
// version or holds nothing, and UsageError where there is no such file.
class MachineTraces : public plan::Traces {
 public:
  [[nodiscard]] plan::TraceFacts read(const std::string& path) const override;
};

// plan::select() with this machine's libraries.
[[nodiscard]] std::vector<plan::Selection> select(const Paths& paths, std::string_view list,
                                                  const std::vector<plan::Allocator>& catalog);

// Every allocator of the catalog, those not for use as well.
[[nodiscard]] std::vector<plan::Selection> select_everything(const Paths& paths);

// Runs `host describe` and parses what it says. Throws std::runtime_error that names the host.
[[nodiscard]] std::vector<plan::WorkloadInfo> ask_workloads(const std::string& host_program);

}  // namespace heapmark::cli
