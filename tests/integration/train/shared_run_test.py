"""nephron train --share-run: processes that know nothing of each other train folds of one run."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from tiny_training import STEPS, steps_of, tensors, write_training  # noqa: E402

a, rest = arguments()
PATIENCE = 180


class SharedRun(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nephron-shared-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("NEPHRON_")}
        self.environment["OMP_NUM_THREADS"] = "1"
        write_training(self.folder)
        self.processes = []
        self.addCleanup(lambda: [self.end(process, signal.SIGKILL) for process in self.processes])

    def nephron(self, *words):
        return subprocess.run([a.nephron, *words], capture_output=True, text=True, timeout=PATIENCE, cwd=self.folder,
                              env=self.environment)

    def good(self, *words):
        done = self.nephron(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def refused(self, code, *words):
        done = self.nephron(*words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr

    def start(self, *words):
        process = subprocess.Popen([a.nephron, *words], cwd=self.folder, env=self.environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def end(self, process, number=None):
        """How it ended, and what it said."""
        if number is not None:
            process.send_signal(number)
        said = process.communicate(timeout=PATIENCE)[0] if not process.stdout.closed else ""
        return process.returncode, said

    def expect_end(self, process, code):
        ended, said = self.end(process)
        self.assertEqual(ended, code, said)

    def wait_for_steps(self, run, fold, least):
        until = time.monotonic() + PATIENCE
        while steps_of(run, fold) < least:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def status(self, run):
        (row,) = json.loads(self.good("runs", "list", "--json", "--columns", "status", "--runs",
                                      os.path.dirname(os.path.dirname(run))))
        return row["status"]

    def test_folds_that_are_trained_side_by_side_are_those_of_one_process(self):
        self.good("train", "tiny.toml", "--fold", "all", "--device", "cpu", "--runs", "one")
        (one,) = glob.glob(self.folder + "/one/tiny/*")
        run = self.good("train", "tiny.toml", "--fold", "all", "--device", "cpu", "--leave-waiting").split("\n")[-2]
        share = ("train", "--device", "cpu", "--share-run", "--resume")
        both = [self.start(*share, f"{run}/fold-{k}") for k in (0, 1)]
        for k in (0, 1):
            self.wait_for_steps(run, k, 2)
        self.assertEqual(self.status(run), "running")
        self.assertIn(f"another process is training {run}: process",
                      self.refused(1, "train", "--device", "cpu", "--resume", run))
        self.assertIn(f"another process is training {run}/fold-0", self.refused(1, *share, f"{run}/fold-0"))
        both[0].send_signal(signal.SIGTERM)
        waits = self.start(*share, f"{run}/fold-0", "--wait-for-run", "100")
        for process, code in ((both[0], 130), (both[1], 0), (waits, 0)):
            self.expect_end(process, code)
        self.assertEqual(self.status(run), "finished")
        with open(run + "/environment.json") as f:
            self.assertEqual(len(json.load(f)["sessions"]), 3)
        for k in (0, 1):
            self.assertEqual(steps_of(run, k), STEPS)
            self.assertEqual(tensors(run, k), tensors(one, k))
            self.assertTrue(os.path.exists(f"{run}/fold-{k}/log.txt"))
        self.assertIn("finished already", self.nephron("train", "--device", "cpu", "--resume", run).stderr)

    def test_what_is_no_fold_of_the_run_is_refused(self):
        run = self.good("train", "tiny.toml", "--device", "cpu", "--leave-waiting").split("\n")[-2]
        share = ("train", "--device", "cpu", "--share-run", "--resume")
        self.assertIn("names none", self.refused(2, *share, run))
        self.assertIn("has no fold 1: it was started for fold 0", self.refused(2, *share, run + "/fold-1"))
        self.assertIn("no run at", self.refused(1, *share, run + "x/fold-0"))
        self.assertFalse(os.path.exists(run + "/fold-1"))
        self.assertEqual(self.status(run), "waiting")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
