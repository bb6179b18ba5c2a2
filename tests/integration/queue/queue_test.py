"""nephron submit, queue, cancel, hold, release, logs, attach; users in top."""
import json
import os
import signal
import sys
import time
import unittest

from queue_fixture import QueueTest, main, result_of

ROOT = os.geteuid() == 0


class Queue(QueueTest):
    def test_a_command_runs_to_its_end_and_its_exit_code_is_known(self):
        job = self.submit("--", "sh", "-c", "echo out; echo more >&2; exit 3")
        done = self.nephron("attach", job)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("out\nmore\n", done.stdout)
        self.assertIn(f"job {job} failed: exit code 3", done.stderr)
        self.assertIn("out\nmore\n", self.good("logs", job))
        ended = self.jobs("--ended")[job]
        self.assertEqual((ended["state"], ended["exit_code"]), ("failed", 3))
        self.assertEqual(self.jobs(), {})

    def test_no_shell_reads_the_command_and_folder_environment_and_umask_are_those_of_the_submit(self):
        environment = {**self.environment, "MINE": "a b", "RANK": "3"}
        os.umask(0o027)
        self.addCleanup(os.umask, 0o022)
        code = "import os; print([os.getcwd(), os.environ['MINE'], os.environ.get('RANK'), oct(os.umask(0))])"
        job = self.submit("--", sys.executable, "-c", code, "$(touch bad)", env=environment)
        said = self.good("attach", job)
        self.assertIn(str([self.work, "a b", None, "0o27"]), said)
        self.assertFalse(os.path.exists(self.work + "/bad"))

    def test_jobs_never_share_a_part_and_all_are_done(self):
        names = [f"j{i}" for i in range(8)]
        for name in names:
            self.count(name, 6)
        self.wait_until(lambda: sum(j["state"] == "running" for j in self.jobs().values()) == 2)
        for name in names:
            self.wait_for_result(name)
            self.assertEqual(self.result(name), result_of(name, 6))
        self.expect_nothing_wrong()
        self.wait_until(lambda: not self.processes(), "an agent without jobs stays")

    def test_small_jobs_share_a_gpu(self):
        self.make_host(gpus=1)
        jobs = [self.count(f"j{i}", 1000, "--gpu-memory", "5G", "--cpus", "1") for i in range(4)]
        self.wait_until(lambda: sum(j["state"] == "running" for j in self.jobs().values()) == 3)
        fourth = self.jobs()[jobs[3]]
        self.assertEqual(fourth["state"], "waiting")
        self.assertIn("1 GPU (5 GiB), 1 core are not free", fourth["why"])
        for job in jobs:
            self.good("cancel", job)
        self.expect_nothing_wrong()

    def test_cancel_ends_what_runs_and_what_waits(self):
        self.make_host(gpus=1)
        first, second = self.count("a", 1000), self.count("b", 1000)
        self.wait_for_state(first, "running")
        self.good("cancel", second)
        self.assertNotIn(second, self.jobs())
        self.good("cancel", first)
        self.wait_for_state(first, "cancelled")
        self.assertIn("is over: cancelled", self.refused("cancel", first))
        # What does not listen is killed.
        deaf = self.submit("--", "sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done")
        self.wait_until(lambda: "deaf" in self.good("logs", deaf))
        self.good("cancel", deaf)
        self.wait_for_state(deaf, "cancelled")
        self.wait_until(lambda: not self.processes())

    def test_of_several_jobs_those_that_are_right_are_changed(self):
        self.make_host(gpus=1)
        runs, waits = self.count("a", 1000), self.count("b", 1000)
        self.wait_for_state(runs, "running")
        said = self.refused("hold", "123456", "etc", waits)
        self.assertIn("there is no job 123456", said)
        self.assertIn("is no id of a job", said)
        self.assertEqual(self.jobs()[waits]["state"], "held")
        self.assertIn("there is no job 123456", self.refused("cancel", "123456", waits, runs))
        self.wait_for_state(runs, "cancelled")
        self.wait_for_state(waits, "cancelled")

    def test_what_is_held_saves_and_goes_on_when_it_is_released(self):
        job = self.count("a", 200)
        self.wait_until(lambda: os.path.exists(self.work + "/a.state"))
        self.good("hold", job)
        self.wait_for_state(job, "held")
        self.wait_until(lambda: not self.processes(), "an agent stays for a job that is held")
        self.assertFalse(os.path.exists(self.work + "/a.result"))
        self.good("release", job)
        self.wait_for_state(job, "finished")
        self.assertEqual(self.result("a"), result_of("a", 200))
        stays = self.submit("--", "sleep", "100")
        self.wait_for_state(stays, "running")
        self.assertIn("cannot go on where it is stopped", self.refused("hold", stays))

    def test_what_cannot_be_is_refused_before_anything_is_in_line(self):
        self.assertIn("3 GPUs were asked for; this machine has 2", self.refused("submit", "--gpus", "3", "--", "true"))
        self.assertIn("with 17 GiB", self.refused("submit", "--gpu-memory", "17G", "--", "true"))
        self.assertIn("a size such as 6G", self.refused("submit", "--gpu-memory", "much", "--", "true"))
        self.assertIn("there is no experiment none.toml", self.refused("submit", "none.toml"))
        self.assertIn("put in line by its experiment", self.refused("submit", "--", "nephron", "train", "x.toml"))
        self.assertIn("there is no job 123456", self.refused("cancel", "123456"))
        self.assertIn("is no id of a job", self.refused("logs", "etc"))
        self.assertIn("is no id of a job", self.refused("logs", f"{os.geteuid()}/../x"))
        self.assertEqual(self.jobs("--ended"), {})
        job = self.submit("--", "/does/not/exist")
        self.wait_for_state(job, "failed")
        self.assertIn("cannot start /does/not/exist", self.jobs("--ended")[job]["why"])

    def test_an_agent_that_is_killed_costs_nothing(self):
        job, waits = self.count("a", 40), self.count("b", 5)
        self.wait_for_state(job, "running")
        (agent,) = self.processes(keepers=False)
        os.kill(agent, signal.SIGKILL)
        self.wait_for_state(job, "finished")  # queue starts another one
        self.wait_for_state(waits, "finished")
        self.assertEqual(self.jobs("--ended")[job]["starts"], 1)
        self.assertEqual(self.result("a"), result_of("a", 40))
        self.expect_nothing_wrong()

    def test_what_is_killed_goes_on_or_says_that_it_cannot(self):
        job, other = self.count("a", 40), self.submit("--", "sleep", "1000")
        self.wait_until(lambda: os.path.exists(self.work + "/a.state"))
        self.wait_for_state(other, "running")
        for keeper in self.keepers():
            os.kill(keeper, signal.SIGKILL)
        self.wait_for_state(job, "finished")
        self.assertEqual(self.result("a"), result_of("a", 40))
        self.wait_for_state(other, "killed")
        self.assertIn("cannot go on where it was", self.jobs("--ended")[other]["why"])
        self.good("release", other)
        self.wait_for_state(other, "running")
        # Three times in a row without coming further, and it is let be.
        never = self.submit("--resumable", "--gpus", "0", "--cpus", "1", "--", "sh", "-c", "kill -9 $$")
        self.wait_for_state(never, "killed")
        self.assertEqual(self.jobs("--ended")[never]["starts"], 3)

    def test_starts_are_foretold_and_ids_are_short(self):
        self.make_host(gpus=1)
        first, second = self.count("a", 1000), self.count("b", 10)
        self.wait_for_state(first, "running")
        self.assertRegex(first, "^[0-9a-f]{6}$")
        text = self.good("queue")
        self.assertIn("1 GPU, 4 cores are not free", text)
        self.assertIn("made up", self.good("queue", "host"))
        self.assertIsNone(self.jobs()[second]["starts_in_s"])  # nobody knows when the first ends

    def test_top_shows_what_users_hold_beside_what_they_use(self):
        self.assertIn("nobody uses the queue", self.good("top", "--once", "--users"))
        busy = self.submit("--cpus", "1", "--", sys.executable, "-c", "print('busy', flush=True)\nwhile True: pass")
        self.wait_until(lambda: "busy" in self.good("logs", busy))
        (row,) = [r for r in json.loads(self.good("top", "--once", "--users", "--json")) if r["cores_held"] > 0]
        self.assertEqual((row["cores_held"], row["gpus_held"], row["gpus_used"], row["share"]), (1, 1.0, 0.0, 1.0))
        self.assertGreater(row["cores_used"], 0)
        self.assertGreater(row["gpu_seconds"], 0)
        text = self.good("top", "--once")
        for part in ("nothing runs", "used GPU-h", "cores held", "GPUs used", "beyond"):
            self.assertIn(part, text)
        self.good("cancel", busy)

    @unittest.skipUnless(ROOT, "several users need root")
    def test_a_run_yields_to_another_user_and_its_result_is_equal(self):
        self.make_host(gpus=1, slice_minutes=0.02)
        long = self.count("long", 60, user=12001)
        self.wait_for_state_of(long, "running", 12001)
        other = self.count("other", 10, user=12002)
        self.wait_until(lambda: os.path.exists(self.work + "/other.result"), self.agent_log)
        self.assertFalse(os.path.exists(self.work + "/long.result"), "it was in nobody's way")
        self.wait_until(lambda: os.path.exists(self.work + "/long.result"), self.agent_log)
        self.assertEqual(self.result("long"), result_of("long", 60))
        self.assertEqual(self.result("other"), result_of("other", 10))
        self.wait_for_state_of(long, "finished", 12001)
        self.assertGreaterEqual(self.jobs("--ended", user=12001)[long]["starts"], 2)
        self.assertIn("yields", self.agent_log())
        self.expect_nothing_wrong()

    @unittest.skipUnless(ROOT, "several users need root")
    def test_jobs_of_others_are_seen_and_left_alone(self):
        job = self.count("a", 1000, user=12001)
        self.wait_for_state_of(job, "running", 12001)
        self.assertEqual(self.jobs(user=12002)[job]["state"], "running")
        for change in ("cancel", "hold", "release", "logs", "attach"):
            self.assertIn(f"job {job} belongs to 12001", self.refused(change, job, user=12002))
        self.good("cancel", f"12001/{job}", user=12001)

    def wait_for_state_of(self, job, state, user):
        self.wait_until(lambda: self.jobs("--ended", user=user).get(job, {}).get("state") == state, self.agent_log)


if __name__ == "__main__":
    main()
