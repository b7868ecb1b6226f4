#include "harness/trial/server_run.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "harness/machine/program_file.h"
#include "harness/trial/command_run.h"
#include "harness/trial/keeper.h"

using namespace heapmark::trial;
using Catch::Contains;

namespace {

constexpr double kMiB = 1024 * 1024;

std::string built(const std::string& name) {
  return std::string(std::getenv("HEAPMARK_BUILD_DIR")) + "/" + name;
}

// One that nobody listens on now.
std::string free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  ::close(fd);
  return std::to_string(ntohs(at.sin_port));
}

TrialSpec server_spec(const std::string& mode, const std::string& pass, int lines = 1000) {
  const std::string port = free_port();
  TrialSpec spec;
  spec.allocator = "glibc";
  spec.preload = built("libheapmark-noop.so");
  spec.workload = "leaky_server";
  spec.variant = "server";
  spec.pass = pass;
  spec.timeout = std::chrono::seconds(120);
  Command& command = spec.command.emplace();
  command.words = {built("leaky_server"), port, mode};
  Server& server = command.server.emplace();
  server.ready = built("server_client") + " " + port + " 0";
  server.load = built("server_client") + " " + port + " " + std::to_string(lines);
  server.settle = std::chrono::milliseconds(200);
  return spec;
}

bool nothing_is_left() {
  return processes_below(::getpid()).empty();
}

}  // namespace

TEST_CASE("a figure is the last number that the expression finds") {
  CHECK(figure_in("rps: 10.5\nrps: 12.25 requests", "rps: ([0-9.]+)") == 12.25);
  CHECK(figure_in("41 42", "[0-9]+") == 42);
  CHECK_FALSE(figure_in("none", "([0-9]+)").has_value());
  CHECK_FALSE(figure_in("x1y", "(x1y)").has_value());
}

TEST_CASE("the load's time and the number that it prints are the speed pass's figures") {
  TrialSpec spec = server_spec("leak", "speed");
  spec.command->server->figure = "answers: ([0-9]+)";
  const TrialResult result = run_command(spec, -1);
  INFO(result.message);
  REQUIRE(result.outcome == Outcome::kOk);
  CHECK(result.metrics.at("load_seconds") > 0);
  CHECK(result.metrics.at("figure") == 1000);
  CHECK(result.metrics.at("minor_faults") > 1000 * 64 * 512 / 4096);  // it touched that many pages
  CHECK(nothing_is_left());
}

TEST_CASE("a server that leaks holds what it leaked, one that frees holds as much scattered") {
  const TrialResult leak = run_command(server_spec("leak", "memory"), -1);
  INFO(leak.message);
  REQUIRE(leak.outcome == Outcome::kOk);
  const double leaked = 1000 * 64 * 512;
  CHECK(leak.metrics.at("rss_ready_bytes") < 2 * kMiB);
  CHECK(leak.metrics.at("rss_loaded_bytes") > leaked);
  CHECK(leak.metrics.at("rss_settled_bytes") > leaked);
  CHECK(leak.metrics.at("rss_settled_bytes") < leaked * 1.2);
  CHECK(leak.metrics.at("rss_peak_bytes") >= leak.metrics.at("rss_settled_bytes"));
  CHECK(leak.phases == std::vector<std::string>{"starting", "ready", "load", "settle"});
  CHECK(leak.tables.at("tree_samples").rows.size() > 2);
  const TrialResult fragment = run_command(server_spec("fragment", "memory"), -1);
  REQUIRE(fragment.outcome == Outcome::kOk);
  // One block of 64 lives: what is held beyond a 64th is fragmentation, and blocks are used again.
  CHECK(fragment.metrics.at("rss_settled_bytes") > leaked / 64);
  CHECK(fragment.metrics.at("rss_settled_bytes") < leaked / 2);
}

