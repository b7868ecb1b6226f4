// Larger real programs with brkmmap preloaded: a database, a server with its clients, a parallel build, and
// python's own regression tests. What they tell must be what they tell without it. Small programs are in
// programs_test.cc.

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "allocators/tests/child.h"
#include "allocators/tests/same_output.h"
#include "testing/folder.h"

using namespace heapmark::tests;
using heapmark::testing::Folder;

namespace {

// `length` letters that depend on `random` alone.
std::string some_text(std::mt19937& random, std::size_t length) {
  std::string text(length, ' ');
  for (char& letter : text) letter = static_cast<char>('a' + random() % 26);
  return text;
}

// Mostly short, now and then some pages.
std::size_t some_length(std::mt19937& random) {
  return random() % 50 == 0 ? 4096 + random() % 60'000 : random() % (random() % 8 == 0 ? 2000 : 100);
}

// One request as a client sends it to redis: https://redis.io/docs/latest/develop/reference/protocol-spec
std::string redis_request(const std::vector<std::string>& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return request;
}

std::string redis_requests() {
  std::mt19937 random(2);
  std::string requests;
  for (int at = 0; at < 20'000; ++at) {
    const std::string number = std::to_string(at);
    requests += redis_request({"SET", "text" + number, some_text(random, some_length(random))});
    requests += redis_request(
        {"HSET", "hash" + std::to_string(at % 300), "field" + number, some_text(random, random() % 200)});
    requests += redis_request({"RPUSH", "list" + std::to_string(at % 70), some_text(random, random() % 300)});
    requests +=
        redis_request({"ZADD", "order" + std::to_string(at % 20), std::to_string(random() % 1000), number});
    if (at % 3 == 0) requests += redis_request({"DEL", "text" + std::to_string(random() % (at + 1))});
    if (at % 5 == 0)
      requests += redis_request({"APPEND", "text" + std::to_string(at / 2), some_text(random, 500)});
    if (at % 4000 == 3999) requests += redis_request({"DEL", "hash" + std::to_string(at % 300)});
  }
  return requests;
}

std::string sql_script() {
  std::mt19937 random(3);
  std::ostringstream sql;
  sql << "create table person(id integer primary key, name text, town integer, notes text);\n"
         "create table town(id integer primary key, name text unique);\n"
         "create index by_town on person(town, name);\nbegin;\n";
  for (int at = 0; at < 500; ++at)
    sql << "insert into town values(" << at << ", '" << some_text(random, 3 + random() % 30) << at << "');\n";
  for (int at = 0; at < 40'000; ++at)
    sql << "insert into person values(" << at << ", '" << some_text(random, 2 + random() % 40) << "', "
        << random() % 500 << ", '" << some_text(random, some_length(random)) << "');\n";
  sql << "commit;\n";
  for (int round = 0; round < 4; ++round) {
    sql << "select town.name, count(*), sum(length(notes)), length(group_concat(notes, '|')) from person "
           "join town on town.id = person.town group by town.name order by town.name;\n"
           "select group_concat(name) from (select name from person order by name desc limit 3000);\n"
           "select count(*) from person a join person b on a.town = b.town and a.name < b.name;\n"
           "select substr(upper(notes), 1, 50) from person order by notes limit 500;\n"
           "create index by_notes on person(substr(notes, 1, 40));\n"
           "update person set notes = notes || name || replace(notes, 'a', 'bcd') where id % 7 = "
        << round << ";\ndelete from person where id % 5 = " << round
        << ";\ndrop index by_notes;\nvacuum;\npragma integrity_check;\n";
  }
  sql << "select * from person order by id limit 2000;\n";
  return sql.str();
}

constexpr int kSources = 12;

// A program of kSources files; each starts threads which fill and sort containers. Its output is one sum a
// file.
void write_threaded_program(const Folder& folder) {
  std::ofstream main(folder.file("main.cc"));
  std::ofstream makefile(folder.file("Makefile"));
  makefile << "CXX = g++\nCXXFLAGS = -std=c++20 -O1 -pthread\nobjects = main.o";
  for (int at = 0; at < kSources; ++at) {
    const std::string name = "part" + std::to_string(at);
    makefile << " " << name << ".o";
    main << "unsigned long " << name << "();\n";
    std::ofstream(folder.file(name + ".cc")) << R"(
#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>
unsigned long )" << name << R"(() {
  std::vector<unsigned long> sums(4);
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < sums.size(); ++thread)
    threads.emplace_back([&sums, thread] {
      std::map<std::string, std::vector<unsigned>> lists;
      for (unsigned i = 0; i < 20000; ++i)
        lists[std::string(i * 7 % 90, 'x') + std::to_string(i % 500)].push_back(i * )"
                                             << at + 1 << R"( + thread);
      for (auto& [key, list] : lists) {
        std::sort(list.rbegin(), list.rend());
        for (unsigned long number : list) sums[thread] = sums[thread] * 31 + number + key.size();
      }
    });
  for (std::thread& thread : threads) thread.join();
  unsigned long sum = 0;
  for (unsigned long one : sums) sum = sum * 17 + one;
  return sum;
}
)";
  }
  main << "#include <iostream>\n#include <thread>\n#include <vector>\nint main() {\n"
          "  std::vector<unsigned long> sums("
       << kSources << ");\n  std::vector<std::thread> threads;\n";
  for (int at = 0; at < kSources; ++at)
    main << "  threads.emplace_back([&] { sums[" << at << "] = part" << at << "(); });\n";
  main << "  for (std::thread& thread : threads) thread.join();\n"
          "  for (unsigned long sum : sums) std::cout << sum << '\\n';\n}\n";
  makefile << "\nprogram: $(objects)\n\t$(CXX) -pthread -o $@ $(objects)\n";
}

