"""nephron runs where something is damaged: one clear line each, and the rest goes on."""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time

from runs_fixture import RunsTest, a, main, made_runs


class DamagedRuns(RunsTest):
    def warned(self, *words):
        done = self.nephron("runs", "list", *words, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stderr.splitlines()
        return {row["id"]: row for row in json.loads(done.stdout)}, lines

    def test_torn_records_are_told_by_name_and_the_rest_is_read(self):
        good = self.make(number=1)
        for number, file, text in ((2, "environment.json", '{"started": "2026-01'), (3, "fold-0/done.json", '{"best_dice": "x"'),
                                   (4, "experiment.resolved.toml", "[train\nlr"), (5, "fold-0/slides.json", "[]"),
                                   (6, "fold-0/metrics.jsonl", 'no json "dice": 3\n')):
            run = self.make(number=number, finished=file != "fold-0/metrics.jsonl")
            made_runs.write(f"{run}/{file}", text)
            rows, lines = self.warned()
            mine = [line for line in lines if run in line]
            self.assertEqual(len(mine), 1, lines)
            self.assertIn(file, mine[0])
            self.assertIn(f"{number:06x}", rows)
            self.assertEqual(rows["000001"]["dice"], 0.9)
            shutil.rmtree(run)
        self.assertEqual(self.warned()[1], [])
        self.assertTrue(os.path.exists(good))

    def test_a_line_that_is_being_written_is_no_damage(self):
        run = self.make(number=1, finished=False, dice=0.5)
        with open(run + "/fold-0/metrics.jsonl", "a") as f:
            f.write('{"step": 21, "dice": 0.9')
        rows, lines = self.warned()
        self.assertEqual((rows["000001"]["dice"], lines), (0.5, []))
        made_runs.write(run + "/fold-0/metrics.jsonl", '{"step": 1')
        self.assertEqual(self.warned()[1], [])
        made_runs.write(run + "/fold-0/metrics.jsonl", "")
        self.assertEqual(self.warned()[1], [])

    def test_the_dice_is_found_far_from_the_end(self):
        run = self.make(number=1, finished=False, dice=0.625)
        with open(run + "/fold-0/metrics.jsonl", "a") as f:
            for step in range(21, 5000):
                f.write(json.dumps({"step": step, "epoch": 3, "loss": 0.5, "lr": 1e-3, "tiles_per_s": 20.0, "waited": 0.0}) + "\n")
        row = self.warned("--columns", "id,dice,steps")[0]["000001"]
        self.assertEqual((row["dice"], row["steps"]), (0.625, 4999))

    def test_the_dice_of_an_unfinished_run_is_its_best_so_far(self):
        run = self.make(number=1, finished=False, dice=0.625)
        line = {"step": 30, "epoch": 2, "dice": 0.5, "dice_glomerulus": 0.5, "best_dice": 0.75, "best_dice_glomerulus": 0.75}
        with open(run + "/fold-0/metrics.jsonl", "a") as f:
            f.write(json.dumps(line) + "\n")
        row = self.warned("--columns", "id,dice,dice.glomerulus,last_dice,fold.0.dice")[0]["000001"]
        self.assertEqual([row[key] for key in ("dice", "dice.glomerulus", "last_dice", "fold.0.dice")], [0.75, 0.75, 0.5, 0.75])

    def test_torn_labels(self):
        run = self.make(number=1)
        made_runs.write(run + "/labels.jsonl", '{"tag": "one"}\n{"tag": "to')
        self.nephron("runs", "tag", "000001", "three")
        rows, lines = self.warned("--columns", "id,tag")
        self.assertEqual(rows["000001"]["tag"], ["one", "three"])
        self.assertEqual(len(lines), 1)
        self.assertIn("labels.jsonl:2", lines[0])

    def test_names_that_no_terminal_should_see(self):
        made_runs.make_run(self.root, "two\nlines\x1b[31m", 1)
        done = self.nephron("runs", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        self.assertNotIn("\x1b", self.nephron("runs", "show", "000001").stdout)
        self.assertNotIn("\x1b", self.nephron("runs", "list", "--csv").stdout)
        self.assertNotIn("\x1b", self.nephron("runs", "rm", "000001").stdout)

    def test_json_holds_a_note_that_would_turn_a_line_round(self):
        made_runs.make_run(self.root, "unet", 1)
        self.good("runs", "note", "000001", "a \u202e note")
        (note,) = json.loads(self.good("runs", "show", "000001", "--json"))["notes"]
        self.assertEqual(note["text"], "a \u202e note")

    def test_an_id_twice(self):
        first = self.make("unet", number=1)
        second = os.path.join(self.root, "fpn", os.path.basename(first))
        shutil.copytree(first, second)
        error = self.refused("runs", "show", "000001")
        self.assertIn("several runs are called 000001", error)
        for run in (first, second):
            self.assertIn("  " + os.path.relpath(run, self.folder) + "\n", error)
        self.assertEqual(len(json.loads(self.good("runs", "list", "--json"))), 2)

    def test_a_clock_that_jumps(self):
        run = self.make(number=1, dice=0.5)
        os.utime(run, (2e9, 2e9))  # the clock was ahead
        self.listed()
        done = made_runs.done(0, 0.75)
        made_runs.write(run + "/fold-0/done.json", done)
        os.utime(run, (2e9, 2e9))
        self.assertEqual(self.listed()["000001"]["dice"], 0.75)
        later = self.make(number=2, started="2036-01-01T00:00:00+0100")
        self.assertTrue(os.path.exists(later))
        self.assertRegex(self.good("runs", "list"), r"in \d+ d|2036-01-01")


class DamagedIndex(RunsTest):
    def setUp(self):
        super().setUp()
        for number in (1, 2):
            self.make(number=number)
        self.listed()
        self.assertTrue(os.path.exists(self.index))

    def remove_index(self):
        for suffix in ("", "-wal", "-shm"):
            if os.path.isdir(self.index + suffix):
                shutil.rmtree(self.index + suffix)
            elif os.path.exists(self.index + suffix):
                os.remove(self.index + suffix)

    def test_it_is_made_anew_without_a_word(self):
        def garbage():
            self.remove_index()
            with open(self.index, "wb") as f:
                f.write(os.urandom(100000))

        def cut_short():
            self.remove_index()
            self.listed()
            sqlite3.connect(self.index).execute("PRAGMA wal_checkpoint(TRUNCATE)")
            os.truncate(self.index, os.path.getsize(self.index) // 2)

        def other_version():
            with sqlite3.connect(self.index) as other:
                other.execute("PRAGMA user_version = 77")
            other.close()

        def other_tables():
            self.remove_index()
            with sqlite3.connect(self.index) as other:
                other.execute("CREATE TABLE runs (x)")
                other.execute("PRAGMA user_version = 1")
            other.close()

        def scribbled():
            self.remove_index()
            self.listed()
            sqlite3.connect(self.index).execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with open(self.index, "r+b") as f:
                f.seek(4096)
                f.write(os.urandom(8 * 4096))

        for damage in (self.remove_index, garbage, cut_short, other_version, other_tables, scribbled):
            with self.subTest(damage.__name__):
                damage()
                for _ in range(2):
                    self.assertEqual(set(self.listed()), {"000001", "000002"})

    def test_each_page_of_it_may_be_damaged(self):
        """What lists, finds and names keys reads other pages than what looks for changes."""
        for number in range(3, 40):
            self.make(number=number)

        def answers():
            return [self.good("runs", "list", "dice>0", "--columns", "*", "--json"), self.good("runs", "keys"),
                    self.good("runs", "find", "--plugin", "resnet", "--json"),
                    self.good("runs", "page", "--out", "page.html", "--overwrite").splitlines()[0]]

        expected = answers()
        connection = sqlite3.connect(self.index)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        with open(self.index, "rb") as f:
            whole = f.read()
        size = int.from_bytes(whole[16:18], "big")
        pages = len(whole) // size
        self.assertGreater(pages, 20)
        for page in range(0, pages, max(1, pages // 12)):
            for fill in (b"\0", b"\xff"):
                with self.subTest(page=page, fill=fill):
                    self.remove_index()
                    with open(self.index, "wb") as f:
                        f.write(whole[:page * size] + fill * size + whole[(page + 1) * size:])
                    self.assertEqual(answers(), expected)

    def warned_once(self):
        done = self.nephron("runs", "list", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(json.loads(done.stdout)), 2)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("no index of runs is kept", done.stderr)
        self.assertIn(self.index, done.stderr)

    def test_a_folder_in_its_place(self):
        self.remove_index()
        os.makedirs(self.index)
        self.warned_once()

    def test_one_that_may_not_be_written(self):
        if os.geteuid() == 0:
            # Root may write anything but what is mounted to be read.
            if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
                self.skipTest("root may write anywhere, and may not mount here")
            script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
            done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", self.cache, a.nephron, "runs", "list", "--json"],
                                  capture_output=True, text=True, cwd=self.folder, env=self.environment)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn("no index of runs is kept", done.stderr)
            self.assertEqual(len(json.loads(done.stdout)), 2)
            return
        os.chmod(os.path.dirname(self.index), 0o500)
        os.chmod(self.index, 0o400)
        self.warned_once()

    def all_see(self, count):
        started = [subprocess.Popen([a.nephron, "runs", "list", "dice>0", "--json"], cwd=self.folder, env=self.environment,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(20)]
        said = [(process.communicate(timeout=120), process.returncode) for process in started]
        self.assertEqual([(code, error, len(json.loads(out or "[]"))) for (out, error), code in said], [(0, "", count)] * 20)

    def test_twenty_at_once(self):
        for number in range(3, 40):
            self.make(number=number, finished=number % 2 == 0)
        for _ in range(3):
            self.remove_index()
            self.all_see(39)

    def test_twenty_at_once_on_a_damaged_one(self):
        self.remove_index()
        with open(self.index, "wb") as f:
            f.write(os.urandom(100000))
        self.all_see(2)


if __name__ == "__main__":
    main()