TEST_CASE("each way in which a server fails has its own message, and nothing of it is left") {
  const TrialResult dies = run_command(server_spec("die", "speed"), -1);
  CHECK(dies.outcome == Outcome::kCrashed);
  CHECK_THAT(dies.message, Contains("the server ended under load: killed by SIGABRT"));
  TrialSpec never = server_spec("leak", "speed");
  never.command->server->ready = "echo not yet >&2; false";
  never.command->server->ready_within = std::chrono::milliseconds(300);
  const TrialResult unready = run_command(never, -1);
  CHECK(unready.outcome == Outcome::kTimedOut);
  CHECK_THAT(unready.message, Contains("was not ready") && Contains("it said: not yet"));
  TrialSpec early = server_spec("leak", "speed");
  early.command->words = {"/bin/sh", "-c", "echo cannot >&2; exit 0"};
  early.command->server->ready = "false";
  CHECK_THAT(run_command(early, -1).message,
             Contains("the server ended while it started") && Contains("cannot"));
  TrialSpec missing = server_spec("leak", "speed");
  missing.command->words = {"/nonexistent/server"};
  CHECK(run_command(missing, -1).outcome == Outcome::kNotStarted);
  TrialSpec failing = server_spec("leak", "speed");
  failing.command->server->load = "echo broken >&2; exit 7";
  const TrialResult load = run_command(failing, -1);
  CHECK(load.outcome == Outcome::kCommandFailed);
  CHECK_THAT(load.message, Contains("the load failed") && Contains("exited with code 7; it said: broken"));
  TrialSpec no_figure = server_spec("leak", "speed", 1);
  no_figure.command->server->figure = "rps ([0-9]+)";
  CHECK_THAT(run_command(no_figure, -1).message, Contains("finds no number"));
  TrialSpec slow = server_spec("leak", "speed");
  slow.command->server->load = "sleep 1000";
  slow.timeout = std::chrono::seconds(1);
  CHECK(run_command(slow, -1).outcome == Outcome::kTimedOut);
  CHECK(nothing_is_left());
}

TEST_CASE("a server that does not stop is killed, and its figures are kept") {
  const TrialResult result = run_command(server_spec("stay", "speed", 10), -1);
  CHECK(result.outcome == Outcome::kOk);
  REQUIRE(result.notes.size() == 1);
  CHECK_THAT(result.notes[0], Contains("did not stop within 10 s of SIGTERM and was killed"));
  CHECK(nothing_is_left());
}

TEST_CASE("redis under redis-benchmark is measured on glibc though it is linked with jemalloc") {
  const std::string redis = heapmark::machine::program_behind("redis-server");
  if (redis.empty() || heapmark::machine::program_behind("redis-benchmark").empty()) {
    WARN("redis-server and redis-benchmark are not installed: apt-get install redis-server redis-tools");
    return;
  }
  const std::string port = free_port();
  TrialSpec spec = server_spec("leak", "memory");
  spec.preload = built("libheapmark-forward.so");
  spec.command->words = {"redis-server", "--port", port,          "--bind", "127.0.0.1",
                         "--save",       "",       "--daemonize", "no"};
  spec.command->server->ready = "redis-cli -p " + port + " ping";
  spec.command->server->load = "redis-benchmark -p " + port + " -t set -n 20000 -r 20000 -d 200 -q";
  spec.command->server->figure = "";
  const TrialResult result = run_command(spec, -1);
  INFO(result.message);
  REQUIRE(result.outcome == Outcome::kOk);
  CHECK(result.metrics.at("rss_loaded_bytes") > 20000 * 0.6 * 200);  // random keys: not all are there
  CHECK(nothing_is_left());
  if (heapmark::machine::linked_mallocs(redis).empty()) return;
  spec.preload = built("libheapmark-noop.so");
  const TrialResult not_helped = run_command(spec, -1);
  CHECK(not_helped.outcome == Outcome::kWrongAllocator);
  CHECK_THAT(not_helped.message, Contains("is linked with libjemalloc"));
}

TEST_CASE("memcached under a bounded load is measured") {
  if (heapmark::machine::program_behind("memcached").empty()) {
    WARN("memcached is not installed: apt-get install memcached");
    return;
  }
  const std::string port = free_port();
  TrialSpec spec = server_spec("leak", "memory");
  spec.command->words = {"memcached", "-p", port, "-l", "127.0.0.1", "-u", "nobody"};
  const std::string python = "python3 -c \"import socket; s=socket.create_connection(('127.0.0.1', " + port +
                             ")); f=s.makefile('rb'); ";
  spec.command->server->ready = python + "\"";
  spec.command->server->load = python +
                               "[(s.sendall(b'set k%d 0 0 1000\\r\\n%s\\r\\n' % (i, b'x'*1000)), "
                               "f.readline()) for i in range(20000)]\"";
  const TrialResult result = run_command(spec, -1);
  INFO(result.message);
  REQUIRE(result.outcome == Outcome::kOk);
  CHECK(result.metrics.at("rss_settled_bytes") > 20000 * 1000);
  CHECK(nothing_is_left());
}
