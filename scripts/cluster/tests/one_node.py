"""A private Slurm of one node, for one test; SkipTest where it is not installed or cannot be started."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


CONFIGURATION = """ClusterName=heapmark
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmNode:
    """`with SlurmNode() as node:` node.environment is what sbatch and squeue need to find it."""

    PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo")

    def __init__(self):
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        missing = [name for name in self.PROGRAMS if shutil.which(name, path=path) is None]
        if missing:
            raise unittest.SkipTest(f"{', '.join(missing)} not installed: apt-get install slurm-wlm munge")
        if os.geteuid() != 0:
            raise unittest.SkipTest("slurmd runs as root only")
        self.path = path
        self.daemons = []

    def start(self, *command):
        with open(self.folder / f"{command[0]}.out", "wb") as log:
            self.daemons.append(
                subprocess.Popen(command, stdout=log, stderr=log, env=self.environment, start_new_session=True)
            )

    def why(self):
        return "\n".join(
            f"{p.name}: {p.read_text(errors='replace')[-800:]}" for p in sorted(self.folder.glob("*.out"))
        )

    def wait_until(self, ready, what):
        deadline = time.monotonic() + 40
        while not ready():
            ended = [d for d in self.daemons if d.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise unittest.SkipTest(f"{what} does not start here:\n{self.why()}")
            time.sleep(0.2)

    def idle(self):
        told = subprocess.run(
            ["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, env=self.environment, check=False, timeout=20
        )
        return told.stdout.strip() == "idle"

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="heapmark-slurm-"))
        try:
            host = socket.gethostname().split(".")[0]
            (self.folder / "slurm.conf").write_text(
                CONFIGURATION.format(
                    host=host,
                    control_port=free_port(),
                    node_port=free_port(),
                    folder=self.folder,
                    cpus=os.cpu_count(),
                )
            )
            (self.folder / "munge.key").write_bytes(os.urandom(128))
            (self.folder / "munge.key").chmod(0o400)
            for name in ("state", "spool"):
                (self.folder / name).mkdir()
            self.folder.chmod(0o755)
            self.environment = {**os.environ, "PATH": self.path, "SLURM_CONF": str(self.folder / "slurm.conf")}
            self.start(
                "munged",
                "--foreground",
                "--force",
                f"--socket={self.folder}/munge.socket",
                f"--key-file={self.folder}/munge.key",
                f"--pid-file={self.folder}/munge.pid",
                f"--log-file={self.folder}/munge.log",
                f"--seed-file={self.folder}/munge.seed",
            )
            self.wait_until((self.folder / "munge.socket").exists, "munged")
            self.start("slurmctld", "-D", "-i", "-f", str(self.folder / "slurm.conf"))
            self.start("slurmd", "-D", "-f", str(self.folder / "slurm.conf"))
            self.wait_until(self.idle, "Slurm")
        except BaseException:
            self.__exit__()
            raise
        return self

    def ask(self, *command):
        """What `command` prints; nothing where it fails or hangs, as when the controller is gone."""
        try:
            return subprocess.run(
                command, capture_output=True, text=True, env=self.environment, check=False, timeout=10
            ).stdout
        except subprocess.TimeoutExpired:
            return ""

    def end_jobs(self):
        """Jobs outlive slurmd, which only starts them: a test that fails in mid-job would leave them running."""
        deadline = time.monotonic() + 10
        while self.ask("squeue", "-h") and time.monotonic() < deadline:
            self.ask("scancel", "-Q", "--user=root")
            time.sleep(0.3)

    def kill_what_is_left(self):
        """Ends the processes whose environment names this node's own configuration file, and no others."""
        mark = f"SLURM_CONF={self.folder}/slurm.conf".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if int(process.name) != os.getpid() and mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                pass  # it has ended meanwhile

    def __exit__(self, *_):
        if len(self.daemons) == 3:
            self.end_jobs()
        for daemon in reversed(self.daemons):
            try:
                os.killpg(daemon.pid, signal.SIGTERM)
                daemon.wait(10)
            except ProcessLookupError:
                pass
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()
        self.kill_what_is_left()
        shutil.rmtree(self.folder, ignore_errors=True)
