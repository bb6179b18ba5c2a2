"""A sweep in Slurm: its processes are tasks of an array, which are preempted and go on; all ends with the bits of a sweep
that nobody stopped."""
import glob
import json
import os
import signal
import subprocess

from slurm_fixture import SlurmTest, main
from tiny_training import STEPS, steps_of, tensors, write_training

SWEEP = """extends = "tiny.toml"
[sweep]
method = "grid"
seeds = [1, 2]
[sweep.vary]
train.optimizer.lr = [0.001, 0.01]
"""


class Sweep(SlurmTest):
    def setUp(self):
        super().setUp()
        write_training(self.work)
        self.write("lr.toml", SWEEP)

    def write(self, name, text):
        with open(f"{self.work}/{name}", "w") as f:
            f.write(text)

    def runs(self, name):
        return sorted(os.path.dirname(f) for f in glob.glob(f"{self.work}/runs/{name}/*/experiment.resolved.toml"))

    def steps(self, name):
        return [steps_of(run, 0) for run in self.runs(name)]

    def results(self, name):
        """By trial and seed."""
        status = json.loads(self.good("sweep", "status", name, "--json"))
        self.assertTrue(status["done"], status)
        return {(t["trial"], run["seed"]): tensors(run["run"], 0) for t in status["trials"] for run in t["runs"]}

    def test_an_array_of_its_processes_is_preempted_and_ends_with_the_same_bits(self):
        self.good("sweep", "lr.toml", "--name", "whole", "--device", "cpu")
        job = self.submit("lr.toml", "--jobs", "2", "--gpus", "1", "--cpus", "1", "--device", "cpu")
        self.wait_until(lambda: len(self.runs("lr-sweep")) >= 2 and min(self.steps("lr-sweep")) >= 1, self.said(job))
        self.assertEqual(set(self.rows()), {job + "_1", job + "_2"})
        first = self.submit("--partition", "urgent", "--gpus", "2", "--", "sh", "-c",
                            "until test -e over; do sleep 0.2; done")
        self.wait_until(lambda: [self.state(job + task) for task in ("_1", "_2")] == ["waiting"] * 2, self.said(job))
        self.assertLess(sum(self.steps("lr-sweep")), 4 * STEPS)
        self.write("over", "")
        self.wait_for_end(first)
        self.wait_for_end(job)
        self.assertEqual(self.steps("lr-sweep"), [STEPS] * 4, self.said(job)())
        self.assertEqual(self.results("lr-sweep"), self.results("whole"))
        (tree,) = glob.glob(self.work + "/runs/.objects/trees/*")
        for run in self.runs("lr-sweep"):
            with open(run + "/environment.json") as f:
                self.assertTrue(json.load(f)["program"]["file"].startswith(tree + "/"), "the copy of the submit")

    def test_one_process_is_one_job_and_a_stop_ends_it(self):
        job = self.submit("lr.toml", "--gpus", "0", "--set", "train.epochs=4000")
        self.wait_until(lambda: sum(self.steps("lr-sweep")) > 1, self.said(job))
        self.good("sweep", "stop", "lr")
        self.wait_for_end(job)
        self.assertEqual(self.slurm.job(job.removeprefix("slurm:"))["ExitCode"], "0:0")
        self.assertIn("this job is over", self.good("logs", job))

    def test_a_stop_cancels_what_waits_and_a_resume_hands_it_over_again(self):
        job = self.submit("lr.toml", "--jobs", "3", "--gpus", "1", "--device", "cpu",  # of two GPUs
                          "--set", "train.epochs=4000")
        tasks = [f"{job}_{i}" for i in (1, 2, 3)]
        states = lambda: sorted(self.state(task) or "" for task in tasks)
        self.wait_until(lambda: states() == ["running", "running", "waiting"] and sum(self.steps("lr-sweep")) > 1,
                        self.said(job))
        (waits,) = [task for task in tasks if self.state(task) == "waiting"]
        self.assertIn("1 job of it is out of the line: " + waits, self.good("sweep", "stop", "lr"))
        self.wait_for_end(job)
        self.assertEqual(self.rows(), {})
        worker = subprocess.Popen([self.program, "sweep", "resume", "lr", "--device", "cpu"], cwd=self.work,
                                  env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(worker.kill)
        self.wait_until(lambda: list(self.rows()))
        worker.send_signal(signal.SIGINT)
        _, said = worker.communicate(timeout=self.patience)
        self.assertIn(f"{waits} was over, and is handed over again as slurm:", said)

    def test_what_cannot_be_is_refused(self):
        submit = ("submit", "lr.toml", "--via", "slurm")
        self.assertIn("--jobs 2 puts 2 of them", self.refused(*submit, "--gpus", "2"))
        self.assertIn("--fold is not for a sweep", self.refused(*submit, "--fold", "all"))
        self.assertIn("divides the slides of", self.refused(*submit, "--over-slides", "2"))
        self.assertIn("not its users' to say", self.refused(*submit, "--priority", "urgent"))
        self.assertEqual(self.runs("lr-sweep"), [])
        said = self.refused(*submit, "--gres", "tpu:1", "--device", "cpu", code=1)
        self.assertIn("Invalid generic resource", said)
        self.assertIn("nephron sweep resume", said)


if __name__ == "__main__":
    main()
