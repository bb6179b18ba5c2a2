"""Sweeps that are trained: each method, several processes, and what is killed, stopped or fails meanwhile."""
import json
import os
import signal

from sweep_fixture import SweepTest, main

HALVING = """method = "halving"
trials = 4
halving = { eta = 2, first_epochs = 1 }
[sweep.vary]
train.optimizer.lr = { log = [1e-3, 1e-1] }
"""


class Sweeps(SweepTest):
    def test_a_grid_and_what_is_told_of_it(self):
        self.sweep_file("grid.toml", 'method = "grid"\n[sweep.vary]\ntrain.batch = [2, 3]\ntrain.optimizer.lr = [0.01, 0.03]\n',
                        "train.epochs = 1\n")
        dry = self.sweep("grid.toml", "--dry-run")
        self.assertIn("3: --set 'train.batch=3' --set 'train.optimizer.lr=0.03'", dry)
        self.assertFalse(os.path.exists(self.path("runs")), "a dry run writes nothing")
        said = self.sweep("grid.toml", "--jobs", "2")
        self.assertIn("too good", said)
        status = self.status("grid")
        self.assertEqual([t["state"] for t in status["trials"]], ["done"] * 4)
        self.assertTrue(status["done"])
        rows = json.loads(self.nephron("runs", "list", "sweep=grid-sweep and trial=3", "--columns", "*", "--json").stdout)
        self.assertEqual([(r["train.batch"], r["train.optimizer.lr"], r["rung"], r["status"]) for r in rows], [(3, 0.03, 0, "finished")])
        # What was written where is known as of any run.
        with open(self.runs("grid-sweep")[0] + "/experiment.resolved.toml") as f:
            self.assertRegex(f.read(), r"lr = 0\.0[13] +# .*grid\.toml:7:\d+")
        # The same file is the same sweep, another one is not.
        before = [self.sessions(r) for r in self.runs("grid-sweep")]
        self.assertIn("all is done", self.sweep("grid.toml"))
        self.assertEqual([self.sessions(r) for r in self.runs("grid-sweep")], before)
        self.assertIn("is the sweep of another file", self.sweep("grid.toml", "--set", "train.epochs=2", code=2))

    def test_killed_processes_lose_nothing_that_was_saved(self):
        text = 'method = "random"\ntrials = 2\nseeds = [1, 2]\n[sweep.vary]\ntrain.optimizer.lr = { log = [1e-3, 1e-1] }\n'
        self.sweep_file("kill.toml", text)
        self.sweep_file("whole.toml", text)
        self.sweep("whole.toml")
        for _ in range(2):
            child = self.start("kill.toml") if not os.path.exists(self.path("runs/kill-sweep")) else self.start("resume", "kill")
            count = len(self.runs("kill-sweep"))
            self.until(lambda: len(self.runs("kill-sweep")) > count, child)
            child.send_signal(signal.SIGKILL)
            child.wait()
        self.until(lambda: not any(t["state"] == "running" for t in self.status("kill")["trials"]))  # its runs went with it
        self.assertIn("all is done", self.sweep("resume", "kill"))
        killed, whole = self.runs("kill-sweep"), self.runs("whole-sweep")
        self.assertEqual((len(killed), len(whole)), (4, 4))
        self.assertCountEqual([self.losses(r) for r in killed], [self.losses(r) for r in whole])

    def test_two_processes_share_a_halving(self):
        self.sweep_file("two.toml", HALVING)
        first = self.start("two.toml")
        self.until(lambda: os.path.exists(self.path("runs/two-sweep/plan.json")), first)
        second = self.start("resume", "two")
        self.assertEqual((first.wait(timeout=400), second.wait(timeout=400)), (0, 0), first.said() + second.said())
        status = self.status("two")
        self.assertEqual(status["rungs"], [1, 2, 4])
        self.assertTrue(status["done"])
        rungs = [t["rung"] for t in status["trials"]]
        self.assertGreaterEqual(sum(r >= 1 for r in rungs), 2)
        self.assertGreaterEqual(rungs.count(2), 1)
        for trial in status["trials"]:
            run = trial["runs"][0]["run"]
            self.assertEqual(self.sessions(run), trial["rung"] + 1, "each rung is a session, and no other is")
            self.assertEqual(len(self.losses(run)), 4 * [1, 2, 4][trial["rung"]])
            self.assertEqual(trial["state"], "done" if trial["rung"] == 2 else "stopped early")
        paused = self.nephron("runs", "list", "sweep=two-sweep and status=paused", "--json").stdout
        self.assertEqual(len(json.loads(paused)), sum(r < 2 for r in rungs))

    def test_what_fails_is_a_result(self):
        self.sweep_file("fail.toml", 'method = "list"\n[[sweep.list]]\nloss.terms = [ { type = "test-brittle", good_calls = 2 } ]\n'
                        '[[sweep.list]]\nloss.terms = [ { type = "bce" } ]\n', "train.epochs = 1\n")
        said = self.sweep("fail.toml")
        self.assertRegex(said, r"trial 0 failed: the loss is NaN at step")
        status = self.status("fail")
        self.assertEqual([t["state"] for t in status["trials"]], ["failed", "done"])
        self.assertEqual(status["ranking"], [1])
        self.assertIn("all is done", self.sweep("resume", "fail"))  # it is not tried again
        self.assertEqual(self.sessions(status["trials"][0]["runs"][0]["run"]), 1)
        self.sweep("resume", "fail", "--retry-failed")
        self.assertEqual(self.sessions(status["trials"][0]["runs"][0]["run"]), 2)

    def test_a_stop_and_ctrl_c_leave_what_goes_on(self):
        self.sweep_file("stop.toml", HALVING, "train.steps_per_epoch = 20000\n")
        child = self.start("stop.toml")
        self.until(lambda: self.runs("stop-sweep"), child)
        self.sweep("stop", "stop")
        self.assertEqual(child.wait(timeout=240), 130)
        self.assertRegex(child.said(), r"stopped; go on with: nephron sweep resume \S+stop-sweep")
        self.assertEqual({r["status"] for r in json.loads(self.nephron("runs", "list", "sweep=stop-sweep", "--json").stdout)}, {"interrupted"})
        count = self.sessions(self.runs("stop-sweep")[0])
        child = self.start("resume", "stop")
        self.until(lambda: self.sessions(self.runs("stop-sweep")[0]) > count, child)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(timeout=240), 130)
        self.assertIn("interrupted; go on with: nephron sweep resume", child.said())

    def test_the_best_are_confirmed_on_what_chose_nothing(self):
        self.sweep_file("sure.toml", 'method = "list"\nseeds = [1]\nconfirm = { top = 2, seeds = [5, 6] }\n'
                        "[[sweep.list]]\ntrain.optimizer.lr = 0.01\n[[sweep.list]]\ntrain.optimizer.lr = 0.03\n"
                        "[[sweep.list]]\ntrain.optimizer.lr = 0.1\n", "train.epochs = 1\n")
        said = self.sweep("sure.toml", "--jobs", "2")
        self.assertIn("that is the figure to quote", said)
        status = self.status("sure")
        self.assertEqual(len(status["confirmed"]), 2)
        for trial in status["confirmed"]:
            self.assertEqual([(r["seed"], r["folds"], r["finished"]) for r in trial["runs"]], [(5, [1, 2], True), (6, [1, 2], True)])
        self.assertEqual(len(status["comparison"]["sides"]), 2)
        self.assertEqual(status["confirmed"][0]["verdict"], "baseline: the best of the search")
        self.assertNotEqual(status["confirmed"][1]["verdict"], "")


if __name__ == "__main__":
    main()
