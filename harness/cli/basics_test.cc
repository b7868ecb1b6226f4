// The verbs that measure nothing: what list and doctor say of made-up facts, and what exec hands over.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/cli/doctor.h"
#include "harness/cli/exec.h"
#include "harness/cli/known.h"
#include "harness/cli/list.h"
#include "harness/cli/list_json.h"
#include "harness/cli/list_text.h"
#include "harness/plan/usage_error.h"
#include "workloads/contract/pass.h"

using namespace heapmark;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

plan::Selection installed(const std::string& name) {
  plan::Selection selection;
  selection.label = selection.allocator.name = name;
  selection.allocator.summary = "what " + name + " is";
  selection.library = selection.preload = "/lib/lib" + name + ".so";
  selection.version = "1.2-3";
  return selection;
}

plan::Selection missing(const std::string& name, const std::string& package) {
  plan::Selection selection;
  selection.label = selection.allocator.name = name;
  selection.allocator.package = package;
  selection.skipped = "not installed: apt-get install " + package;
  return selection;
}

plan::Metric metric(const std::string& name, bool headline) {
  return {.name = name,
          .unit = "ns",
          .better = "lower",
          .help = "about " + name,
          .passes = {"speed"},
          .headline = headline};
}

// A catalog of two allocators, and a program directory in which nothing was built.
class Paths {
 public:
  Paths() {
    std::string name = fs::temp_directory_path() / "heapmark-cli-XXXXXX";
    catalog_ = mkdtemp(name.data());
    std::ofstream(catalog_ / "system.toml") << R"(name = "system"
summary = "the C library's"
libraries = ["libc.so.6"]
builtin = true
)";
    std::ofstream(catalog_ / "absent.toml") << R"(name = "absent"
summary = "nowhere to be found"
libraries = ["libheapmark-test-absent.so"]
package = "libabsent1"
[tunables]
style = "variable"
[[tunable]]
name = "decay"
variable = "ABSENT_DECAY"
type = "integer"
default = "10"
unit = "ms"
scale = "log"
help = "until pages go"
)";
  }
  ~Paths() { fs::remove_all(catalog_); }
  Paths(const Paths&) = delete;
  Paths& operator=(const Paths&) = delete;

  [[nodiscard]] cli::Paths made_up() const {
    return {.program_directory = "/nowhere",
            .host_program = "/nowhere/heapmark-host",
            .noop_library = "",
            .forward_library = "",
            .recorder_library = "",
            .scripts_directory = "/nowhere/scripts",
            .catalog_directory = catalog_};
  }

 private:
  fs::path catalog_;
};

