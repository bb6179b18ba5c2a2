"""nephron beside a Slurm of the test's own, in a folder of each test's own."""
import json
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../support"), HERE]
from given import arguments  # noqa: E402
from own_slurm import PATIENCE, OwnSlurm, skip_without_slurm  # noqa: E402
from whole_commands import WholeCommands  # noqa: E402

a, rest = arguments()
COUNTING = os.path.join(HERE, "../queue/counting_job.py")


class SlurmTest(WholeCommands, unittest.TestCase):
    program = a.nephron
    patience = PATIENCE

    @classmethod
    def setUpClass(cls):
        cls.slurm = OwnSlurm()
        cls.addClassCleanup(cls.slurm.stop)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nephron-of-slurm-")
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.work)
        self.environment = {k: v for k, v in self.slurm.environment.items() if not k.startswith(("NEPHRON_", "XDG_"))}
        self.environment.update(NEPHRON_SPOOL=self.folder + "/spool", XDG_DATA_HOME=self.folder + "/data",
                                XDG_CACHE_HOME=os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")),
                                OMP_NUM_THREADS="1")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.addCleanup(self.slurm.empty)

    def submit(self, *words, **more):
        job = self.good("submit", "--via", "slurm", *words, **more).strip()
        self.assertRegex(job, r"^slurm:[0-9]+$")
        return job

    def rows(self):
        return {row["id"]: row for row in json.loads(self.good("queue", "--json"))["jobs"]}

    def state(self, job):
        return self.rows().get(job, {}).get("state")

    def wait_until(self, what, message="what was waited for did not come"):
        return self.slurm.wait_until(what, message)

    def said(self, job):
        return lambda: self.nephron("logs", job).stdout

    def wait_for_end(self, job):
        """Until Slurm has none of its tasks any more."""
        number = job.removeprefix("slurm:")
        self.wait_until(lambda: self.slurm.tool("squeue", "-h", "-j", number, check=False) == "", self.said(job))


def main():
    skip_without_slurm()
    unittest.main(argv=[sys.argv[0], *rest])
