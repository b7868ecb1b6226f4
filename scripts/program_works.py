"""Real programs and servers to measure: their inputs (the same in every run) and their flags for `heapmark run`.

Shared by scripts/programs (every allocator) and scripts/fidelity (recorded and replayed).
Usage: scripts/program_works.py FOLDER NAME    makes the inputs in FOLDER where they are not there, and prints the flags
and the command of NAME as a shell reads them.
"""
import random
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

OBJECTS = """import json, random, threading
random.seed(1)
def work(count, out):
    rows = [{"id": i, "name": f"n{random.randrange(10**6)}", "tags": [str(i / (j + 3)) for j in range(8)]}
            for i in range(count)]
    out.append(sum(len(row["tags"]) for row in json.loads(json.dumps(rows))))
results = []
for _ in range(3):
    work(20000, results)
threads = [threading.Thread(target=work, args=(8000, results)) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(results))
"""
TEMPLATES = """#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
template <int N> struct Nest {
  std::map<std::string, std::vector<int>> map;
  int go() { map["a"].push_back(N); std::sort(map["a"].begin(), map["a"].end()); return Nest<N - 1>().go(); }
};
template <> struct Nest<0> { int go() { return 0; } };
int main() { std::cout << Nest<60>().go() << std::regex_match("abcd", std::regex("a(b|c)*d")); }
"""
ROWS = """let kept = [], total = 0, seed = 1;
const next = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
for (let round = 0; round < 300; round++) {
  const rows = Array.from({ length: 2000 }, (_, id) => ({ id, bytes: Buffer.alloc(64 + (next() * 512 | 0)), text: String(next()) }));
  total += JSON.parse(JSON.stringify(rows.map(row => row.text))).length;
  if (round % 8 == 0) kept.push(rows);
  if (kept.length > 20) kept.shift();
}
console.log(total);
"""
WORDS = """my ($seed, %count, @kept) = (1);
sub following { $seed = ($seed * 1103515245 + 12345) & 0x7fffffff; return $seed % shift; }
for my $round (1 .. 60) {
  my @lines = map { join " ", map { "w" . following(20000) } 1 .. 12 } 1 .. 2000;
  for my $line (@lines) { $count{$_}++ for split / /, $line; }
  push @kept, [sort @lines];
  shift @kept if @kept > 12;
}
print scalar(keys %count), "\\n";
"""
SET_VALUES = """import random, socket, sys
random.seed(3)
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for first in range(0, 200000, 500):
    text = b"".join(b"set k%d 0 0 %d noreply\\r\\n%s\\r\\n" % (random.randrange(60000), size, b"x" * size)
                    for size in (random.randrange(20, 2000) for _ in range(500)))
    connection.sendall(text + b"version\\r\\n")
    connection.recv(4096)
"""


def sql():
    draw = random.Random(2)
    yield "pragma journal_mode=off; create table t(id integer primary key, k text, v text); begin;"
    for i in range(60000):
        yield f"insert into t values({i},'k{draw.randrange(10**6)}','{'x' * draw.randrange(10, 300)}');"
    yield "commit; create index i on t(k); select count(*), sum(length(v)) from t;"
    yield "select sum(a.id) from t a join t b on a.k = b.k;\n"


def make_inputs(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"objects.py": OBJECTS, "templates.cc": TEMPLATES, "rows.js": ROWS, "words.pl": WORDS, "set_values.py": SET_VALUES}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    if not (folder / "load.sql").exists():
        (folder / "load.sql").write_text("\n".join(sql()), encoding="utf-8")
    if shutil.which("g++") and not (folder / "templates.ii").exists():
        subprocess.run(
            ["g++", "-std=c++20", "-E", str(folder / "templates.cc"), "-o", str(folder / "templates.ii")], check=True
        )


def compiler():
    found = subprocess.run(["g++", "-print-prog-name=cc1plus"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


# name: (the binary that must be there, flags, words); "{inputs}" is the folder, "{port}" a free one.
WORKS = {
    "sqlite3": ("sqlite3", ["--input", "{inputs}/load.sql"], ["/usr/bin/sqlite3", ":memory:"]),
    "python3": ("python3", [], ["/usr/bin/python3", "{inputs}/objects.py"]),
    "cc1plus": ("g++", [], [compiler, "-quiet", "-O2", "-std=c++20", "{inputs}/templates.ii", "-o", "/dev/null"]),
    "git": ("git", [], ["git", "log", "-p", "--no-color", "-n", "60"]),
    "perl": ("perl", [], ["/usr/bin/perl", "{inputs}/words.pl"]),
    "node": ("node", ["--ignore-output"], ["node", "{inputs}/rows.js"]),
    "redis": (
        "redis-server",
        [
            *("--serve", 'redis-server --port {port} --save ""', "--ready", "redis-cli -p {port} ping"),
            *("--load", "redis-benchmark -p {port} -t set -n 300000 -r 100000 -d 200 -P 16 -q", "--settle", "2s"),
        ],
        [],
    ),
    "memcached": (
        "memcached",
        [
            *("--serve", "memcached -p {port} -U 0 -u nobody -m 512"),
            *("--ready", '/usr/bin/python3 -c "import socket; socket.create_connection((\\"127.0.0.1\\", {port}))"'),
            *("--load", "/usr/bin/python3 {inputs}/set_values.py {port}", "--settle", "2s"),
        ],
        [],
    ),
}


def installed(name):
    return shutil.which(WORKS[name][0]) is not None


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def fill(text, filled):
    for place, value in filled.items():
        text = text.replace(place, value)
    return text


def flags_and_words(name, inputs):
    _, flags, words = WORKS[name]
    words = [word() if callable(word) else word for word in words]
    filled = {"{inputs}": str(inputs), "{port}": str(free_port())}
    return [[fill(part, filled) for part in parts] for parts in (flags, words)]


def main(arguments):
    if len(arguments) != 2 or arguments[1] not in WORKS:
        print(f"usage: program_works.py FOLDER NAME ({' '.join(WORKS)})", file=sys.stderr)
        return 2
    folder, name = arguments
    if not installed(name):
        print(f"{name} is not installed", file=sys.stderr)
        return 4
    make_inputs(folder)
    flags, words = flags_and_words(name, folder)
    print(shlex.join([*flags, *(["--", *words] if words else [])]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
