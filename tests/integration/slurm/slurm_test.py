"""nephron submit --via slurm of commands, and queue, cancel, hold, release, logs, attach of what Slurm has."""
import glob
import os
import shutil
import sys
import unittest

from slurm_fixture import COUNTING, SlurmTest, main

PYTHON = sys.executable


class Commands(SlurmTest):
    def count(self, name, steps, *options, core=0, pace=0.05):
        """Hands over a counting job, which finds out when it runs twice at a time."""
        return self.submit("--name", name, "--resumable", *options, "--", "env", "NEPHRON_QUEUE_GPUS=",
                           f"NEPHRON_QUEUE_CORES={core}", PYTHON, COUNTING, self.work, name, str(steps), str(pace))

    def wait_for_steps(self, job, name):
        self.wait_until(lambda: os.path.exists(f"{self.work}/{name}.state"), self.said(job))

    def number(self, job):
        return job.removeprefix("slurm:")

    def expect_counted(self, name):
        self.assertTrue(os.path.exists(f"{self.work}/{name}.result"))
        self.assertFalse(os.path.exists(self.work + "/wrong"))

    def test_a_command_runs_to_its_end_and_its_exit_code_is_known(self):
        job = self.submit("--", "sh", "-c", "echo out; echo more >&2; exit 3")
        done = self.nephron("attach", job)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("out\n", done.stdout)
        self.assertIn("more\n", done.stdout)
        self.assertIn("out\n", self.good("logs", job))
        self.assertEqual(self.good("logs", job, env={**self.environment, "XDG_DATA_HOME": "/nowhere"}),
                         self.good("logs", job), "what Slurm says of it is enough, as long as it remembers it")
        self.assertIn("neither waits nor runs", self.refused("cancel", job))
        (script,) = glob.glob(self.folder + "/data/nephron/slurm/*.sh")
        self.assertTrue(script.endswith(self.number(job) + ".sh"))
        # By hand it does the same.
        again = self.slurm.tool("sbatch", "--parsable", script).strip()
        self.wait_for_end("slurm:" + again)
        self.assertEqual(self.slurm.job(again)["ExitCode"], "3:0")

    def test_no_shell_reads_the_command_and_nothing_of_another_job_gets_into_its_environment(self):
        code = ("import os; print([os.getcwd(), os.environ['MINE'], oct(os.umask(0)), os.environ.get('RANK'), "
                "os.environ.get('SLURM_MEM_PER_NODE'), os.environ.get('SLURM_ARRAY_TASK_ID'), "
                "os.environ.get('SBATCH_EXPORT')])")
        inside = {**self.environment, "MINE": "a b", "RANK": "3", "SLURM_JOB_ID": "1", "SLURM_MEM_PER_NODE": "7",
                  "SLURM_ARRAY_TASK_ID": "5", "SBATCH_EXPORT": "NONE", "SBATCH_ARRAY_INX": "0-9",
                  "SQUEUE_FORMAT": "%i", "SLURM_NTASKS": "9"}
        os.umask(0o027)
        self.addCleanup(os.umask, 0o022)
        name = "it's $(touch bad) %j \"x\""
        job = self.submit("--name", name, "--", PYTHON, "-c", code, "$(touch bad)", "it's", "a\nb", env=inside)
        self.wait_for_end(job)
        said = self.good("logs", job)
        self.assertIn(str([self.work, "a b", "0o27", None, None, None, None]), said)
        self.assertFalse(os.path.exists(self.work + "/bad"))
        with open(glob.glob(self.folder + "/data/nephron/slurm/*.sh")[0]) as f:
            self.assertIn("it'\\''s $(touch bad) %j", f.read())

    def test_jobs_are_shown_and_what_is_cancelled_saves_and_is_not_requeued(self):
        job = self.count("a", 100000, "--gpus", "2", "--cpus", "2")
        waits = self.count("b", 10, "--gpus", "1", core=1)
        self.wait_for_steps(job, "a")
        rows = self.rows()
        self.assertEqual([rows[job][key] for key in ("name", "state", "gpus", "cores")], ["a", "running", 2, 2])
        self.wait_until(lambda: "Resources" in self.rows()[waits]["why"])
        self.assertEqual(self.state(waits), "waiting")
        self.assertIn("waiting", self.good("queue"))
        self.assertIn("is told to end", self.good("cancel", job))
        self.wait_for_end(job)
        self.assertIn("step", self.good("logs", job))
        shown = self.slurm.job(self.number(job))
        self.assertEqual((shown["JobState"], shown["Restarts"]), ("CANCELLED", "0"))
        self.wait_for_end(waits)
        self.expect_counted("b")
        self.assertEqual(self.rows(), {})

    def test_what_is_held_saves_and_goes_on_when_it_is_released(self):
        job = self.count("a", 60)
        self.wait_for_steps(job, "a")
        self.assertIn("is told to save", self.good("hold", job))
        self.wait_until(lambda: self.state(job) == "held", self.said(job))
        self.assertFalse(os.path.exists(self.work + "/a.result"))
        self.good("release", job)
        self.assertIn("waits; what is held can be released", self.refused("release", job))
        self.wait_for_end(job)
        self.expect_counted("a")
        other = self.submit("--", "sleep", "1000")
        self.wait_until(lambda: self.state(other) == "running")
        self.assertIn("cannot go on where it is stopped", self.refused("hold", other))

    def test_what_has_nothing_to_do_yet_is_put_in_line_again(self):
        script = "test -e came && exit 0; touch came; exit 75"
        job = self.submit("--resumable", "--", "sh", "-c", script)
        self.wait_until(lambda: os.path.exists(self.work + "/came") and self.state(job) == "waiting", self.said(job))
        self.wait_for_end(job)
        shown = self.slurm.job(self.number(job))
        self.assertEqual((shown["JobState"], shown["Restarts"]), ("COMPLETED", "1"))
        once = self.submit("--", "sh", "-c", "exit 75")
        self.wait_for_end(once)
        self.assertEqual(self.slurm.job(self.number(once))["ExitCode"], "75:0", "it cannot go on")

    def test_what_is_over_is_handed_over_again_when_it_is_released(self):
        job = self.submit("--name", "three", "--", "sh", "-c", "echo here; test -e good || exit 3")
        self.wait_for_end(job)
        again = self.good("release", job).split()[-1]
        self.assertRegex(again, r"^slurm:[0-9]+$")
        self.assertNotEqual(again, job)
        self.wait_for_end(again)
        self.assertEqual(self.slurm.job(self.number(again))["JobName"], "three")
        self.assertIn("here", self.good("logs", again))
        open(self.work + "/good", "w").close()
        third = self.good("release", again).split()[-1]
        self.wait_for_end(third)
        self.assertIn("is finished", self.refused("release", third))
        self.assertIn("nothing is known of it here", self.refused("release", "slurm:99999"))

    def test_what_leaves_early_in_its_grace_time_is_put_in_line_again(self):
        job = self.count("a", 60, "--gpus", "2")
        self.wait_for_steps(job, "a")
        first = self.submit("--partition", "urgent", "--gpus", "1", "--", "true")
        self.wait_for_end(first)
        self.wait_until(lambda: self.state(job) == "waiting", self.said(job))
        self.wait_for_end(job)
        self.expect_counted("a")
        self.assertEqual(self.slurm.job(self.number(job))["Restarts"], "1")

    def test_what_cannot_go_on_is_not_started_twice(self):
        job = self.submit("--gpus", "2", "--", "sh", "-c", "echo began >> began; sleep 1000")
        self.wait_until(lambda: os.path.exists(self.work + "/began"))
        first = self.submit("--partition", "urgent", "--gpus", "1", "--", "true")
        self.wait_for_end(first)
        self.wait_for_end(job)
        with open(self.work + "/began") as f:
            self.assertEqual(f.read(), "began\n")

    def test_what_cannot_be_is_refused_with_slurms_own_words_and_leaves_nothing(self):
        submit = ("submit", "--via", "slurm")
        self.assertIn("Invalid generic resource", self.refused(*submit, "--gres", "tpu:1", "--", "true", code=1))
        self.assertIn("invalid partition", self.refused(*submit, "--partition", "none", "--gpus", "0", "--", "true",
                                                        code=1))
        self.assertIn("time specification", self.refused(*submit, "--time", "soon", "--", "true", code=1))
        self.assertIn("not its users' to say", self.refused(*submit, "--priority", "urgent", "--", "true"))
        self.assertIn("one of them is enough", self.refused(*submit, "--gpus", "1", "--gres", "gpu:1", "--", "true"))
        self.assertIn("a size such as 32G", self.refused(*submit, "--memory", "much", "--", "true"))
        self.assertIn("divides the slides of", self.refused(*submit, "--over-slides", "2", "--", "true"))
        self.assertIn("--continue does not go with", self.refused(*submit, "--over-slides", "2", "--", "nephron",
                                                                  "predict", "run", "--continue"))
        self.assertIn("none of a line", self.refused(*submit, "--sbatch=--account=a\nrm", "--", "true"))
        self.assertIn("--partition is of Slurm", self.refused("submit", "--partition", "main", "--", "true"))
        self.assertIn("is no job of Slurm", self.refused("cancel", "slurm:x"))
        self.assertIn("neither waits nor runs", self.refused("hold", "slurm:99999"))
        self.assertIn("nothing is known of", self.refused("logs", "slurm:99999"))
        self.assertEqual(glob.glob(self.folder + "/data/nephron/slurm/*"), [])
        bare = {**self.environment, "PATH": self.folder}
        self.assertIn("Slurm is not here", self.refused(*submit, "--", "true", code=1, env=bare))
        self.assertEqual(self.rows(), {})

    def test_a_controller_that_is_away_is_told_and_keeps_nobody_waiting(self):
        nowhere = os.path.join(self.folder, "slurm.conf")
        shutil.copy(self.slurm.configuration, nowhere)
        with open(nowhere) as f:
            text = f.read()
        with open(nowhere, "w") as f:
            f.write(text.replace("SlurmctldPort=", "SlurmctldPort=1 #"))
        self.submit("--", "true")  # so that it concerns this user
        away = {**self.environment, "SLURM_CONF": nowhere}
        done = self.nephron("queue", "--json", env=away)
        self.assertEqual(done.returncode, 0)
        self.assertIn("Slurm does not say what waits and runs", done.stderr)


if __name__ == "__main__":
    main()
