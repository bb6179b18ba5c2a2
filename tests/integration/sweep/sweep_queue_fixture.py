"""Sweeps in the queue of a machine with made-up GPUs."""
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../queue"))
from queue_fixture import QueueTest  # noqa: E402
from sweep_fixture import SweepTest  # noqa: E402


class QueuedSweep(QueueTest, SweepTest):
    def setUp(self):
        QueueTest.setUp(self)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder = self.work
        self.make_files()

    def put_in_line(self, *words):
        return self.good(*words).split()

    def states(self, jobs):
        known = self.jobs("--ended")
        return [known.get(job, {}).get("state") for job in jobs]  # nowhere for a moment, while its files are moved

    def wait_for_states(self, jobs, state):
        self.wait_until(lambda: self.states(jobs) == [state] * len(jobs),
                        lambda: "\n".join(map(str, self.jobs("--ended").values())) + self.agent_log())

    def own_log(self, job):
        return self.good("logs", job)

    def workers(self):
        """Numbers of the processes that go on with a sweep."""
        out = []
        for pid in self.processes(agents=False):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if f.read().split(b"\0")[1:3] == [b"sweep", b"resume"]:
                        out.append(pid)
            except OSError:  # it has ended meanwhile
                pass
        return out
