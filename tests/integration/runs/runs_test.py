"""nephron runs as a person uses it."""
import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import termios
import struct
import fcntl
import time

from runs_fixture import RunsTest, a, hold, main, made_runs


class Listing(RunsTest):
    def setUp(self):
        super().setUp()
        self.first = self.make(number=1, dice=0.80, lr=0.01)
        self.second = self.make(number=2, dice=0.91, lr=0.0001, encoder="efficientnet-b1")
        self.third = self.make("fpn", number=3, dice=0.85, folds=(0, 1), precision="bf16")

    def test_the_newest_comes_first(self):
        self.assertEqual(self.ids(), ["000003", "000002", "000001"])
        self.assertEqual(self.ids("--sort", "dice"), ["000001", "000003", "000002"])
        self.assertEqual(self.ids("--sort", "dice", "--desc", "-n", "1"), ["000002"])

    def test_a_dice_of_one_fold_is_told_from_means_of_several(self):
        head, *lines = self.good("runs", "list", "--sort", "dice").splitlines()
        self.assertRegex(head, "dice +folds ")
        self.assertRegex(lines[1], r"0\.8500 +0,1 ")
        self.assertIn("of one fold beside means of several", lines[-1])
        self.assertNotIn("of one fold beside", self.good("runs", "list"), "in the order of their age")
        self.assertNotIn("folds", self.good("runs", "list", "name=unet").splitlines()[0], "they are alike")
        self.assertNotIn("folds", self.good("runs", "list", "--columns", "id,dice").splitlines()[0])
        self.assertNotIn("folds", json.loads(self.good("runs", "list", "--json"))[0])

    def test_filters(self):
        for text, expected in (
                ("dice>0.82", ["000003", "000002"]),
                ("train.optimizer.lr<1e-3 and dice>0.9", ["000002"]),
                ("train.optimizer.lr=1e-2 or name=fpn", ["000003", "000001"]),
                ("not (name = unet)", ["000003"]),
                ("model.encoder.type ~ efficient", ["000002"]),
                ("train.deterministic = false and train.schedule.warmup = 5e-2", ["000003", "000002", "000001"]),
                ("versions.torch = 2.11.0 and user != berta", ["000003", "000002", "000001"]),
                ("fold.1.dice > 0", ["000003"]),
                ("not fold.1.dice > 0", []),  # what is not there is neither
                ("started > 2026-01-01T00:00:02 and 'name' = \"fpn\"", ["000003"]),
                ("status = finished and train.precision=bf16", ["000003"])):
            with self.subTest(text):
                self.assertEqual(self.ids(text), expected)

    def test_faults_of_filters_show_their_place(self):
        error = self.refused("runs", "list", "dice>0.9 and lr<1", code=2)
        self.assertIn('compares "lr", which no run has\n  dice>0.9 and lr<1\n               ^\n', error)
        self.assertIn('did you mean "train.optimizer.lr"?', error)
        for text, place, what in (("dice >", 6, "lacks a value"), ("(dice>1", 0, 'nothing closes'), ("dice", 4, "with nothing"),
                                  ("dice>1 name=x", 7, "goes on"), ("dice>1)", 6, "too many"), ("and", 3, "with nothing"),
                                  ("name='x", 5, "quote")):
            with self.subTest(text):
                error = self.refused("runs", "list", text, code=2)
                self.assertIn(f"\n  {text}\n  " + " " * place + "^\n", error)
                self.assertIn(what, error)
        self.assertIn("nested too deeply", self.refused("runs", "list", "(" * 5000, code=2))
        self.assertIn("--sort names \"dicee\"", self.refused("runs", "list", "--sort", "dicee", code=2))

    def test_what_finds_nothing_says_why(self):
        error = self.refused("runs", "list", "dice>0.1 and status=finishd", code=2)
        self.assertIn('asks for a status "finishd", which there is not\n  dice>0.1 and status=finishd\n' + " " * 22 + "^", error)
        self.assertIn('did you mean "finished"? there are running, finished, failed', error)
        self.refused("runs", "list", "not status != interupted", code=2)
        self.assertEqual(self.ids("status ~ inish"), ["000003", "000002", "000001"])
        self.assertIn("none of 3 runs in " + self.root, self.good("runs", "list", "status=killed"))
        for words in (("list",), ("list", "--json"), ("keys",), ("show", "000001"), ("find", "--slide", "one")):
            self.assertIn("--runs NOSUCH: there is no such folder", self.refused("runs", *words, "--runs", "NOSUCH", code=2))
        self.assertIn("--group-by names \"foo\", which no run has", self.refused("runs", "list", "--group-by", "foo", code=2))
        self.assertIn('no key contains "dise"; did you mean "dice"?', self.nephron("runs", "keys", "dise").stderr)

    def test_columns_and_groups(self):
        rows = self.listed("--columns", "id,train.batch,seconds")
        self.assertEqual(rows["000003"], {"id": "000003", "train.batch": 16, "seconds": 7200.0})
        self.assertIn("train.optimizer.lr", self.listed("--columns", "+train.optimizer.lr")["000001"])
        every = self.listed("--columns", "*")["000002"]
        self.assertGreater(len(every), 100)
        self.assertEqual((every["train.deterministic"], every["seed"], every["folds_done"]), (False, 42, 1))
        groups = json.loads(self.good("runs", "list", "--group-by", "name", "--columns", "dice", "--json"))
        self.assertEqual([(g["name"], g["runs"]) for g in groups], [("fpn", 1), ("unet", 2)])
        self.assertAlmostEqual(groups[1]["dice"], 0.855)
        self.assertAlmostEqual(groups[1]["dice_sd"], 0.0778, 4)
        self.assertAlmostEqual(groups[1]["dice_max"], 0.91)
        table = list(csv.DictReader(io.StringIO(self.good("runs", "list", "--csv", "--columns", "id,dice"))))
        self.assertEqual(table[0], {"id": "000003", "dice": "0.85"})

    def test_groups_of_different_folds_say_so(self):
        grouped = ("runs", "list", "name~fold", "--group-by", "name", "--columns", "dice")
        rows = lambda *more: json.loads(self.good(*grouped, *more, "--json"))
        self.make("fold-whole", number=0x11, folds=(0, 1, 2))
        for fold in (0, 1, 2):  # parts of one, which are a mean of the same
            self.make("fold-parts", number=0x20 + fold, folds=(fold,))
        self.assertTrue(all("folds" not in row for row in rows()), rows())
        self.assertNotIn("different folds", self.good(*grouped))
        self.assertEqual([row["folds"] for row in rows("--columns", "dice,folds")], ["0 | 1 | 2", "0,1,2"])
        self.make("fold-easy", number=0x31, folds=(1,))
        self.assertEqual({row["name"]: (row["runs"], row["folds"]) for row in rows()},
                         {"fold-whole": (1, "0,1,2"), "fold-parts": (3, "0 | 1 | 2"), "fold-easy": (1, "1")})
        self.assertIn("means over different folds", self.good(*grouped))
        self.make("fold-parts", number=0x24, folds=(2,))  # a fold that counts twice
        self.assertEqual([row["folds"] for row in rows() if row["name"] == "fold-parts"],
                         ["0 (1 run) | 1 (1 run) | 2 (2 runs)"])
        self.assertNotIn("different folds", self.good(*grouped[:4], "name,folds", *grouped[5:]))

    def test_a_table_fits_its_terminal(self):
        self.make("a-very-long-name-of-an-experiment-that-somebody-thought-of", number=4, dice=0.5)
        for width in (40, 64, 200):
            leader, follower = pty.openpty()
            fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
            done = subprocess.run([a.nephron, "runs", "list", "--columns", "+train.batch,model.encoder.type"], cwd=self.folder,
                                  env=self.environment, stdout=follower, stderr=subprocess.PIPE)
            os.close(follower)
            text = os.read(leader, 100000).decode().replace("\r\n", "\n")
            os.close(leader)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertTrue(all(len(line) <= width for line in text.splitlines()[:5]), text)
            self.assertIn("0.9100", text)
            self.assertEqual("no room for" in text, width < 100, text)

    def test_show(self):
        text = self.good("runs", "show", "000003")
        for part in ("finished, started", self.third, "0.8500", "tiles_per_s      21.5", "keys of the experiment"):
            self.assertIn(part, text)
        self.assertIn("train.optimizer.lr", self.good("runs", "show", "000003", "--all"))
        shown = json.loads(self.good("runs", "show", "fpn@latest", "--json"))
        self.assertEqual((shown["status"], shown["facts"]["folds_done"], shown["problems"]), ("finished", 2, []))

    def test_find(self):
        used = lambda *w: {r["id"]: r["used as"] for r in json.loads(self.good("runs", "find", *w, "--json"))}
        self.assertEqual(used("--slide", "three")["000003"], "held out, folds 0, 1")
        self.assertEqual(used("--slide", "one.png")["000001"], "trained on, fold 0")
        self.assertEqual(set(used("--plugin", "resnet34")), {"000001", "000002", "000003"})
        self.assertEqual(set(used("--plugin", "abababab")), {"000001", "000002", "000003"})
        self.assertEqual(used("--commit", "c0ffee1")["000001"], "of nephron")
        self.assertEqual(used("--slide", "nowhere"), {})
        self.make("child", number=9, env={"from": [{"fold": 0, "run": self.second, "from_fold": 0, "checkpoint": "best",
                                                    "step": 5, "weights": self.second + "/w", "sha256": "cd" * 32}]})
        for name in ("000002", self.second, "unet@best", "cdcdcdcd"):
            self.assertEqual(used("--weights", name), {"000009": "fold 0 began with them"}, name)
        self.refused("runs", "find", code=2)

    def test_names_of_runs(self):
        run_of = lambda name: json.loads(self.good("runs", "show", name, "--json"))["run"]
        for name, run in (("000001", self.first), ("unet@latest", self.second), ("unet@best", self.second),
                          (self.first, self.first), (os.path.basename(self.third), self.third), ("runs/fpn", self.third),
                          ("000003/fold-1", self.third)):
            self.assertEqual(run_of(name), run)
        self.assertIn("no run of unnet", self.refused("runs", "show", "unnet@best"))
        self.assertIn("no run of that name", self.refused("runs", "show", "ffffff"))
        self.make(number=4, dice=0.99, finished=False)
        self.assertEqual(run_of("unet@best"), self.second, "an unfinished run is the best")
        whole = self.make(number=5, dice=0.85, folds=(0, 1))
        said = self.nephron("runs", "show", "unet@best", "--json")
        self.assertEqual(json.loads(said.stdout)["run"], whole, "a run of one fold is no better than one of all")
        self.assertIn("that trained 2 folds, with a Dice of 0.85", said.stderr)
        self.assertIn("0.91", said.stderr)
        shutil.rmtree(whole)
        # Every command that takes a run goes through the same door.
        for words in (("config", "show", "unet@best"), ("config", "diff", "unet@best", "000002"), ("validate", "unet@best"),
                      ("view", "unet@best"), ("export", "unet@best", "--out", "x")):
            self.assertIn(self.second, self.nephron(*words).stderr, words)

    def test_several_roots(self):
        other = os.path.join(self.folder, "other")
        made_runs.make_run(other, "unet", 7, dice=0.7)
        self.assertEqual(set(self.listed("--runs", self.root, "--runs", other)), {"000001", "000002", "000003", "000007"})
        # A folder that is a root by itself, and lies in another one.
        self.assertEqual(set(self.listed("--runs", other + "/unet")), {"000007"})
        for _ in range(2):
            os.utime(other, (1.6e9, 1.6e9))
            self.assertEqual(set(self.listed("--runs", other)), {"000007"})
        self.environment["NEPHRON_RUNS"] = f"{other}:{self.root}"
        self.assertEqual(len(self.listed(cwd="/")), 4)
        self.assertEqual(set(self.listed("--runs", other)), {"000007"})
        self.assertEqual(json.loads(self.good("runs", "show", "unet@best", "--json"))["run"], self.second)

    def test_what_changes_is_noticed(self):
        self.listed()
        for number, dice in ((5, 0.5), (6, 0.6)):
            run = self.make(number=number, dice=dice, finished=False)
            self.assertAlmostEqual(self.listed()[f"{number:06x}"]["dice"], dice)
            with open(run + "/fold-0/metrics.jsonl", "a") as f:
                f.write('{"step": 21, "epoch": 2, "val_loss": 0.1, "dice": 0.77}\n')
            self.assertEqual(self.listed()[f"{number:06x}"]["dice"], 0.77)
        os.rename(self.second, self.second.replace("000002", "00000b"))
        self.assertEqual(set(self.listed()), {"000001", "00000b", "000003", "000005", "000006"})
        made_runs.write(self.third + "/validation/scores.json", {"slides": [1, 2], "values": [
            {"metric": "dice", "name": "dice", "class": "glomerulus", "value": 0.66}]})
        self.assertEqual(self.listed("--columns", "id,score.dice")["000003"]["score.dice"], 0.66)

    def test_half_a_run_becomes_one(self):
        run = self.make(number=8)
        os.rename(run + "/experiment.resolved.toml", run + "/later")
        self.assertNotIn("000008", self.listed())
        os.rename(run + "/later", run + "/experiment.resolved.toml")
        self.assertIn("000008", self.listed())


