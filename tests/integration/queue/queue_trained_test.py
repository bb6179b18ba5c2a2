"""Trainings in the queue: the run is made at submit, goes on where it was stopped or killed, and ends with the same bits
as one that nobody stopped."""
import fcntl
import glob
import json
import os
import signal
import subprocess
import time
import unittest

from queue_fixture import QueueTest, main
from tiny_training import EXPERIMENT, STEPS, steps_of, tensors, write_experiment, write_training


class Trained(QueueTest):
    def setUp(self):
        super().setUp()
        self.make_host(gpus=1)
        write_training(self.work)

    def test_a_run_is_made_at_submit_and_stopped_and_killed_it_ends_with_the_same_bits(self):
        job = self.submit("tiny.toml")
        run = self.jobs()[job]["run"]
        self.assertTrue(run.endswith(job), "the run's id is the job's")
        self.assertTrue(os.path.exists(run + "/experiment.resolved.toml"))
        (tree,) = glob.glob(os.path.dirname(os.path.dirname(run)) + "/.objects/trees/*")
        (ticket,) = glob.glob(f"{self.spool}/*/{job}.ticket.json")
        with open(ticket) as f:
            self.assertIn(f"{tree}/bin/nephron", f.read(), "the program of that moment, though it is rebuilt")
        write_experiment(self.work, EXPERIMENT.replace("epochs = 4", "epochs = 400").replace("bce", "dice"))
        self.wait_until(lambda: steps_of(run, 0) >= 2, self.agent_log)
        self.good("hold", job)
        self.wait_until(lambda: self.jobs().get(job, {}).get("state") in ("held", None), self.agent_log)
        self.assertEqual(self.jobs()[job]["state"], "held")
        before = steps_of(run, 0)
        self.assertLess(before, STEPS)
        self.good("release", job)
        self.wait_until(lambda: steps_of(run, 0) > before, self.agent_log)
        for keeper in self.keepers():
            os.kill(keeper, signal.SIGKILL)
        self.wait_for_state(job, "finished")
        self.assertEqual(self.jobs("--ended")[job]["starts"], 3)
        write_experiment(self.work, EXPERIMENT)
        self.good("train", "tiny.toml", "--runs", "unbroken", "--device", "cpu")
        (unbroken,) = glob.glob(self.work + "/unbroken/tiny/*")
        self.assertEqual(tensors(run, 0), tensors(unbroken, 0))
        self.assertEqual(steps_of(run, 0), STEPS)

    def test_an_experiment_with_faults_is_refused_and_leaves_neither_run_nor_job(self):
        write_experiment(self.work, EXPERIMENT.replace("unet", "unett"))
        self.assertIn("unett", self.refused("submit", "tiny.toml"))
        self.assertEqual(self.jobs("--ended"), {})
        self.assertFalse(os.path.exists(self.work + "/runs/tiny"))

    def test_a_run_whose_job_cannot_be_put_in_line_is_taken_back(self):
        self.jobs()  # makes the folder
        os.mkdir(f"{self.spool}/{os.geteuid()}/.lock")  # no file that could be locked
        self.assertIn("cannot write", self.refused("submit", "tiny.toml", code=1))
        self.assertFalse(os.path.exists(self.work + "/runs/tiny"))

    def test_a_run_whose_making_is_killed_halfway_is_taken_back(self):
        """The process that makes it waits for the store of programs, which is held as if one were being removed."""
        os.makedirs(self.work + "/runs/.objects")
        with open(self.work + "/runs/.objects/.lock", "w") as store:
            fcntl.lockf(store, fcntl.LOCK_EX)
            submit = subprocess.Popen([self.program, "submit", "tiny.toml"], cwd=self.work, env=self.environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.wait_until(lambda: glob.glob(self.work + "/runs/tiny/*/environment.json"))
            for child in self.children(submit.pid):
                os.kill(child, signal.SIGKILL)
            out, said = submit.communicate(timeout=self.patience)
        self.assertEqual((submit.returncode, out), (1, ""), said)
        self.assertIn("which makes the run, was ended by signal 9", said)
        self.assertFalse(os.path.exists(self.work + "/runs/tiny"))
        self.assertEqual(self.jobs("--ended"), {})

    @staticmethod
    def children(parent):
        out = []
        for task in glob.glob(f"/proc/{parent}/task/*/children"):
            with open(task) as f:
                out += map(int, f.read().split())
        return out

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
