"""Trainings in the queue: the run is made at submit, goes on where it was stopped or killed, and ends with the same bits
as one that nobody stopped."""
import glob
import json
import os
import signal
import struct
import time
import unittest

from queue_fixture import QueueTest, main
from slide_files import write_png

EXPERIMENT = """
name = "tiny"
classes = ["glomerulus"]
sampler = { type = "uniform" }
[data]
factor = 1
tile = 32
folds = { count = 2 }
[[dataset]]
type = "image_folder"
root = "data"
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
[train]
epochs = 4
steps_per_epoch = 3
batch = 2
threads = 1
"""


def tensors(run):
    """The bytes of the last weights, without what a file says of itself."""
    with open(f"{run}/fold-0/checkpoints/last/weights.safetensors", "rb") as f:
        (size,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        header.pop("__metadata__", None)
        return header, f.read()


class Trained(QueueTest):
    def setUp(self):
        super().setUp()
        self.make_host(gpus=1)
        for name in ("data/images", "data/masks"):
            os.makedirs(os.path.join(self.work, name))
        for i in (1, 2, 3, 4):
            write_png(f"{self.work}/data/images/s{i}.png", 64, 64, lambda x, y: (x * y + i) % 251)
            write_png(f"{self.work}/data/masks/s{i}.png", 64, 64, lambda x, y: 255 if 10 < x < 40 else 0)
        self.write(EXPERIMENT)

    def write(self, text):
        with open(f"{self.work}/tiny.toml", "w") as f:
            f.write(text)

    def steps(self, run):
        out = []
        for file in glob.glob(run + "/fold-0/metrics.jsonl"):
            with open(file) as f:
                out = [line for line in f if '"loss"' in line]
        return len(out)

    def test_a_run_is_made_at_submit_and_stopped_and_killed_it_ends_with_the_same_bits(self):
        job = self.submit("tiny.toml")
        run = self.jobs()[job]["run"]
        self.assertTrue(run.endswith(job), "the run's id is the job's")
        self.assertTrue(os.path.exists(run + "/experiment.resolved.toml"))
        (tree,) = glob.glob(os.path.dirname(os.path.dirname(run)) + "/.objects/trees/*")
        (ticket,) = glob.glob(f"{self.spool}/*/{job}.ticket.json")
        with open(ticket) as f:
            self.assertIn(f"{tree}/bin/nephron", f.read(), "the program of that moment, though it is rebuilt")
        self.write(EXPERIMENT.replace("epochs = 4", "epochs = 400").replace("bce", "dice"))
        self.wait_until(lambda: self.steps(run) >= 2, self.agent_log)
        self.good("hold", job)
        self.wait_until(lambda: self.jobs().get(job, {}).get("state") in ("held", None), self.agent_log)
        self.assertEqual(self.jobs()[job]["state"], "held")
        before = self.steps(run)
        self.assertLess(before, 12)
        self.good("release", job)
        self.wait_until(lambda: self.steps(run) > before, self.agent_log)
        for keeper in self.keepers():
            os.kill(keeper, signal.SIGKILL)
        self.wait_for_state(job, "finished")
        self.assertEqual(self.jobs("--ended")[job]["starts"], 3)
        self.write(EXPERIMENT)
        self.good("train", "tiny.toml", "--runs", "unbroken", "--device", "cpu")
        (unbroken,) = glob.glob(self.work + "/unbroken/tiny/*")
        self.assertEqual(tensors(run), tensors(unbroken))
        self.assertEqual(self.steps(run), 12)

    def test_an_experiment_with_faults_is_refused_and_leaves_neither_run_nor_job(self):
        self.write(EXPERIMENT.replace("unet", "unett"))
        self.assertIn("unett", self.refused("submit", "tiny.toml"))
        self.assertEqual(self.jobs("--ended"), {})
        self.assertFalse(os.path.exists(self.work + "/runs/tiny"))

    def test_a_run_that_waits_is_listed_so(self):
        first = self.submit("--", "sleep", "1000")
        self.wait_for_state(first, "running")
        job = self.submit("tiny.toml", "--name", "mine")
        self.assertEqual(self.jobs()[job]["name"], "mine")
        listed = json.loads(self.good("runs", "list", "--json", "--columns", "id,status"))
        self.assertEqual([(row["id"], row["status"]) for row in listed], [(job, "waiting")])
        self.assertIn(f"job {job} of the queue trains it", self.refused("runs", "rm", job, code=1))
        self.good("cancel", job, first)
        self.good("runs", "rm", job)

    def test_a_run_whose_job_is_over_before_it_began_says_so_until_it_is_in_line_again(self):
        def row():
            (found,) = json.loads(self.good("runs", "list", "--json", "--columns", "status,error"))
            return found["status"], found.get("error") or ""

        first = self.submit("--", "sleep", "1000")
        self.wait_for_state(first, "running")
        job = self.submit("tiny.toml")
        self.good("cancel", job)
        self.assertEqual(row(), ("interrupted", ""))
        self.assertIn(f"nephron release {job}", self.good("runs", "show", job))
        self.good("release", job)
        self.assertEqual(row(), ("waiting", ""))
        # Its program is gone: the job cannot begin.
        trees = self.work + "/runs/.objects/trees"
        os.rename(trees, trees + ".away")
        self.good("cancel", first)
        self.wait_for_state(job, "failed")
        status, error = row()
        self.assertEqual(status, "failed")
        self.assertIn("it has not begun: its job in the queue failed: cannot start", error)
        self.assertIn(f"nephron release {job}", self.good("runs", "show", job))
        os.rename(trees + ".away", trees)
        self.good("release", job)
        self.wait_for_state(job, "finished")
        self.assertEqual(row(), ("finished", ""))


if __name__ == "__main__":
    main()