class Status(RunsTest):
    def status(self, number):
        row = self.listed("--columns", "*")[f"{number:06x}"]
        return row["status"], row.get("error")

    def test_every_one(self):
        self.make(number=1)
        running = self.make(number=2, finished=False)
        failed = self.make(number=3, finished=False)
        made_runs.write(failed + "/ended.json", {"session": 1, "how": "failed", "error": "the disk is full\nmore", "hint": "",
                                                 "at": ""})
        interrupted = self.make(number=4, finished=False)
        made_runs.write(interrupted + "/ended.json", {"session": 1, "how": "interrupted", "error": "", "hint": "", "at": ""})
        self.make(number=5, finished=False)
        self.make(number=6, finished=False, env=made_runs.environment(host="elsewhere"))
        self.make(number=7, finished=False, lock=False)
        self.make(number=8, finished=False, folds=(), env={"sessions": [], "folds": [0]})
        again = self.make(number=9, finished=False, env=made_runs.environment(sessions=2))
        made_runs.write(again + "/ended.json", {"session": 1, "how": "failed", "error": "of before", "hint": "", "at": ""})
        lock = hold(running)
        for _ in range(2):
            self.assertEqual([self.status(n) for n in range(1, 10)], [
                ("finished", None), ("running", None), ("failed", "the disk is full"), ("interrupted", None), ("killed", None),
                ("unknown", None), ("unknown", None), ("waiting", None), ("killed", None)])
        lock.close()
        self.assertEqual(self.status(2), ("killed", None))
        # One that stopped long ago, and is taken up again: nothing in its folder tells yet.
        os.utime(running, (1.6e9, 1.6e9))
        for _ in range(2):
            self.assertEqual(self.status(2), ("killed", None))
        with hold(running):
            self.assertEqual(self.status(2), ("running", None))
        self.assertEqual(self.ids("status=failed"), ["000003"])

    def test_asking_never_disturbs_a_run_that_starts(self):
        runs = [self.make(number=n, finished=False) for n in range(1, 5)]
        asks = subprocess.Popen(["sh", "-c", f"while :; do {a.nephron} runs list >/dev/null 2>&1; done"], cwd=self.folder,
                                env=self.environment, start_new_session=True)
        try:
            until = time.monotonic() + 3
            while time.monotonic() < until:
                for run in runs:
                    hold(run).close()  # throws where another one holds it
        finally:
            os.killpg(asks.pid, 9)
            asks.wait()


