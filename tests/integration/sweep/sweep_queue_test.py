"""Sweeps in the queue of a machine with made-up GPUs: whole ones, stopped ones, and ones whose processes are killed."""
import glob
import json
import os
import signal

from sweep_fixture import main
from sweep_queue_fixture import QueuedSweep

GRID = """method = "grid"
seeds = [1, 2]
[sweep.vary]
train.optimizer.lr = [0.01, 0.03]
"""
HALVING = """method = "halving"
trials = 4
halving = { eta = 2, first_epochs = 1 }
[sweep.vary]
train.optimizer.lr = { log = [1e-3, 1e-1] }
"""


class Queued(QueuedSweep):
    def expect_each_trained_once(self, sweep, steps):
        runs = self.runs(sweep)
        self.assertEqual([len(self.losses(run)) for run in runs], [steps] * len(runs))
        return runs

    def test_a_grid_that_is_submitted_is_trained_by_the_program_of_that_moment(self):
        self.sweep_file("grid.toml", GRID, "train.epochs = 1\n")
        jobs = self.put_in_line("submit", "grid.toml", "--jobs", "2", "--cpus", "1")
        self.assertEqual(len(jobs), 2)
        self.wait_for_states(jobs, "finished")
        status = self.status("grid")
        self.assertTrue(status["done"], status)
        self.assertEqual([t["state"] for t in status["trials"]], ["done", "done"])
        runs = self.expect_each_trained_once("grid-sweep", 4)
        self.assertEqual(len(runs), 4)
        (tree,) = glob.glob(self.work + "/runs/.objects/trees/*")
        for run in runs:
            with open(run + "/environment.json") as f:
                self.assertTrue(json.load(f)["program"]["file"].startswith(tree + "/"), "the copy of the submit")
        row = self.jobs("--ended")[jobs[0]]
        self.assertEqual((row["name"], row["gpus"], row["cores"], row["may_yield"]), ("grid-sweep", 1, 1, True))
        # All is done: the same file again does nothing.
        (again,) = self.put_in_line("submit", "grid.toml")
        self.wait_for_states([again], "finished")
        self.assertIn("all is done", self.own_log(again))
        self.expect_each_trained_once("grid-sweep", 4)

    def test_a_training_whose_experiment_names_a_plugin_by_file_finds_it_once(self):
        """The program of the submit has a copy of it, which was one file too many."""
        job = self.submit("base.toml", "--set", "train.epochs=1")
        self.wait_for_states([job], "finished")

    def test_two_jobs_share_a_halving(self):
        self.sweep_file("two.toml", HALVING)
        jobs = self.put_in_line("sweep", "two.toml", "--queue", "--jobs", "2")
        self.wait_for_states(jobs, "finished")
        status = self.status("two")
        self.assertTrue(status["done"], status)
        for trial in status["trials"]:
            run = trial["runs"][0]["run"]
            self.assertEqual(self.sessions(run), trial["rung"] + 1, "each rung is a session, and no other is")
            self.assertEqual(len(self.losses(run)), 4 * [1, 2, 4][trial["rung"]])
        self.assertEqual(sum(self.own_log(job).count("epochs 1 to 1,") for job in jobs), 4, "each began once")

    def test_faults_are_told_at_submit_and_leave_neither_folder_nor_job(self):
        self.sweep_file("bad.toml", GRID + "train.optimizer.lrr = [1, 2]\n")
        self.assertIn('"lrr"', self.refused("submit", "bad.toml"))
        self.sweep_file("good.toml", GRID)
        for words, said in ((("--fold", "0"), "--fold is not for a sweep"), (("--strict",), "--strict is not for a sweep"),
                            (("--resumable",), "--resumable is not for a sweep"), (("--gpus", "2"), "--jobs 2 puts 2 of them"),
                            (("--cpus", "9"), "9 cores were asked for"), (("--name", "../up"), "is no name of a folder")):
            self.assertIn(said, self.refused("submit", "good.toml", *words))
        self.assertIn("--jobs is for a sweep alone", self.refused("submit", "base.toml", "--jobs", "2"))
        self.assertIn("--device", self.refused("sweep", "good.toml", "--queue", "--device", "cpu"))
        self.assertEqual(self.jobs("--ended"), {})
        self.assertFalse(glob.glob(self.work + "/runs/*"))

    def test_a_stop_ends_its_jobs_and_takes_those_in_line_out_and_going_on_puts_them_back(self):
        self.make_host(gpus=1)
        self.sweep_file("stop.toml", GRID, "train.steps_per_epoch = 20000\n")
        jobs = self.put_in_line("submit", "stop.toml", "--jobs", "3", "--cpus", "1")
        other = self.submit("--gpus", "0", "--cpus", "1", "--", "sleep", "1000")  # which is none of it
        self.wait_until(lambda: self.runs("stop-sweep"), self.agent_log)
        (runs,) = [job for job in jobs if self.states([job]) == ["running"]]
        waiting = sorted(set(jobs) - {runs})
        said = self.good("sweep", "stop", "stop")
        self.assertIn("2 jobs of it are out of the line: " + ", ".join(waiting), said)
        self.assertEqual(self.states(waiting), ["cancelled"] * 2)
        self.assertIn("its sweep was stopped", self.jobs("--ended")[waiting[0]]["why"])
        self.wait_for_states([runs], "finished")
        self.assertIn("this job is over", self.own_log(runs))
        rows = json.loads(self.good("runs", "list", "sweep=stop-sweep", "--json"))
        self.assertEqual([row["status"] for row in rows], ["interrupted"])
        self.assertNotIn("out of the line", self.good("sweep", "stop", "stop"))
        # A process that goes on puts them back, and no submit finds more than it asks for.
        worker = self.start("resume", "stop")
        self.wait_until(lambda: set(self.states(waiting)) & {"waiting", "running"}, self.agent_log)
        worker.send_signal(signal.SIGINT)
        self.assertEqual(worker.wait(), 130)
        self.good("sweep", "stop", "stop")
        self.wait_until(lambda: set(self.states(waiting)) <= {"cancelled", "finished"}, self.agent_log)
        (job,) = self.put_in_line("submit", "stop.toml", "--cpus", "1")
        self.wait_until(lambda: self.states([job]) == ["running"], self.agent_log)
        self.assertEqual(set(self.jobs()), {job, other})
        self.good("cancel", job, other)
        self.wait_for_states([job, other], "cancelled")

    def test_a_job_for_which_nothing_will_be_left_does_not_hold_a_gpu(self):
        self.sweep_file("one.toml", 'method = "list"\n[[sweep.list]]\ntrain.batch = 3\n', "train.steps_per_epoch = 20000\n")
        jobs = self.put_in_line("submit", "one.toml", "--jobs", "2")
        self.wait_until(lambda: sorted(self.states(jobs)) == ["finished", "running"], self.agent_log)
        (over,) = [job for job in jobs if self.states([job]) == ["finished"]]
        self.assertIn("others do what is left", self.own_log(over))
        (other,) = [job for job in jobs if job != over]
        self.good("cancel", other)
        self.wait_for_states([other], "cancelled")

    def test_a_job_that_waits_for_what_others_find_does_not_hold_a_gpu(self):
        """Of a halving; two trials of which one is promoted again and again."""
        self.sweep_file("climb.toml", HALVING.replace("trials = 4", "trials = 2"),
                        "train.epochs = 4000\ntrain.steps_per_epoch = 100\n")
        jobs = self.put_in_line("submit", "climb.toml", "--jobs", "2")
        waits = lambda row: row["state"] == "waiting" and "nothing to do yet" in row["why"]
        first, row = self.wait_until(lambda: next((r for r in self.jobs().items() if waits(r[1])), None), self.agent_log)
        self.assertEqual(row["parts"], "")
        (other,) = [job for job in jobs if job != first]
        self.assertEqual(self.states([other]), ["running"])
        self.wait_until(lambda: self.jobs()[first]["starts"] >= 2, self.agent_log)
        self.assertIn("comes again later", self.own_log(first))
        # Where the other one is gone, it does the work.
        self.good("cancel", other)
        self.wait_for_states([other], "cancelled")
        sessions = lambda: sum(self.sessions(run) for run in self.runs("climb-sweep"))
        before = sessions()
        self.wait_until(lambda: sessions() > before and self.states([first]) == ["running"], self.agent_log)
        self.good("cancel", first)
        self.wait_for_states([first], "cancelled")

    def test_killed_processes_of_it_cost_nothing_that_was_saved(self):
        """The process that trains the trials, its keeper, and the agent; then a hold, which lets it save."""
        self.sweep_file("whole.toml", GRID)
        self.good("sweep", "whole.toml")
        self.make_host(gpus=1)
        self.sweep_file("kill.toml", GRID)
        (job,) = self.put_in_line("submit", "kill.toml")

        def after_next_run():
            count = len(self.runs("kill-sweep"))
            self.wait_until(lambda: len(self.runs("kill-sweep")) > count, self.agent_log)

        after_next_run()
        (worker,) = self.workers()
        os.kill(worker, signal.SIGKILL)
        self.wait_until(lambda: self.jobs()[job]["starts"] == 2, self.agent_log)
        after_next_run()
        (agent,) = self.processes(keepers=False)
        os.kill(agent, signal.SIGKILL)
        for keeper in self.keepers():
            os.kill(keeper, signal.SIGKILL)
        self.wait_until(lambda: self.jobs()[job]["starts"] == 3, self.agent_log)
        after_next_run()
        self.good("hold", job)
        self.wait_for_states([job], "held")
        self.good("release", job)
        self.wait_for_states([job], "finished")
        self.assertEqual(self.jobs("--ended")[job]["starts"], 4)
        killed, whole = self.expect_each_trained_once("kill-sweep", 16), self.runs("whole-sweep")
        self.assertEqual(len(killed), 4)
        self.assertCountEqual([self.losses(r) for r in killed], [self.losses(r) for r in whole])


if __name__ == "__main__":
    main()
