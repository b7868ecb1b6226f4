"""A private PostgreSQL on a free loopback port for one test, gone afterwards.

SkipTest where PostgreSQL is not installed. `initdb` refuses root, so as root the server runs as the user postgres.
"""
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """`with Postgres() as server:` server.url is what --storage takes; stop() ends it in mid-run, as a crash would."""

    def __init__(self):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise unittest.SkipTest("PostgreSQL is not installed: apt-get install postgresql")
        self.programs = found[-1].parent
        self.as_user = []
        if os.geteuid() == 0:
            if "postgres" not in (entry.pw_name for entry in pwd.getpwall()):
                raise unittest.SkipTest("there is no user postgres for the server to run as")
            self.as_user = ["runuser", "-u", "postgres", "--"]
        self.running = False

    def call(self, program, *arguments):
        return subprocess.run(
            [*self.as_user, str(self.programs / program), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd="/",
        )

    def must(self, program, *arguments):
        ended = self.call(program, *arguments)
        if ended.returncode != 0:
            raise RuntimeError(f"{program}: {ended.stdout}{ended.stderr}")

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="heapmark-postgres-")
        try:
            if self.as_user:
                shutil.chown(self.folder, "postgres")
            self.port = free_port()
            self.data = f"{self.folder}/data"
            self.must("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync")
            self.running = True  # also where pg_ctl gives up on it: it may come up later
            self.must(
                "pg_ctl",
                "-D",
                self.data,
                "-w",
                "-t",
                "30",
                "-l",
                f"{self.folder}/log",
                "-o",
                f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off",
                "start",
            )
            self.must("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "heapmark")
        except BaseException:
            self.__exit__()
            raise
        self.url = f"postgresql+psycopg2://postgres@127.0.0.1:{self.port}/heapmark"
        return self

    def stop(self):
        if self.running:
            self.must("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "-t", "30", "stop")
            self.running = False

    def __exit__(self, *_):
        try:
            if self.running:  # call, not must: a server that is gone already is no failure of the test
                self.call("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "-t", "30", "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