class Labels(RunsTest):
    def setUp(self):
        super().setUp()
        self.run_folder = self.make(number=1)
        self.make(number=2)
        self.listed()

    def test_tags_and_notes_are_lines_in_the_folder(self):
        self.assertIn("baseline good", self.good("runs", "tag", "000001", "good", "baseline"))
        self.good("runs", "note", "000001", "the one for the paper")
        row = self.listed("--columns", "id,tag,note")["000001"]
        self.assertEqual((row["tag"], row["note"]), (["baseline", "good"], "the one for the paper"))
        for text, expected in (("tag=good", ["000001"]), ("tag~base", ["000001"]), ("tag!=bad", ["000001"]), ("tag!=good", [])):
            self.assertEqual(self.ids(text), expected, text)
        self.good("runs", "tag", "000001", "good", "--remove")
        self.assertEqual(self.ids("tag=good"), [])
        self.assertEqual(self.ids("tag=baseline"), ["000001"])
        with open(self.run_folder + "/labels.jsonl") as f:
            lines = [json.loads(line) for line in f]
        self.assertEqual([set(line) & {"tag", "untag", "note"} for line in lines], [{"tag"}, {"tag"}, {"note"}, {"untag"}])
        self.assertIn("for the paper", self.good("runs", "show", "000001"))

    def test_bad_words_are_refused(self):
        self.assertIn("no tag", self.refused("runs", "tag", "000001", "two words", code=2))
        self.assertIn("no tag", self.refused("runs", "tag", "000001", "", code=2))
        self.assertIn("has no tag", self.refused("runs", "tag", "000001", "never", "--remove"))

    def test_of_others_runs_they_are_kept_for_oneself(self):
        if os.geteuid() == 0 and not self.become_nobody():
            self.skipTest("root may write anywhere, and cannot become another user here")
        done = self.nephron("runs", "tag", "000001", "mine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("kept for you alone", done.stderr)
        self.assertFalse(os.path.exists(self.run_folder + "/labels.jsonl"))
        self.assertEqual(self.ids("tag=mine"), ["000001"])
        # Wherever the folder of runs is moved, or its disk is mounted.
        moved = self.folder + "/moved"
        os.rename(self.root, moved)
        rows = json.loads(self.good("runs", "list", "tag=mine", "--runs", moved, "--json"))
        self.assertEqual([row["id"] for row in rows], ["000001"])

    def become_nobody(self):
        """Root gives the rest to another user, to whom the runs are others'."""
        original = self.nephron
        os.chmod(self.folder, 0o755)
        for folder in (self.cache, self.folder + "/data"):
            os.makedirs(folder, exist_ok=True)
            subprocess.run(["chown", "-R", "65534", folder], check=True)
        self.nephron = lambda *words, **more: original(*words, preexec_fn=lambda: (os.setgid(65534), os.setuid(65534)), **more)
        try:
            return self.nephron("--version").returncode == 0
        except (PermissionError, subprocess.SubprocessError):
            return False


class Trash(RunsTest):
    def test_there_and_back(self):
        run = self.make(number=1)
        self.make(number=2)
        self.assertIn("restore", self.good("runs", "rm", "000001"))
        self.assertFalse(os.path.exists(run))
        self.assertEqual(self.ids(), ["000002"])
        self.assertIn("000001", self.good("runs", "restore"))
        self.assertIn("is back", self.good("runs", "restore", "000001"))
        self.assertTrue(os.path.exists(run + "/experiment.resolved.toml"))
        self.assertEqual(self.ids(), ["000002", "000001"])
        self.assertIn("no run", self.refused("runs", "restore", "000001"))
        self.assertIn("empty", self.good("runs", "restore"))

    def test_what_a_sweep_stands_on_stays_unless_anyway(self):
        run = self.make(number=1)
        made_runs.write(run + "/sweep.json", {"sweep": "lr-sweep", "trial": 3, "rung": 0, "confirms": False})
        self.good("runs", "list")
        made_runs.write(os.path.dirname(run) + "/plan.json", {})
        said = self.refused("runs", "rm", "000001")
        self.assertIn("trial 3 of the sweep lr-sweep", said)
        self.assertTrue(os.path.exists(run))
        self.good("runs", "rm", "000001", "--anyway")
        self.assertFalse(os.path.exists(run))

    def test_what_runs_or_has_heirs_stays(self):
        running, parent = self.make(number=1, finished=False), self.make(number=2)
        child = self.make("child", number=3, env={"from": [
            {"fold": 0, "run": parent, "from_fold": 0, "checkpoint": "best", "step": 5, "weights": parent + "/w",
             "sha256": "cd" * 32}]})
        # By way of a link, the run has another name, and its weights their own.
        os.symlink(self.root, os.path.join(self.folder, "link"))
        grandparent = self.make(number=4)
        self.make("child", number=5, env={"from": [
            {"fold": 0, "run": grandparent.replace("/runs/", "/link/"), "from_fold": 0, "checkpoint": "best", "step": 5,
             "weights": grandparent + "/fold-0/checkpoints/step-5/weights.safetensors", "sha256": "ce" * 32}]})
        self.assertIn("began with its weights", self.refused("runs", "rm", "link/unet/" + os.path.basename(grandparent)))
        self.good("runs", "rm", "000005", "000004")
        with hold(running):
            done = self.nephron("runs", "rm", "000001", "000002", "ffffff")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it is running", done.stderr)
        self.assertIn(f"stays: {child} began with its weights", done.stderr)
        self.assertIn("no run of that name", done.stderr)
        self.assertTrue(os.path.exists(running) and os.path.exists(parent))
        self.good("runs", "rm", "000003")
        self.good("runs", "rm", "000002", "000001")
        self.assertIn("no runs in", self.good("runs", "list"))

    def test_a_place_that_is_taken(self):
        run = self.make(number=1)
        self.good("runs", "rm", "000001")
        trashed = self.good("runs", "restore").strip()
        self.assertIn("is back", self.good("runs", "restore", os.path.join(self.folder, trashed), cwd="/"))
        self.good("runs", "rm", "000001")
        self.make(number=1)
        self.assertIn("is there already", self.refused("runs", "restore", "000001"))
        self.assertIn("is there already", self.refused("runs", "rm", run))


class Top(RunsTest):
    def running(self, number, seconds=0.0, **more):
        """A run whose lock a child of this test holds, which works and sleeps."""
        run = self.make(number=number, finished=False, **more)
        code = ("import sys, time; sys.path.insert(0, sys.argv[1])\nimport fcntl, os, struct\n"
                "f = open(sys.argv[2], 'r+'); fcntl.fcntl(f, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))\n"
                "f.truncate(); f.write(f'process {os.getpid()} on {os.uname().nodename}\\n'); f.flush(); print(flush=True)\n"
                "x = bytearray(50 << 20)\nwhile True: time.sleep(10)")
        child = subprocess.Popen(["python3", "-c", code, ".", run + "/.lock"], stdout=subprocess.PIPE)
        self.addCleanup(lambda: (child.kill(), child.wait(), child.stdout.close()))
        child.stdout.readline()
        return child

    def test_once(self):
        self.make(number=1)
        self.assertIn("nothing runs", self.good("top", "--once"))
        self.running(2, steps=312, dice=0.5)
        self.running(3, steps=312, folds=(0, 1))
        rows = {row["id"]: row for row in json.loads(self.good("top", "--once", "--json"))}
        self.assertEqual(set(rows), {"000002", "000003"})
        one = rows["000002"]
        self.assertEqual((one["progress"], one["user"], one["dice"], one["waited"]), (0.025, "anna", 0.5, 0.01))
        self.assertEqual(one["eta"], round(39 * 312 * 16 / 20))
        self.assertAlmostEqual(rows["000003"]["eta"], 2 * one["eta"], delta=1)
        self.assertGreater(one["memory_mb"], 50)
        self.assertLess(one["cpu"], 0.5)
        text = self.good("top", "--once")
        for part in ("2.5 %", "1.0 %", "2 h 42 min"):
            self.assertIn(part, text)

    def test_memory_on_a_gpu_is_that_of_its_processes(self):
        """As a driver that is made up tells it."""
        on_gpu, not_there = self.running(2, steps=312), self.running(3, steps=312)
        os.mkdir(self.folder + "/driver")
        os.symlink(a.nvml, self.folder + "/driver/libnvidia-ml.so.1")
        self.environment.update(LD_LIBRARY_PATH=self.folder + "/driver", NEPHRON_FAKE_NVML_PID=str(on_gpu.pid))
        rows = {row["id"]: row for row in json.loads(self.good("top", "--once", "--json"))}
        self.assertEqual(rows["000002"]["gpu_mb"], 512)
        self.assertNotIn("gpu_mb", rows["000003"], not_there.pid)

    def test_fifty_runs_cost_little(self):
        for number in range(1, 51):
            run = self.make(number=number, finished=False, steps=2000)
            self.addCleanup(hold(run).close)
        self.assertEqual(len(json.loads(self.good("top", "--once", "--json"))), 50)
        child = subprocess.Popen([a.nephron, "top"], cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL)
        self.addCleanup(lambda: (child.kill(), child.wait()))

        def used():
            with open(f"/proc/{child.pid}/stat") as f:
                words = f.read().rsplit(")", 1)[1].split()
            return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

        time.sleep(3)
        before, began = used(), time.monotonic()
        time.sleep(12)
        share = (used() - before) / (time.monotonic() - began)
        self.assertLess(share, 0.02, "of a core")

    def test_ctrl_c_ends_it_well(self):
        self.running(1)
        top = subprocess.Popen([a.nephron, "top", "--every", "0.5"], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                               text=True)
        self.assertIn("progress", top.stdout.readline())
        top.send_signal(2)
        top.communicate(timeout=60)
        self.assertEqual(top.returncode, 0)


if __name__ == "__main__":
    main()
