"""Two users sweep two encoders on a shared machine with two made-up GPUs, all is killed midway, and each goes on to a
verdict, a checked winner and a table: the commands of docs/comparison.md as they stand there, with few
steps, and three folds of the six unless NEPHRON_MAIN_JOB=full. Where root does not run it, one user does all of it, twice."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../queue"))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402

mine, sys.argv[1:] = arguments("--source")
sys.argv[1:1] = ["--nephron", mine.nephron]
from queue_fixture import QueueTest, main  # noqa: E402

TILES = os.path.join(os.environ.get("NEPHRON_SHARED", os.path.join(mine.source, "../shared")), "data/aidpath-tiles")
FOLDS = 6 if os.environ.get("NEPHRON_MAIN_JOB") == "full" else 3
USERS = [12001, 12002] if os.geteuid() == 0 else [None, None]
SHORT = f"""
extends = "whole.toml"
[sweep]
seeds = [1, 2]
folds = {list(range(FOLDS))}
[data]
factor = 8
tile = 64
workers = 1
[train]
epochs = 2
steps_per_epoch = 2
batch = 2
threads = 1
"""
PATIENCE = 600


def torch_folder():
    """Where the program's LibTorch lies."""
    compute = os.path.join(os.path.dirname(mine.nephron), "../libexec/nephron-compute")
    for line in subprocess.run(["ldd", compute], capture_output=True, text=True).stdout.splitlines():
        if "libtorch_cpu.so =>" in line:
            return os.path.dirname(os.path.realpath(line.split("=>")[1].split("(")[0].strip()))
    return None


class User:
    """One of them: a folder of their own, and the commands given in it."""

    def __init__(self, test, number, uid):
        self.test, self.uid = test, uid
        self.folder = f"{test.work}/user{number}"
        os.makedirs(self.folder + "/bin")
        os.symlink(mine.nephron, self.folder + "/bin/nephron")
        shutil.copytree(os.path.join(mine.source, "experiments"), self.folder + "/experiments")
        os.rename(self.folder + "/experiments/aidpath/encoders.toml", self.folder + "/experiments/aidpath/whole.toml")
        with open(self.folder + "/experiments/aidpath/encoders.toml", "w") as f:
            f.write(SHORT)
        if uid:
            subprocess.run(["chown", "-R", f"{uid}:{uid}", self.folder], check=True)

    def environment(self):
        return {**self.test.environment, "PATH": self.folder + "/bin:" + os.environ["PATH"], "AIDPATH_TILES": TILES,
                "EXPERIMENTS": self.folder + "/experiments", "HOME": self.folder, "XDG_CACHE_HOME": self.folder + "/cache"}

    def shell(self, script):
        who = {"user": self.uid, "group": self.uid, "extra_groups": []} if self.uid else {}
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, env=self.environment(),
                              capture_output=True, text=True, timeout=PATIENCE, **who)
        self.test.assertEqual(done.returncode, 0, f"{script}\n{done.stdout}{done.stderr}\n{self.test.agent_log()}")
        return done.stdout

    def steps(self):
        out = 0
        for file in glob.glob(f"{self.folder}/runs/*/*/fold-*/metrics.jsonl"):
            with open(file) as f:
                out += sum('"loss"' in line for line in f)
        return out

    def runs(self):
        """By encoder and seed: the runs of its folds."""
        rows = json.loads(self.shell("nephron runs list --json --columns run,status,model.encoder.type,seed"))
        self.test.assertEqual({row["status"] for row in rows}, {"finished"}, rows)
        out = {}
        for row in rows:
            out.setdefault((row["model.encoder.type"], row["seed"]), []).append(os.path.join(self.folder, row["run"]))
        return out


class MainJob(QueueTest):
    def setUp(self):
        if not os.path.isdir(TILES):
            print(f"skipped: no tiles in {TILES} (NEPHRON_SHARED)")
            sys.exit(77)
        super().setUp()
        self.make_host(gpus=2, slice_minutes=0.1)  # so that both are at work when all is killed
        if USERS[0]:
            self.let_others_load_torch()
        else:
            print("several users: skipped, that needs root; one user does it twice")

    def let_others_load_torch(self):
        """LibTorch of root's cache is for root alone: links to its files are for everybody."""
        torch = torch_folder()
        self.assertIsNotNone(torch, "the program's LibTorch")
        seen = subprocess.run(["test", "-r", torch + "/libtorch_cpu.so"], user=USERS[0], group=USERS[0], extra_groups=[])
        if seen.returncode == 0:
            return
        copy = os.path.join(self.folder, "torch")
        if subprocess.run(["cp", "-rL", "--link", torch, copy], capture_output=True).returncode != 0:
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(torch, copy)
        self.environment["LD_LIBRARY_PATH"] = copy

    def commands(self):
        with open(os.path.join(mine.source, "docs/comparison.md")) as page:
            blocks = "".join(re.findall(r"^```sh\n(.*?)^```$", page.read(), re.M | re.S))
        begin, attach, rest = re.match(r"(.*)(^for job in .*?\n)(.*)", blocks, re.M | re.S).groups()
        return begin, attach, rest

    def test_two_users_sweep_are_killed_go_on_and_compare(self):
        begin, attach, rest = self.commands()
        users = [User(self, i, uid) for i, uid in enumerate(USERS)]
        jobs = [user.shell(begin + "echo $jobs\n").splitlines()[-1] for user in users]
        self.wait_until(lambda: all(user.steps() >= 6 for user in users), self.agent_log)
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        before = [user.steps() for user in users]
        for user, mine_of in zip(users, jobs):
            user.shell("nephron queue")
            user.shell(f"jobs='{mine_of}'\n" + attach)
        for user, steps in zip(users, before):
            self.assertGreater(user.steps(), steps)
            self.assertEqual(user.steps(), 2 * 2 * FOLDS * 4, "every fold of every run, each step once")
            said = user.shell(rest)
            self.assertRegex(said, "bit-equal")
            self.expect_a_verdict(user)
        self.expect_nothing_between_equals(*users)

    def expect_a_verdict(self, user):
        with open(user.folder + "/encoders.html") as page:
            self.assertIn(f"{3 * FOLDS} donors", page.read())
        with open(user.folder + "/encoders.tex") as table:
            self.assertIn(r"\toprule", table.read())

    def expect_nothing_between_equals(self, one, other):
        """The recipe of one user against the same one of the other, at the same seed: equal bits, and no verdict."""
        theirs = other.runs()
        for key, runs in one.runs().items():
            compared = json.loads(one.shell(f"nephron compare {' '.join(runs + theirs[key])} --json"))
            (finding,) = compared["findings"]
            self.assertEqual((finding["difference"], finding["verdict"]), (0, "undecided"), key)


if __name__ == "__main__":
    main()
