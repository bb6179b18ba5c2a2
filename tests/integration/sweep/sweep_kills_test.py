"""A sweep in the queue of which agents, keepers, its processes and the trainings that they started are killed again and
again, one and all at once: nothing that was saved is lost, no step is done twice, and the weights are those of a sweep
that nobody disturbed. NEPHRON_SWEEP_KILLS says how often."""
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from sweep_fixture import main  # noqa: E402
from sweep_queue_fixture import QueuedSweep  # noqa: E402
from tiny_training import tensors  # noqa: E402

KILLS = int(os.environ.get("NEPHRON_SWEEP_KILLS", "8"))
SEED = int(os.environ.get("NEPHRON_SWEEP_SEED", "1"))
SWEEP = """method = "halving"
trials = 4
seeds = [1, 2]
halving = { eta = 2, first_epochs = 2 }
[sweep.vary]
train.optimizer.lr = { log = [1e-3, 1e-1] }
"""
LENGTH = "train.epochs = 8\ntrain.steps_per_epoch = 40\n"


class Killed(QueuedSweep):
    def processes_of_work(self):
        """Trainings, by what their command line says."""
        out = []
        for pid in self.processes(agents=False):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if b"train" in f.read().split(b"\0")[1:3]:
                        out.append(pid)
            except OSError:
                pass
        return out

    def release_what_was_killed_too_often(self, jobs):
        known = self.jobs("--ended")
        for job in jobs:
            if known.get(job, {}).get("state") in ("killed", "held", "failed"):
                self.nephron("release", job)  # it may have been put in line meanwhile

    def by_trial_and_seed(self, name):
        return {(trial["trial"], run["seed"]): run["run"] for trial in self.status(name)["trials"] for run in trial["runs"]}

    def test_kills(self):
        self.sweep_file("whole.toml", SWEEP, LENGTH)
        self.good("sweep", "whole.toml", "--device", "cpu")
        dice, kills, sweeps = random.Random(SEED), 0, 0
        while kills < KILLS:
            sweeps += 1
            kills += self.disturbed(f"kill{sweeps}", dice, KILLS - kills)
            self.expect_undisturbed(f"kill{sweeps}")
        print(f"{kills} kills, {sweeps} sweeps, seed {SEED}")

    def disturbed(self, name, dice, most):
        """A sweep to its end, and how many processes were killed meanwhile."""
        self.sweep_file(name + ".toml", SWEEP, LENGTH)
        jobs, kills = self.put_in_line("submit", name + ".toml", "--jobs", "2"), 0
        while kills < most and self.states(jobs) != ["finished"] * 2:
            time.sleep(dice.random())
            groups = {"agents": self.processes(keepers=False), "workers": self.workers(), "keepers": list(self.keepers()),
                      "trainings": self.processes_of_work()}
            what = dice.choice(["agents", "workers", "workers", "keepers", "trainings", "trainings", "all"])
            chosen = self.processes() if what == "all" else groups[what]
            kills += self.kill(chosen if what == "all" else dice.sample(chosen, min(1, len(chosen))))
            self.release_what_was_killed_too_often(jobs)

        def done():
            self.release_what_was_killed_too_often(jobs)
            return self.states(jobs) == ["finished"] * 2
        self.wait_until(done, self.agent_log)
        # A training that was killed three times before it came further is given up until a person says otherwise.
        self.good("sweep", "resume", name, "--retry-failed", "--device", "cpu")
        return kills

    def expect_undisturbed(self, name):
        self.assertTrue(self.status(name)["done"])
        killed, whole = self.by_trial_and_seed(name), self.by_trial_and_seed("whole")
        self.assertEqual(sorted(killed), sorted(whole))
        # Which trials go on may depend on who came first; what each of them is at an epoch does not.
        for which, run in killed.items():
            mine, its = self.losses(run), self.losses(whole[which])
            for step in set(mine) & set(its):
                self.assertEqual(mine[step], its[step], f"{run}, step {step}")
            self.assertEqual(sorted(mine), list(range(1, len(mine) + 1)), "each step once")
            if len(mine) == len(its):
                self.assertEqual(tensors(run, 0), tensors(whole[which], 0))


if __name__ == "__main__":
    main()