struct Regression {
  Ended ended;
  std::set<std::string> passed, not_passed;  // test.test_json.TestPyScanner.test_...
};

// Runs chosen regression tests of python. What passed is read from the report, not from the output, into
// which children of multiprocessing write too. A skipped test is in neither set.
Regression run_regression_tests(const std::string& library) {
  const Folder folder;
  Regression regression;
  regression.ended = run({"sh", "-c",
                          "cd " + folder.file("") +
                              " && /usr/bin/python3 -m test --tempdir . --junit-xml report.xml "
                              "-m 'test.test_json.*' -m 'test.test_threading.*' "
                              "-m '*.WithProcessesTestPool.*' -m '*.WithProcessesTestQueue.*' "
                              "-m '*.WithProcessesTestConnection.*' -m '*.WithProcessesTestSharedMemory.*' "
                              "-m '*.WithManagerTestContainers.*' -m '*.WithThreadsTestPool.*' "
                              "test_json test_threading test_multiprocessing_fork"},
                         library, {{"PYTHONMALLOC", "malloc"}});
  std::ifstream file(folder.file("report.xml"));
  const std::string report{std::istreambuf_iterator<char>(file), {}};
  // Passed: <testcase name="n" status="run" result="completed" time="1" />; otherwise an element says what
  // happened.
  for (std::size_t at = 0; (at = report.find("<testcase name=\"", at)) != std::string::npos;) {
    const std::size_t name = at + std::string_view("<testcase name=\"").size();
    const std::size_t end = report.find('>', at);
    if (end == std::string::npos) break;
    const std::string id = report.substr(name, report.find('"', name) - name);
    at = end;
    if (report[end - 1] == '/')
      regression.passed.insert(id);
    else if (report.compare(end + 1, 8, "<skipped") != 0)
      regression.not_passed.insert(id);
  }
  for (const std::string& id : regression.not_passed) regression.passed.erase(id);
  return regression;
}

}  // namespace

TEST_CASE("sqlite3 answers a large script the same under brkmmap") {
  const Folder folder;
  std::ofstream(folder.file("script.sql")) << sql_script();
  same_with_brkmmap("sqlite3", "cd " + folder.file("") +
                                   " && rm -f data && sqlite3 -batch -init /dev/null data "
                                   "< script.sql && cksum data");
  same_with_brkmmap("sqlite3", "sqlite3 -batch -init /dev/null :memory: < " + folder.file("script.sql"));
}

TEST_CASE("redis-server holds the same data and ends cleanly under brkmmap") {
  const Folder folder;
  if (!is_installed("redis-cli") || !is_installed("redis-benchmark")) {
    WARN("redis-tools is not installed: not tried");
    return;
  }
  std::ofstream(folder.file("requests")) << redis_requests();
  // The server is a child of this shell and killed with it where something goes wrong; a unix socket needs
  // no port.
  std::ofstream(folder.file("serve.sh")) << R"sh(
cd "$(dirname "$0")" || exit 1
rm -f socket
redis-server --port 0 --unixsocket "$PWD/socket" --save '' --appendonly no --daemonize no --dir "$PWD" \
  --enable-debug-command local --logfile "$PWD/log" &
server=$!
trap 'kill -9 $server 2>/dev/null' EXIT
for attempt in $(seq 100); do redis-cli -s socket ping 2>/dev/null | grep -q PONG && break; sleep 0.05; done
redis-cli -s socket --pipe < requests | tail -n 1
redis-cli -s socket debug digest
redis-cli -s socket dbsize
redis-benchmark -s socket -q -n 20000 -t set,get,lpush,hset -d 300 -r 1000 > /dev/null || exit 2
redis-cli -s socket --scan --pattern 'key:*' | xargs -r redis-cli -s socket unlink > /dev/null
redis-cli -s socket del mylist > /dev/null
redis-cli -s socket --scan --pattern 'myhash*' | xargs -r redis-cli -s socket del > /dev/null
for list in $(seq 0 69); do redis-cli -s socket lrange list$list 0 -1; done | cksum
redis-cli -s socket zrange order7 0 -1 withscores | cksum
redis-cli -s socket dbsize
redis-cli -s socket debug digest
redis-cli -s socket shutdown nosave
wait $server
code=$?
trap - EXIT
echo "the server ended with $code"
exit $code
)sh";
  same_with_brkmmap("redis-server", "sh " + folder.file("serve.sh"));
}

TEST_CASE("make -j4 of a threaded program makes the same objects and output under brkmmap") {
  const Folder folder;
  if (!is_installed("g++")) {
    WARN("g++ is not installed: not tried");
    return;
  }
  write_threaded_program(folder);
  same_with_brkmmap("make", "cd " + folder.file("") +
                                " && rm -f *.o program && make -s -j4 program && cksum *.o program && "
                                "./program && ./program");
}

TEST_CASE("python's regression tests for json, threads and processes pass under brkmmap") {
  if (run({"/usr/bin/python3", "-c", "import test.test_threading"}, "").exit_code != 0) {
    WARN("libpython3.11-testsuite is not installed: not tried");
    return;
  }
  const Regression without = run_regression_tests("");
  const Regression with = run_regression_tests(brkmmap_library());
  REQUIRE(without.passed.size() > 300);
  std::vector<std::string> lost;  // what fails without brkmmap too is not its fault
  std::ranges::set_difference(without.passed, with.passed, std::back_inserter(lost));
  CAPTURE(without.passed.size(), with.passed.size(), with.ended.out.substr(0, 4000), with.ended.signal);
  CHECK(lost == std::vector<std::string>{});
  CHECK_FALSE(with.ended.timed_out);
  if (without.ended.exit_code == 0) CHECK(with.ended.exit_code == 0);
}
