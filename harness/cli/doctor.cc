#include "harness/cli/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/cli/known.h"
#include "harness/machine/memory_pressure.h"
#include "harness/trial/swap_space.h"

namespace heapmark::cli {
namespace {

using machine::Finding;
using Weight = Finding::Weight;

std::string_view word(Weight weight) {
  switch (weight) {
    case Weight::kFine:
      return "fine";
    case Weight::kNote:
      return "note";
    case Weight::kDistorts:
      return "DISTORTS";
    case Weight::kPrevents:
      return "PREVENTS";
  }
  return "";
}

void add_line(std::string& text, Weight weight, std::string_view subject, std::string_view found) {
  text += fmt::format("  {:<8}  {:<22}  {}\n", word(weight), subject, found);
}

void add_reason(std::string& text, std::string_view label, std::string_view reason) {
  if (!reason.empty()) text += fmt::format("{:12}{:<6} {}\n", "", label, reason);
}

std::vector<Finding> library_findings(const std::vector<plan::Selection>& selections) {
  std::vector<Finding> findings;
  for (const plan::Selection& selection : selections) {
    const std::string subject = "library of " + selection.allocator.name;
    if (selection.skipped.empty()) {
      findings.push_back({Weight::kFine, subject, selection.library, "", ""});
      continue;
    }
    const std::string& package = selection.allocator.package;
    findings.push_back({Weight::kPrevents, subject, "missing", "it is left out of every comparison",
                        selection.allocator.bundled ? "build heapmark anew"
                        : package.empty()           ? "install it, or name its path: -a NAME=/path/lib.so"
                                                    : "apt-get install " + package});
  }
  return findings;
}

// "what: what to do" in its two parts.
Finding lacking(const std::string& subject, const std::string& why, const std::string& effect,
                Weight weight) {
  const std::size_t colon = why.find_last_of(':');
  return colon == std::string::npos ? Finding{weight, subject, why, effect, ""}
                                    : Finding{weight, subject, why.substr(0, colon), effect,
                                              why.substr(colon + 1 + (why[colon + 1] == ' ' ? 1 : 0))};
}

}  // namespace

std::vector<Finding> pressure_findings(const std::string& why_no_cgroup, const std::string& why_no_stalls,
                                       bool has_swap, const std::string& why_no_swap_file) {
  std::vector<Finding> findings;
  if (why_no_cgroup.empty())
    findings.push_back({Weight::kFine, "memory cgroup", "can be made: run --pass pressure", "", ""});
  else
    findings.push_back(
        lacking("memory cgroup", why_no_cgroup, "the pressure pass is refused", Weight::kPrevents));
  if (why_no_stalls.empty())
    findings.push_back({Weight::kFine, "stalls (PSI)", "kept", "", ""});
  else
    findings.push_back(
        lacking("stalls (PSI)", why_no_stalls, "the pressure pass tells no stall shares", Weight::kNote));
  if (has_swap)
    findings.push_back(
        {Weight::kFine, "swap under pressure", "what the machine has (--swap present)", "", ""});
  else if (why_no_swap_file.empty())
    findings.push_back(
        {Weight::kFine, "swap under pressure", "a file can be made, used and removed (--swap file)", "", ""});
  else
    findings.push_back(lacking("swap under pressure", why_no_swap_file,
                               "the pressure pass runs without swap: what does not fit is killed",
                               Weight::kNote));
  return findings;
}

std::string doctor_text(const machine::Machine& machine, const std::vector<plan::Selection>& selections,
                        const std::vector<std::string>& missing_parts, const std::vector<Finding>& more) {
  std::vector<Finding> findings = machine::judge(machine);
  findings.insert(findings.end(), more.begin(), more.end());
  for (const std::string& part : missing_parts)
    findings.push_back({Weight::kPrevents, "part of heapmark", part + " is missing",
                        "nothing can be measured", "build heapmark anew"});
  for (Finding& finding : library_findings(selections)) findings.push_back(std::move(finding));
  // What matters most comes first; within a weight the order stays.
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.weight > b.weight; });

  std::string text = fmt::format("{}: Linux {}, {}, {}\n\n", machine.host_name, machine.kernel, machine.libc,
                                 machine.cpu_model.empty() ? "CPU not named" : machine.cpu_model);
  for (const Finding& finding : findings) {
    add_line(text, finding.weight, finding.subject, finding.found);
    add_reason(text, "effect", finding.effect);
    add_reason(text, "fix", finding.fix);
  }
  const auto count = [&](Weight weight) {
    return std::count_if(findings.begin(), findings.end(), [&](const auto& f) { return f.weight == weight; });
  };
  text += fmt::format("\n{} distort the figures, {} prevent some, {} to note, {} fine.\n",
                      count(Weight::kDistorts), count(Weight::kPrevents), count(Weight::kNote),
                      count(Weight::kFine));
  return text;
}

int doctor(const Paths& paths) {
  const std::vector<plan::Selection> selections = select_everything(paths);

  std::vector<std::string> missing_parts;
  for (const std::string& part : {paths.host_program, paths.noop_library})
    if (!std::filesystem::exists(part)) missing_parts.push_back(part);
  const auto pressure =
      pressure_findings(machine::why_no_memory_cgroup(), machine::why_no_stalls(), machine::has_swap(),
                        trial::why_no_swap_file(trial::SwapAsked().folder, trial::SwapAsked().bytes));
  fmt::print("{}", doctor_text(machine::read_machine(), selections, missing_parts, pressure));
  return 0;
}

}  // namespace heapmark::cli
