"""What runs list, show, top and queue make of what squeue says, of runs that another machine trains. Slurm is a script
here, so that this needs none."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from made_runs import make_run, write  # noqa: E402

a, rest = arguments()


def line(job, task, state, reason="None", user="ann", comment="nephron", name="unet", gres="gres:gpu:2", start="N/A"):
    return "\x1f".join((job, task, state, reason, user, "main", "4", gres, "2026-01-31T12:00:00", start, "N/A", comment,
                        name)) + "\n"


class Status(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nephron-slurm-status-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("NEPHRON_", "SLURM", "XDG_"))}
        self.environment.update(PATH=self.folder + "/bin:" + os.environ["PATH"], SLURM_CONF="/dev/null",
                                NEPHRON_SPOOL=self.folder + "/spool", XDG_DATA_HOME=self.folder + "/data",
                                XDG_CACHE_HOME=self.folder + "/cache")
        self.squeue("")
        # On another machine, whose locks are not seen here.
        self.run_ = make_run(self.folder + "/runs", number=0xab12cd, finished=False, lock=False,
                             env={"host": "far", "sessions": [{"started": "", "host": "far"}]})
        self.record(self.run_, "12", [0, 1])

    def script(self, name, text):
        write(f"{self.folder}/bin/{name}", "#!/bin/sh\n" + text)
        os.chmod(f"{self.folder}/bin/{name}", 0o755)

    def squeue(self, text, then="exit 0"):
        write(self.folder + "/answer", text)
        self.script("squeue", f"echo asked >> {self.folder}/asked\ncat {self.folder}/answer\n{then}\n")

    def asked(self):
        """How often, since it was asked for last."""
        try:
            with open(self.folder + "/asked") as f:
                return len(f.readlines())
        except FileNotFoundError:
            return 0
        finally:
            write(self.folder + "/asked", "")

    def record(self, run, job, tasks):
        text = {"job": job, "tasks": tasks, "then": "", "name": "unet", "run": run, "place": run + "/slurm",
                "command": ["nephron"], "goes_on": True, "submitted": "2026-01-31T12:00:00+0100"}
        write(run + "/slurm.json", text)
        write(self.folder + f"/data/nephron/slurm/{job}.json", text)

    def nephron(self, *words):
        done = subprocess.run([a.nephron, *words], capture_output=True, text=True, timeout=120, cwd=self.folder,
                              env=self.environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def status(self, job="12"):
        (row,) = json.loads(self.nephron("runs", "list", "--json", "--columns", "status,slurm").stdout)
        self.assertEqual(row["slurm"], job)
        return row["status"]

    def test_one_that_another_machine_trains_is_what_slurm_says(self):
        self.assertEqual(self.status(), "unknown")
        for state, status in (("RUNNING", "running"), ("COMPLETING", "unknown"), ("PENDING", "waiting")):
            self.squeue(line("12", "0", state) + line("13", "N/A", "RUNNING"))
            self.assertEqual(self.status(), status)
        self.squeue(line("12", "0", "PENDING") + line("12", "1", "RUNNING"))
        self.assertEqual(self.status(), "running")
        (row,) = json.loads(self.nephron("top", "--once", "--json").stdout)
        self.assertEqual(row["id"], "ab12cd")
        self.squeue("")
        self.assertEqual(self.status(), "unknown")

    def test_one_of_a_sweep_is_what_slurm_says_of_the_process_that_trained_it_last(self):
        shutil.rmtree(self.folder + "/runs")
        run = make_run(self.folder + "/runs", number=0xab12cd, finished=False, lock=False, env={
            "host": "far", "sessions": [{"started": "2026-01-31T12:00:00+0000", "host": "far", "slurm": "12_1"}]})
        status = lambda: self.status(job="12_1")
        self.assertEqual(status(), "unknown")
        others = line("12", "0", "RUNNING") + line("1", "1", "RUNNING")
        self.environment["TZ"] = "UTC"
        for state, start, said in (("RUNNING", "2026-01-31T11:59:50", "running"), ("PENDING", "N/A", "waiting"),
                                   ("COMPLETING", "2026-01-31T11:59:50", "unknown"),
                                   ("RUNNING", "2026-01-31T13:00:00", "waiting")):  # started anew: of another run
            self.squeue(others + line("12", "1", state, start=start))
            self.assertEqual(status(), said, (state, start))
        # What the run itself says of its end goes before what the process does meanwhile.
        goes_on = line("12", "1", "RUNNING", start="2026-01-31T11:59:50")
        self.squeue(goes_on)
        for how, said in (("paused", "paused"), ("failed", "failed"), ("interrupted", "interrupted")):
            write(run + "/ended.json", {"session": 1, "how": how, "error": "", "hint": "", "at": ""})
            self.assertEqual(status(), said)
        # No file of it changes when its process is in line again.
        self.squeue(line("12", "1", "PENDING"))
        self.assertEqual(status(), "waiting")
        self.squeue("")
        self.assertEqual(status(), "interrupted")

    def test_one_that_was_stopped_and_stands_in_line_waits_until_slurm_has_it_no_more(self):
        write(self.run_ + "/ended.json", {"session": 1, "how": "interrupted", "error": "", "hint": "", "at": ""})
        self.squeue(line("12", "0", "PENDING", "BeginTime"))
        self.assertEqual(self.status(), "waiting")
        self.squeue("")
        self.assertEqual(self.status(), "interrupted")

    def test_slurm_is_asked_once_and_only_for_runs_that_may_be_there(self):
        for i in range(20):
            self.record(make_run(self.folder + "/runs", number=i, finished=False, lock=False), str(100 + i), [])
        done = make_run(self.folder + "/runs", number=99, finished=True)
        self.asked()
        self.nephron("runs", "list")
        self.assertEqual(self.asked(), 1)
        shutil.rmtree(self.folder + "/runs")
        self.record(make_run(self.folder + "/runs", number=99, finished=True), "99", [])
        self.nephron("runs", "list")
        self.assertEqual(self.asked(), 0, f"{done} is finished")

    def test_a_slurm_that_hangs_or_fails_keeps_no_list_from_coming(self):
        self.squeue("", then="echo 'squeue: error: Unable to contact slurm controller' >&2; exit 1")
        self.assertEqual(self.status(), "unknown")
        self.assertIn("Unable to contact slurm controller", self.nephron("queue").stderr)
        self.squeue("", then="exec sleep 1000")
        self.assertEqual(self.status(), "unknown")
        self.assertIn("did not answer within", self.nephron("queue").stderr)
        # Nobody who never handed anything over hears of it.
        shutil.rmtree(self.folder + "/data")
        self.squeue("", then="exit 1")
        self.assertEqual(self.nephron("queue").stderr, "")

    def test_a_damaged_record_is_told_and_costs_nothing_else(self):
        write(self.run_ + "/slurm.json", "{")
        self.squeue(line("12", "0", "RUNNING"))
        done = self.nephron("runs", "list", "--json", "--columns", "id,status")
        self.assertEqual(json.loads(done.stdout), [{"id": "ab12cd", "status": "unknown"}])
        self.assertIn("slurm.json", done.stderr)

    def test_everybodys_jobs_of_nephron_stand_in_the_queue_and_no_others(self):
        self.squeue(line("12", "0", "RUNNING", user="bob", comment="nephron /runs/x") +
                    line("12", "1", "PENDING", "Resources", user="bob", comment="nephron /runs/x") +
                    line("14", "N/A", "PENDING", "JobHeldUser", name="a \x1b[31m name", gres="gres:gpu:a100:3") +
                    line("15", "N/A", "RUNNING", comment="other") + "nonsense\n")
        rows = {row["id"]: row for row in json.loads(self.nephron("queue", "--json").stdout)["jobs"]}
        self.assertEqual({i: row["state"] for i, row in rows.items()},
                         {"slurm:12_0": "running", "slurm:12_1": "waiting", "slurm:14": "held"})
        self.assertEqual([rows["slurm:12_1"][key] for key in ("user", "why", "gpus", "cores", "run")],
                         ["bob", "Slurm says Resources", 2, 4, "/runs/x"])
        self.assertEqual(rows["slurm:14"]["gpus"], 3)
        self.assertNotIn("\x1b", self.nephron("queue").stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