// exec changes the process it is called in.
int exec_in_child(const Paths& paths, const std::string& allocator, const std::vector<std::string>& command) {
  const pid_t child = fork();
  if (child == 0) {
    unsetenv("LD_PRELOAD");
    _exit(cli::exec(paths.made_up(), allocator, command));
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TEST_CASE("the list of allocators tells file and version, or what to install") {
  plan::Selection tuned = installed("tuned");
  plan::Tunable row;
  row.name = "decay";
  row.default_value = "10";
  row.unit = "ms";
  row.range = {-1, 600};
  row.help = "until pages go";
  plan::Tunable size = row;
  size.name = "size";
  size.unit = "bytes";
  size.default_value = "131072";
  size.range = {100, 1 << 30};
  size.help =
      "a text that is too long for one line and so goes on in a second one below where it began, word by "
      "word";
  tuned.allocator.tunables = {row, size};
  plan::Selection floor = installed("floor");
  floor.allocator.not_for_use = "gives nothing back";
  const std::string text = cli::allocators_text({tuned, missing("absent", "libabsent1"), floor});
  CHECK_THAT(text, Contains("/lib/libtuned.so (1.2-3)"));
  CHECK_THAT(text, Contains("decay  default 10 ms  -1..600  until pages go\n"));
  CHECK_THAT(text, Contains("size   default 128K   100..1G  a text"));
  // The second line begins where the first one's last column does.
  CHECK_THAT(text, Contains("\n" + std::string(35, ' ') + "where it began, word by word\n"));
  CHECK_THAT(text, Contains("not installed: apt-get install libabsent1"));
  CHECK_THAT(text, Contains("NO ALLOCATOR TO USE: gives nothing back"));
}

TEST_CASE("metrics that every workload has are told once") {
  plan::WorkloadInfo one, other;
  one.name = "one";
  one.metrics = {metric("own", false), metric("common", true)};
  other.name = "other";
  other.metrics = {metric("common", true)};
  const std::string text = cli::metrics_text({one, other});
  CHECK_THAT(text, Contains("common *"));
  CHECK(text.find("common *") == text.rfind("common *"));
  CHECK(text.find("about own") > text.find("\n  one\n"));
  CHECK_THAT(text, !Contains("\n  other\n"));
}

TEST_CASE("the list of workloads tells variants and what each parameter takes") {
  plan::WorkloadInfo churn;
  churn.name = "churn";
  churn.summary = "a server";
  churn.variants = {{"small-1t", {"speed", "memory"}, "threads=1", ""}};
  churn.parameters = {{.name = "threads",
                       .kind = "count",
                       .default_value = "1",
                       .choices = "",
                       .help = "how many",
                       .min = 1,
                       .max = 64},
                      {.name = "sizes",
                       .kind = "choice",
                       .default_value = "mixed",
                       .choices = "mixed|small",
                       .help = "which",
                       .min = 0,
                       .max = 0}};
  const std::string text = cli::workloads_text({churn});
  CHECK_THAT(text, Contains("churn/small-1t  speed|memory  threads=1"));
  CHECK_THAT(text, Contains("count 1..64"));
  CHECK_THAT(text, Contains("mixed|small"));
}

TEST_CASE("the list of passes has each pass with its question, as text and as JSON") {
  const std::string text = cli::passes_text();
  const cli::json rows = cli::passes_json();
  REQUIRE(rows.size() == kPassCount);
  for (std::size_t at = 0; at < kPassCount; ++at) {
    CHECK(rows[at]["name"] == kPassTable[at].name);
    CHECK(rows[at]["rounds"] == kPassTable[at].rounds);
    CHECK_THAT(text, Contains(kPassTable[at].question));
  }
}

TEST_CASE("list refuses what it does not know") {
  const Paths paths;
  CHECK_THROWS_WITH(cli::list(paths.made_up(), "alocators", false), Contains("did you mean \"allocators\""));
}

TEST_CASE("doctor puts what prevents first and names the package of a missing library") {
  machine::Machine machine;
  machine.thp = "always";
  machine.ptrace_allowed = false;
  const std::string text =
      cli::doctor_text(machine, {installed("here"), missing("absent", "libabsent1")}, {});
  CHECK_THAT(text, Contains("apt-get install libabsent1"));
  CHECK_THAT(text, Contains("transparent_hugepage/enabled"));
  CHECK(text.find("PREVENTS  ptrace") < text.find("DISTORTS  transparent huge pages"));
  CHECK(text.find("DISTORTS  transparent huge pages") < text.find("library of here"));
  CHECK_THAT(cli::doctor_text(machine, {}, {"heapmark-host"}), Contains("heapmark-host is missing"));
}

TEST_CASE("doctor says what the pressure pass needs, and how to provide what is missing") {
  const auto text = [](const std::vector<machine::Finding>& findings) {
    return cli::doctor_text(machine::Machine(), {}, {}, findings);
  };
  const std::string all = text(cli::pressure_findings("", "", false, ""));
  CHECK_THAT(all, Contains("run --pass pressure") && Contains("--swap file"));
  CHECK_THAT(text(cli::pressure_findings("", "", true, "has swap")), Contains("--swap present"));
  const std::string none = text(cli::pressure_findings(
      "only root can make one: use sudo", "no PSI: boot with psi=1", false, "no room: make room"));
  CHECK_THAT(none, Contains("PREVENTS  memory cgroup") && Contains("fix    use sudo"));
  CHECK_THAT(none, Contains("fix    boot with psi=1") && Contains("fix    make room"));
}

TEST_CASE("exec puts the allocator before what is preloaded already") {
  plan::Selection selection = installed("tuned");
  CHECK(cli::exec_environment(selection, "") ==
        trial::Pairs{{"LD_PRELOAD", "/lib/libtuned.so"}, {"HEAPMARK_MALLOC_LIBRARY", "/lib/libtuned.so"}});
  CHECK(cli::exec_environment(selection, "/other.so")[0].second == "/lib/libtuned.so:/other.so");
}

TEST_CASE("exec tells apart wrong usage, an absent library and a command that cannot be run") {
  const Paths paths;
  CHECK_THROWS_AS(cli::exec(paths.made_up(), "system", {}), UsageError);
  CHECK_THROWS_AS(cli::exec(paths.made_up(), "system", {"--"}), UsageError);
  CHECK_THROWS_AS(cli::exec(paths.made_up(), "system,system", {"true"}), UsageError);
  CHECK_THROWS_AS(cli::exec(paths.made_up(), "no-such-allocator", {"true"}), UsageError);
  CHECK(cli::exec(paths.made_up(), "absent", {"true"}) == cli::kNotInstalled);
  CHECK(exec_in_child(paths, "system", {"/no/such/command"}) == cli::kNotFound);
  CHECK(exec_in_child(paths, "system", {"/etc/passwd"}) == cli::kCannotRun);
}

TEST_CASE("exec becomes the command, with the allocator's library and tunables in its environment") {
  const Paths paths;
  plan::Allocator builtin;
  builtin.builtin = true;
  const std::string library = cli::MachineLibraries("").find(builtin);  // any library that surely is here
  const std::string allocator = "absent=" + library + "[decay=2s]";
  const std::string look = "test \"$LD_PRELOAD $HEAPMARK_MALLOC_LIBRARY $ABSENT_DECAY\" = '" + library + " " +
                           library + " 2000' && exit 42";
  CHECK(exec_in_child(paths, allocator, {"--", "sh", "-c", look}) == 42);
}
