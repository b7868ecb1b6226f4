"""The programs on which the recorder's cost is measured: their inputs (the same in every run) and their commands.

Knows nothing of recorders. Above: main.py. `command(name, folder, quick)` makes the inputs and returns the words; redis
is a server and is put under load by `load`.
"""
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from program_works import free_port  # noqa: E402

PORT = free_port()

JSON_SCRIPT = """
import json, random, sys
random.seed(1)
for _ in range(int(sys.argv[1])):
    rows = [{"id": i, "name": f"n{random.randrange(10**6)}", "tags": [str(i / (j + 3)) for j in range(8)]}
            for i in range(10000)]
    total = sum(len(row["tags"]) for row in json.loads(json.dumps(rows)))
print(total)
"""

TEMPLATES = """
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <vector>
template <int N> struct Nest {
  std::map<std::string, std::vector<int>> map;
  int go() { map["a"].push_back(N); std::sort(map["a"].begin(), map["a"].end()); return Nest<N - 1>().go(); }
};
template <> struct Nest<0> { int go() { return 0; } };
int main() { std::cout << Nest<DEPTH>().go() << std::regex_match("abcd", std::regex("a(b|c)*d")); }
"""


class Absent(Exception):
    """The program is not installed; the message names it."""


def need(program):
    found = shutil.which(program)
    if not found:
        raise Absent(f"{program} is not installed")
    return found


def churn(folder, quick):
    return [str(ROOT / "build/release/recorded"), "churn", "2000000" if quick else "20000000"], {}


def python3(folder, quick):
    script = folder / "rows.py"
    script.write_text(JSON_SCRIPT)
    # Its own small-object allocator would hide nearly all requests from malloc.
    return ["/usr/bin/python3", str(script), "1" if quick else "10"], {"PYTHONMALLOC": "malloc"}


def cc1plus(folder, quick):
    compiler = need("g++")
    source, plain = folder / "templates.cc", folder / "templates.ii"
    source.write_text(TEMPLATES.replace("DEPTH", "10" if quick else "120"))
    subprocess.run([compiler, "-std=c++20", "-E", source, "-o", plain], check=True)
    name = subprocess.run([compiler, "-print-prog-name=cc1plus"], check=True, capture_output=True, text=True).stdout.strip()
    return [name, "-quiet", "-O2", "-std=c++20", str(plain), "-o", "/dev/null"], {}


def redis(folder, quick):
    need("redis-benchmark")
    return [need("redis-server"), "--port", str(PORT), "--save", "", "--daemonize", "no"], {}


def load(quick):
    """Waits for the redis server, puts it under load, and ends it."""
    client = ["redis-cli", "-p", str(PORT)]
    for _ in range(600):
        if subprocess.run([*client, "ping"], capture_output=True, check=False).stdout == b"PONG\n":
            break
        time.sleep(0.1)
    subprocess.run(["redis-benchmark", "-p", str(PORT), "-t", "set,lpush", "-n", "20000" if quick else "1000000", "-r",
                    "100000", "-d", "200", "-P", "16", "-q"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*client, "shutdown", "nosave"], check=False, capture_output=True)


PROGRAMS = {"churn": churn, "python3": python3, "cc1plus": cc1plus, "redis": redis}
SERVERS = {"redis"}
