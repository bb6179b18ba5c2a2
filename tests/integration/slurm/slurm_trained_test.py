"""Trainings in Slurm: an array over folds, preempted; scancel; a node that is lost. All end with the bits of a training
that nobody stopped."""
import glob
import json
import os
import subprocess

from slurm_fixture import PATIENCE, SlurmTest, a, main
from tiny_training import EXPERIMENT, STEPS, steps_of, tensors, write_experiment, write_training


class Trained(SlurmTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unbroken = None

    def setUp(self):
        super().setUp()
        write_training(self.work)

    def undisturbed(self):
        """Both folds, trained once for all tests."""
        if self.unbroken is None:
            folder = os.path.join(self.slurm.folder, "unbroken")
            os.mkdir(folder)
            write_training(folder)
            self.good("train", "tiny.toml", "--fold", "all", "--device", "cpu", cwd=folder)
            (type(self).unbroken,) = glob.glob(folder + "/runs/tiny/*")
        return self.unbroken

    def hand_over(self, *words):
        """A training whose GPUs are made up; the job, and its run."""
        job = self.submit("tiny.toml", "--gpus", "1", "--cpus", "1", "--device", "cpu", *words)
        (run,) = glob.glob(self.work + "/runs/tiny/*")
        return job, run

    def status(self, *columns):
        (row,) = json.loads(self.good("runs", "list", "--json", "--columns", ",".join(("status", *columns))))
        return row["status"] if not columns else row

    def what_was_said(self, run):
        def text():
            out = ""
            for name in sorted(glob.glob(run + "/slurm/*.log")):
                with open(name, errors="replace") as f:
                    out += f.read()
            return out
        return text

    def wait_for_steps(self, run, fold, least):
        self.wait_until(lambda: steps_of(run, fold) >= least, self.what_was_said(run))

    def expect_undisturbed(self, run, folds):
        for fold in folds:
            self.assertEqual(tensors(run, fold), tensors(self.undisturbed(), fold), f"fold {fold}")
            self.assertEqual(steps_of(run, fold), STEPS)

    def test_an_array_over_folds_is_preempted_and_ends_with_the_same_bits(self):
        job, run = self.hand_over("--fold", "all")
        self.assertEqual(self.status("slurm")["slurm"], job.removeprefix("slurm:"))
        # Later edits change nothing: the run is made.
        write_experiment(self.work, EXPERIMENT.replace("epochs = 4", "epochs = 400"))
        for fold in (0, 1):
            self.wait_for_steps(run, fold, 2)
        self.assertEqual({row["state"] for row in self.rows().values()}, {"running"})
        self.assertEqual(set(self.rows()), {job + "_0", job + "_1"})
        self.assertEqual(self.status(), "running")
        (top,) = json.loads(self.good("top", "--once", "--json"))
        self.assertEqual(top["id"], os.path.basename(run)[-6:])
        first = self.submit("--partition", "urgent", "--gpus", "2", "--", "sh", "-c",
                            "until test -e over; do sleep 0.2; done")
        self.wait_until(lambda: [self.state(job + task) for task in ("_0", "_1")] == ["waiting"] * 2,
                        lambda: f"{self.rows()}\n" + self.what_was_said(run)())
        for fold in (0, 1):
            self.assertLess(steps_of(run, fold), STEPS)
        self.assertEqual(self.status(), "waiting", "it was interrupted, and stands in line again")
        open(self.work + "/over", "w").close()
        self.wait_for_end(first)
        self.wait_for_end(job)
        self.assertEqual(self.status(), "finished", self.what_was_said(run)())
        self.expect_undisturbed(run, (0, 1))
        with open(run + "/environment.json") as f:
            self.assertEqual(len(json.load(f)["sessions"]), 4, "two of each fold")
        for fold in (0, 1):
            with open(f"{run}/fold-{fold}/cost.json") as f:
                self.assertEqual(len(json.load(f)["sessions"]), 2)
            self.assertIn("==> " + job + f"_{fold} <==", self.good("logs", job))
        self.assertIn("is an array", self.refused("attach", job))

    def test_srun_starts_ranks_that_train_one_model(self):
        done = subprocess.run(["srun", "--ntasks", "2", "--cpus-per-task", "1", a.nephron, "train", "tiny.toml", "--device",
                               "cpu", "--set", "train.epochs=1", "--set", "train.batch=4"],
                              cwd=self.work, env=self.environment,
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (run,) = glob.glob(self.work + "/runs/tiny/*")
        self.assertEqual(steps_of(run, 0), 3)
        with open(run + "/log.txt") as f:
            self.assertRegex(f.read(), r"training with 2 ranks, started by srun: this is rank 0 of 2 \(")

    def test_one_that_is_cancelled_is_interrupted_and_goes_on_when_it_is_handed_over_again(self):
        job, run = self.hand_over()
        self.wait_for_steps(run, 0, 2)
        self.good("cancel", os.path.basename(run)[-6:])  # by the id of its run
        self.wait_for_end(job)
        self.assertEqual(self.status(), "interrupted")
        shown = self.slurm.job(job.removeprefix("slurm:"))
        self.assertEqual((shown["JobState"], shown["Restarts"]), ("CANCELLED", "0"))
        self.assertLess(steps_of(run, 0), STEPS)
        again = self.good("release", job).split()[-1]
        self.wait_for_end(again)
        self.assertEqual(self.status(), "finished", self.what_was_said(run)())
        self.assertIn("is finished", self.refused("release", again))
        self.expect_undisturbed(run, (0,))

    def lose_node(self, with_jobs):
        job, run = self.hand_over("--fold", "1")
        self.wait_for_steps(run, 1, 2)
        self.slurm.kill_node(with_jobs)
        if with_jobs:
            self.wait_until(lambda: self.state(job) == "waiting", self.what_was_said(run))
        self.slurm.start_node()
        self.wait_for_end(job)
        self.assertEqual(self.status(), "finished", self.what_was_said(run)())
        self.expect_undisturbed(run, (1,))
        return self.slurm.job(job.removeprefix("slurm:"))["Restarts"]

    def test_a_slurmd_that_is_killed_costs_nothing(self):
        self.assertEqual(self.lose_node(with_jobs=False), "0")

    def test_a_node_that_is_lost_costs_what_was_not_saved(self):
        self.assertEqual(self.lose_node(with_jobs=True), "1")

    def test_a_run_that_slurm_does_not_take_is_not_left(self):
        self.assertIn("Invalid generic resource", self.refused("submit", "tiny.toml", "--via", "slurm", "--gres",
                                                               "tpu:1", "--device", "cpu", code=1))
        write_experiment(self.work, EXPERIMENT.replace("unet", "unett"))
        self.assertIn("unett", self.refused("submit", "tiny.toml", "--via", "slurm"))
        self.assertEqual(glob.glob(self.work + "/runs/tiny*"), [])

    def test_a_gpu_that_this_machine_lacks_is_no_reason_to_refuse(self):
        job = self.submit("tiny.toml", "--sbatch=--hold", "--set", "train.precision=fp16")
        (run,) = glob.glob(self.work + "/runs/tiny/*")
        self.assertEqual(self.state(job), "held")
        self.assertEqual(self.status(), "waiting")
        with open(glob.glob(run + "/slurm/*.sh")[0]) as f:
            script = f.read()
        self.assertIn("--device cuda", script)
        self.assertIn("--gres=gpu:1", script)
        (tree,) = glob.glob(self.work + "/runs/.objects/trees/*")
        self.assertIn(f"set -- {tree}/bin/nephron train --resume {run}", script)


if __name__ == "__main__":
    main()
