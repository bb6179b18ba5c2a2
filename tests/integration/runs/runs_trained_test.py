"""What nephron runs says of runs that nephron train has really made: while they run, and however they end."""
import glob
import json
import os
import resource
import signal
import subprocess
import time

from runs_fixture import RunsTest, a, main
from tiny_training import EXPERIMENT, write_training


class Trained(RunsTest):
    def setUp(self):
        super().setUp()
        write_training(self.folder)
        for name, epochs in (("short.toml", 1), ("long.toml", 100000)):
            with open(f"{self.folder}/{name}", "w") as f:
                f.write(EXPERIMENT.replace("epochs = 4", f"epochs = {epochs}").replace("steps_per_epoch = 3", "steps_per_epoch = 2"))

    def status(self):
        rows = json.loads(self.good("runs", "list", "--columns", "*", "--json"))
        self.assertEqual(len(rows), 1)
        return rows[0]["status"], rows[0].get("error")

    def start(self, *words):
        before = sum(map(os.path.getsize, glob.glob(self.root + "/tiny/*/fold-0/metrics.jsonl")))
        child = subprocess.Popen([a.nephron, "train", *words], cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, restore_signals=False)  # SIGXFSZ stays ignored: writes fail
        self.addCleanup(lambda: (child.kill(), child.wait()))
        until = time.monotonic() + 240
        while sum(map(os.path.getsize, glob.glob(self.root + "/tiny/*/fold-0/metrics.jsonl"))) <= before:
            self.assertIsNone(child.poll(), "it ended before it trained")
            self.assertLess(time.monotonic(), until)
            time.sleep(0.2)
        return child

    def test_every_end(self):
        self.good_train("short.toml", "--fold", "all", "--jobs", "2")  # each in a process of its own
        row = json.loads(self.good("runs", "list", "--columns", "*", "--json"))[0]
        self.assertEqual((row["status"], row["folds_done"], row["steps"], row["train.batch"]), ("finished", 2, 4, 2))
        self.assertEqual(row["train.optimizer.type"], "adam", "a default is no key")
        self.assertIn("plugin.resnet", row)
        self.assertEqual(len(json.loads(self.good("runs", "find", "--plugin", "uniform", "--json"))), 1)
        found = json.loads(self.good("runs", "find", "--slide", "s1", "--json"))
        self.assertRegex(found[0]["used as"], r"^(held out, fold 0; trained on, fold 1|held out, fold 1; trained on, fold 0)$")
        self.assertEqual((row["gpu_seconds"], "energy_wh" in row), (0, False))
        self.assertGreater(row["cpu_seconds"], 0.2, "the processes of the folds are not counted")
        self.assertGreater(row["peak_rss_mb"], 100)
        self.assertTrue(0 <= row["beside_others"] <= 1, row["beside_others"])
        self.assertEqual(self.ids("cpu_seconds>0 and gpu_seconds=0 and beside_others<=1"), [row["id"]])
        self.good("runs", "rm", row["id"])

        child = self.start("long.toml")
        self.assertEqual(self.status(), ("running", None))
        refused = self.nephron("runs", "rm", "tiny@latest")
        self.assertIn("it is running (process " + str(child.pid), refused.stderr)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(timeout=240), 130)
        self.assertEqual(self.status(), ("interrupted", None))

        child = self.start("--resume", "tiny@latest")
        self.assertEqual(self.status(), ("running", None))
        child.kill()
        child.wait()
        self.assertEqual(self.status(), ("killed", None), "what the session before it left counts no more")

        child = self.start("--resume", "tiny@latest")
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))
        child.send_signal(signal.SIGINT)  # it saves, and cannot
        self.assertEqual(child.wait(timeout=240), 1)
        status, error = self.status()
        self.assertEqual(status, "failed")
        self.assertIn("cannot write", error)
        self.assertIn(error, self.good("runs", "show", "tiny@latest"))

        # Of each session something is known, of the one that was killed, too; the run has their sum.
        with open(glob.glob(self.root + "/tiny/*/cost.json")[0]) as record:
            costs = [session["cpu_s"] for session in json.load(record)["sessions"]]
        self.assertEqual(len(costs), 3)
        self.assertGreater(min(costs), 0)
        row = json.loads(self.good("runs", "list", "--columns", "cpu_seconds", "--json"))[0]
        self.assertAlmostEqual(row["cpu_seconds"], sum(costs))

    def good_train(self, *words):
        done = self.nephron("train", *words)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    main()
