// See known.h.
#include "harness/cli/known.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "harness/cli/exit_codes.h"
#include "harness/machine/library_search.h"
#include "harness/machine/preload_link.h"
#include "harness/machine/program_file.h"
#include "harness/machine/run_and_read.h"
#include "harness/plan/usage_error.h"
#include "workloads/contract/trace/reader.h"

namespace heapmark::cli {

namespace fs = std::filesystem;

std::vector<plan::Allocator> load_catalog(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  if (error) throw UsageError(fmt::format("allocator catalog {}: {}", directory.string(), error.message()));
  if (files.empty()) throw UsageError(fmt::format("allocator catalog {}: no *.toml", directory.string()));
  std::sort(files.begin(), files.end());

  std::vector<plan::Allocator> catalog;
  for (const fs::path& file : files) {
    std::ifstream in(file);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) throw UsageError(fmt::format("cannot read {}", file.string()));
    catalog.push_back(plan::parse_allocator(text.str(), file));
  }
  return catalog;
}

std::string MachineLibraries::find(const plan::Allocator& allocator) const {
  if (allocator.builtin) return machine::c_library_in_use();
  if (allocator.bundled) return machine::find_library(allocator.libraries, {program_directory_});
  return machine::find_library(allocator.libraries, machine::system_directories());
}

std::string MachineLibraries::given(const std::string& path) const {
  std::error_code error;
  const fs::path file = fs::canonical(path, error);
  if (error) throw UsageError(fmt::format("{}: {}", path, error.message()));
  if (!machine::is_shared_library(file))
    throw UsageError(fmt::format("{}: not a shared library of this machine", path));
  return file.string();
}

std::string MachineLibraries::preloadable(const std::string& file) const {
  return machine::preloadable(file);
}

bool MachineLibraries::exports(const std::string& file, const std::string& symbol) const {
  return machine::exports_symbol(file, symbol);
}

std::string MachineLibraries::build_id(const std::string& file) const {
  return machine::build_id(file);
}

std::map<std::string, std::string> MachineLibraries::versions(const std::vector<std::string>& files) const {
  std::map<std::string, std::string> found = machine::debian_versions(files);
  for (const std::string& file : files)
    if (!found.contains(file))
      if (std::string version = machine::version_written_in(file); !version.empty()) found[file] = version;
  return found;
}

plan::TraceFacts MachineTraces::read(const std::string& path) const {
  std::error_code error;
  const fs::path file = fs::canonical(path, error);
  if (error) throw UsageError(fmt::format("-w trace:{}: {}", path, error.message()));
  std::ifstream in(file, std::ios::binary);
  if (!in || !fs::is_regular_file(file)) throw UsageError(fmt::format("-w trace:{}: cannot be read", path));
  const auto refuse = [&](const char* why) {
    if (why != nullptr) throw Failure(kBadTrace, fmt::format("{}: {}", path, why));
  };
  std::string start(sizeof(trace::Header), '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(in.gcount()));
  trace::TraceFile trace;
  refuse(trace.open_start(start.data(), start.size(), fs::file_size(file)));
  const trace::Header& header = trace.header();
  std::vector<char> frame(header.index_bytes), index(header.index_raw_bytes),
      workspace(trace::TraceFile::workspace_bytes());
  in.clear();
  in.seekg(static_cast<std::streamoff>(header.index_offset));
  if (!in.read(frame.data(), static_cast<std::streamsize>(frame.size()))) refuse("it cannot be read");
  refuse(trace.read_index(frame.data(), index.data(), workspace.data()));
  if (header.events == 0) refuse("the trace holds no events: the program allocated nothing while recorded");
  return {.file = file.string(),
          .checksum = fmt::format("{:016x}", header.checksum),
          .events = header.events,
          .threads = header.threads,
          .max_live_bytes = header.max_live_bytes,
          .max_live_objects = header.max_live_objects,
          .duration = std::chrono::seconds(header.duration_ticks * header.tick_ns / 1'000'000'000 + 1)};
}

std::vector<plan::Selection> select(const Paths& paths, std::string_view list,
                                    const std::vector<plan::Allocator>& catalog) {
  return plan::select(list, catalog, MachineLibraries(paths.program_directory), paths.noop_library);
}

std::vector<plan::Selection> select_everything(const Paths& paths) {
  const std::vector<plan::Allocator> catalog = load_catalog(paths.catalog_directory);
  return select(paths, plan::names_of(catalog), catalog);
}

std::vector<plan::WorkloadInfo> ask_workloads(const std::string& host_program) {
  machine::Answer answer;
  try {
    answer = machine::run_and_read({host_program, "describe"});
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("{} cannot be run ({}): it is built beside heapmark", host_program,
                                         error.code().message()));
  }
  if (answer.status != 0)
    throw std::runtime_error(fmt::format("{} describe: ended with status {}", host_program, answer.status));
  return plan::parse_workloads(answer.output);
}

}  // namespace heapmark::cli
