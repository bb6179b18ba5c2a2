"""A scratch folder of runs, and nephron run in it with an index of its own."""
import fcntl
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
import made_runs  # noqa: E402
from given import arguments  # noqa: E402

a, rest = arguments("--nvml")


def hold(run):
    """Holds a run's lock as a training does (F_OFD_SETLK); close the result to let go."""
    file = open(os.path.join(run, ".lock"), "r+")
    F_OFD_SETLK = 37
    fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    return file


class RunsTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.root = os.path.join(self.folder, "runs")
        self.cache = os.path.join(self.folder, "cache")
        self.index = os.path.join(self.cache, "nephron/runs.sqlite")
        os.makedirs(self.root)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("NEPHRON_")}
        self.environment.update(XDG_CACHE_HOME=self.cache, XDG_DATA_HOME=os.path.join(self.folder, "data"))

    def make(self, name="unet", number=1, **more):
        return made_runs.make_run(self.root, name, number, **more)

    def nephron(self, *words, **more):
        more = {"cwd": self.folder, "env": self.environment, **more}
        return subprocess.run([a.nephron, *words], capture_output=True, text=True, **more)

    def good(self, *words, **more):
        done = self.nephron(*words, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def listed(self, *words, **more):
        """Rows of the list, by id."""
        return {row["id"]: row for row in json.loads(self.good("runs", "list", *words, "--json", **more))}

    def ids(self, *words):
        return [row["id"] for row in json.loads(self.good("runs", "list", *words, "--json"))]

    def refused(self, *words, code=1):
        done = self.nephron(*words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr


def main():
    unittest.main(argv=[sys.argv[0], *rest])
