// Programs that allocate for a living, with brkmmap preloaded: databases, a parallel build, and python's own
// regression tests. What they write must be what they write without it.
#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "allocators/tests/same_output.h"
#include "testing/folder.h"

using namespace heapmark::tests;
using heapmark::testing::Folder;

TEST_CASE("sqlite3 runs a large script to the same end under brkmmap") {
  const Folder folder;
  std::ofstream script(folder.file("script.sql"));
  script << "create table t(id integer primary key, word text, weight real);\n"
            "create table u(id integer, other integer, note text);\nbegin;\n";
  for (int at = 0; at < 40'000; ++at) {
    script << "insert into t values(" << at << ", '" << std::string(static_cast<std::size_t>(at % 400), 'x')
           << at % 997 << "', " << at * 0.5 << ");\n";
    if (at % 3 == 0)
      script << "insert into u values(" << at << ", " << at * 7 % 40'000 << ", 'note " << at << "');\n";
  }
  script << "commit;\ncreate index by_word on t(word);\n"
            "select count(*), sum(length(word)), sum(weight) from t;\n"
            "select substr(group_concat(word, ','), 1, 5000) from t where id % 500 = 1;\n"
            "select count(*), sum(t.weight) from t join u on t.id = u.other where u.note like '%9%';\n"
            "delete from t where id % 3 = 0;\nvacuum;\nselect count(*), max(length(word)) from t;\n"
            "select word, count(*) from t group by word order by 2 desc, 1 limit 50;\n";
  script.close();
  same_with_brkmmap("sqlite3", "sqlite3 :memory: <" + folder.file("script.sql"));
}

TEST_CASE("redis-server holds the same data under brkmmap, stands its own benchmark and ends cleanly") {
  if (!is_there("redis-server") || !is_there("redis-benchmark")) return;
  const Folder folder;
  std::ofstream commands(folder.file("commands"));
  for (int at = 0; at < 20'000; ++at)
    commands << "SET key" << at << " " << std::string(static_cast<std::size_t>(at * 37 % 3000 + 1), 'v')
             << "\r\n";
  for (int at = 0; at < 20'000; at += 3) commands << "DEL key" << at << "\r\n";
  for (int at = 0; at < 5'000; ++at)
    commands << "RPUSH list" << at % 50 << " item" << at << "\r\nHSET hash" << at % 70 << " f" << at << " "
             << at << "\r\n";
  commands.close();
  const std::string socket = folder.file("socket");
  const std::string shell = "cd " + folder.file("") + " && redis-server --port 0 --unixsocket " + socket +
                            " --save '' --appendonly no --enable-debug-command yes >log 2>&1 & server=$!; "
                            "until redis-cli -s " +
                            socket +
                            " PING >/dev/null 2>&1; do sleep 0.05; done; "
                            "redis-cli -s " +
                            socket + " --pipe <" + folder.file("commands") +
                            " >/dev/null; "
                            "redis-benchmark -s " +
                            socket +
                            " -q -n 20000 -r 500 -d 200 -t get,set,lpush,lpop -P 8 "
                            ">/dev/null 2>&1; redis-cli -s " +
                            socket +
                            " DEL mylist >/dev/null; "
                            // What the benchmark wrote is random: it goes before the digest is asked for.
                            "redis-cli -s " +
                            socket + " --scan --pattern 'key:*' | xargs -n 500 redis-cli -s " + socket +
                            " DEL >/dev/null; redis-cli -s " + socket + " DBSIZE; redis-cli -s " + socket +
                            " DEBUG DIGEST; redis-cli -s " + socket +
                            " SHUTDOWN NOSAVE; wait $server; echo ended $?";
  same_with_brkmmap("redis-cli", shell);
}

TEST_CASE("a parallel build of threaded programs makes the same objects under brkmmap") {
  const Folder folder;
  std::ofstream makefile(folder.file("Makefile"));
  makefile << "all: program\nOBJECTS =";
  for (int at = 0; at < 12; ++at) makefile << " part" << at << ".o";
  makefile << "\nprogram: main.o $(OBJECTS)\n\t@g++ -pthread $^ -o $@\n%.o: %.cc\n\t@g++ -std=c++20 -O1 -c "
              "$< -o $@\n";
  makefile.close();
  std::ofstream main_file(folder.file("main.cc"));
  main_file << "#include <cstdio>\n#include <thread>\n#include <vector>\n";
  for (int at = 0; at < 12; ++at) {
    std::ofstream part(folder.file("part" + std::to_string(at) + ".cc"));
    part << "#include <map>\n#include <numeric>\n#include <string>\n#include <vector>\nlong part" << at
         << "() { std::map<std::string, std::vector<int>> m; for (int i = 0; i < 20000; ++i) "
            "m[std::to_string(i % 700)]"
            ".push_back(i * "
         << at + 1
         << "); long s = 0; for (auto& [k, v] : m) s += std::accumulate(v.begin(), v.end(), 0L); return s; "
            "}\n";
    main_file << "long part" << at << "();\n";
  }
  main_file << "int main() { std::vector<long> got(12); std::vector<std::thread> threads;\n";
  for (int at = 0; at < 12; ++at)
    main_file << "threads.emplace_back([&] { got[" << at << "] = part" << at << "(); });\n";
  main_file << "for (auto& t : threads) t.join(); for (long g : got) std::printf(\"%ld\\n\", g); }\n";
  main_file.close();
  same_with_brkmmap(
      "make", "cd " + folder.file("") + " && rm -f *.o program && make -s -j4 && ./program && cksum *.o",
      120);
}

TEST_CASE("python's own regression tests pass under brkmmap as without it") {
  const Ended shipped = run({"/usr/bin/python3", "-c", "import test.test_json, test.test_threading"}, "");
  if (shipped.exit_code != 0) {
    WARN("python's test suite (libpython3.11-testsuite) is not installed: not tried");
    return;
  }
  const Folder folder;
  // Counts of tests, of skipped and of failed ones; the time goes. Python's small objects are malloc's too.
  const std::string shell =
      "cd " + folder.file("") +
      " && PYTHONMALLOC=malloc /usr/bin/python3 -m unittest test.test_json test.test_thread "
      "test.test_threading test.test_multiprocessing_main_handling 2>&1 "
      "| grep -E '^(Ran|OK|FAILED)' | sed 's/ in [0-9.]*s//'";
  same_with_brkmmap("python3", shell, 150);
}
