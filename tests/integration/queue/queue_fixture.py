"""A spool of a test's own, a machine that is made up, and nephron in it; also as other users, where root runs it."""
import glob
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from whole_commands import WholeCommands  # noqa: E402

a, rest = arguments()
COUNTING = os.path.join(HERE, "counting_job.py")
HOST = """
cores = {cores}
slice_minutes = {slice}
last_minutes = 0
stop_seconds = 2
rest_seconds = 1
"""
GPU = '[[gpu]]\nname = "made up"\nmemory = "16G"\n'
# One that other users may start, too.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def result_of(name, steps):
    digest = name
    for done in range(steps):
        digest = hashlib.sha256(f"{digest} {done}".encode()).hexdigest()
    return digest


class QueueTest(WholeCommands, unittest.TestCase):
    program = a.nephron

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nephron-queue-")
        os.chmod(self.folder, 0o755)
        self.spool = os.path.join(self.folder, "spool")
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.work)
        os.chmod(self.work, 0o777)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("NEPHRON_")}
        self.environment["NEPHRON_SPOOL"] = self.spool
        self.make_host()
        self.addCleanup(self.clean)

    def make_host(self, gpus=2, cores=4, slice_minutes=60.0):
        os.makedirs(self.spool, exist_ok=True)
        os.chmod(self.spool, 0o1777)
        with open(os.path.join(self.spool, "host.toml"), "w") as f:
            f.write(HOST.format(cores=cores, slice=slice_minutes) + GPU * gpus)

    def clean(self):
        """Ends what a test that failed has left."""
        for _ in range(100):
            left = self.processes()
            if not left:
                break
            self.kill(left)
            time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self, agents=True, keepers=True):
        """Numbers of the processes of this spool: agents, and keepers with what they keep."""
        out = []
        for entry in glob.glob("/proc/[0-9]*/environ"):
            pid = int(entry.split("/")[2])
            try:
                with open(entry, "rb") as f:
                    mine = b"NEPHRON_SPOOL=" + self.spool.encode() + b"\0" in f.read() + b"\0"
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
                with open(f"/proc/{pid}/stat") as f:
                    text = f.read()
            except OSError:
                continue
            if not mine or pid == os.getpid() or text[text.rfind(")") + 2] == "Z":
                continue
            if words[1:3] == [b"queue", b"agent"]:
                is_keeper = pid in self.keepers()
                if keepers if is_keeper else agents:
                    out.append(pid)
            elif keepers and b"python" not in words[0]:
                out.append(pid)
            elif keepers and COUNTING.encode() in words:
                out.append(pid)
        return out

    def keepers(self):
        out = set()
        for file in glob.glob(self.spool + "/*/*.begun.json"):
            try:
                with open(file) as f:
                    out.add(json.load(f)["keeper"])
            except (OSError, ValueError):
                pass
        return out

    def kill(self, processes):
        """Those that are still there, at once; how many they were."""
        kills = 0
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
        return kills

    def submit(self, *words, **more):
        return self.good("submit", *words, **more).strip()

    def count(self, name, steps, *options, pace=0.05, user=None):
        """Puts a counting job in line, which may be stopped."""
        return self.submit(*options, "--name", name, "--resumable", "--", PYTHON, COUNTING, self.work, name,
                           str(steps), str(pace), user=user)

    def jobs(self, *words, user=None):
        return {job["id"]: job for job in json.loads(self.good("queue", "--json", *words, user=user))["jobs"]}

    def wait_for_state(self, job, state):
        return self.wait_until(lambda: self.jobs("--ended").get(job, {}).get("state") == state,
                               lambda: f"{job} is not {state}: {self.jobs('--ended').get(job)}\n" + self.agent_log())

    def wait_for_result(self, name):
        self.wait_until(lambda: os.path.exists(f"{self.work}/{name}.result"), lambda: self.agent_log())

    def agent_log(self):
        out = ""
        for file in glob.glob(self.spool + "/*/agent.log"):
            with open(file) as f:
                out += file + ":\n" + f.read()
        return out

    def result(self, name):
        with open(f"{self.work}/{name}.result") as f:
            return f.read()

    def expect_nothing_wrong(self):
        if os.path.exists(self.work + "/wrong"):
            with open(self.work + "/wrong") as f:
                self.fail(f.read())


def main():
    unittest.main(argv=[sys.argv[0], *rest])
