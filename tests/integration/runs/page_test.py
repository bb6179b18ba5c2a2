"""nephron runs page: the file that it writes. What the page does is page_browser_test.py's."""
import json
import os
import re

from runs_fixture import RunsTest, main, made_runs


def data_of(path):
    with open(path) as page:
        return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read(), re.DOTALL)[1])


def column(data, name):
    key = next(key for key in data["keys"] if key["key"] == name)
    runs = range(len(data["recipes"]))
    if "all" in key:
        return [key["all"] for _ in runs]
    return key["values"] if "values" in key else [None if at < 0 else key["texts"][at] for at in key["at"]]


class Page(RunsTest):
    def setUp(self):
        super().setUp()
        os.mkdir(f"{self.folder}/out")

    def page(self, *words):
        said = self.good("runs", "page", *words, "--out", "out/page.html", "--overwrite")
        return data_of(f"{self.folder}/out/page.html"), said

    def test_holds_what_the_list_shows(self):
        for number in range(1, 5):
            self.make(number=number, dice=0.5 + 0.1 * number, lr=0.01 if number < 3 else 0.02, seed=number)
        data, said = self.page("dice > 0.65", "--columns", "id,train.optimizer.lr,dice", "--sort", "dice", "--desc")
        self.assertRegex(said, r"^\S+/out/page.html\n3 runs, curves of 3, 0\.\d+ MB\n$")
        self.assertEqual(column(data, "id"), ["000004", "000003", "000002"])
        self.assertEqual(data["columns"], ["id", "train.optimizer.lr", "dice"])
        self.assertEqual((data["sort"], data["descending"]), ("dice", True))
        # Every other key is there to be chosen, and which keys tell recipes apart.
        self.assertEqual(column(data, "train.epochs"), [40, 40, 40])
        recipe = {key["key"] for key in data["keys"] if key.get("recipe")}
        self.assertLessEqual({"train.optimizer.lr", "train.epochs"}, recipe)
        self.assertFalse(recipe & {"seed", "name", "dice", "status", "user"})
        # 3 and 4 differ in their seed alone.
        self.assertEqual(data["recipes"][0], data["recipes"][1])
        self.assertNotEqual(data["recipes"][0], data["recipes"][2])

    def test_curves(self):
        run = self.make(folds=(0, 1), steps=20)
        for fold, height in ((0, 0.6), (1, 0.8)):
            with open(f"{run}/fold-{fold}/metrics.jsonl", "w") as out:
                for epoch in range(300):
                    out.write(json.dumps({"step": 10 * epoch + 5, "epoch": epoch, "loss": 1.0, "lr": 0.1}) + "\n")
                    out.write(json.dumps({"step": 10 * (epoch + 1), "epoch": epoch, "train_loss": 1.0, "val_loss": 0.5,
                                          "dice": height}) + "\n")
                out.write('{"step": 3001, "lo')  # a torn last line is none
        self.make(number=2, finished=False, steps=20)
        data, _ = self.page("--sort", "id")
        dice, val_loss, loss = data["curves"][0]
        self.assertEqual(data["per_epoch"], [10, 10])
        self.assertEqual(data["titles"], ["Validation Dice", "Loss of validation", "Loss of training"])
        self.assertTrue(len(dice["x"]) == len(dice["y"]) == len(dice["low"]) == len(dice["high"]) == 120, "not thinned")
        self.assertAlmostEqual(dice["y"][100], 0.7)
        self.assertEqual((dice["low"][7], dice["high"][7]), (0.6, 0.8))
        self.assertEqual(set(val_loss["y"]), {0.5})
        self.assertEqual(set(loss["y"]), {1})
        self.assertNotIn("low", data["curves"][1][0], "one fold has no band")
        self.assertEqual(data["curves"][1][0], {"x": [20], "y": [0.9]})
        data, said = self.page("--curves", "lr,nothing")
        self.assertEqual([curve is None for curve in data["curves"][0]], [False, True])

    def test_names_are_text(self):
        hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!--"
        run = self.make()
        made_runs.write(f"{run}/experiment.resolved.toml", made_runs.resolved(hostile))
        self.good("runs", "note", "000001", "<b>\"bold\"</b> & '\u2028")
        self.assertEqual(column(self.page(f"name ~ '<script'")[0], "name"), [hostile])
        with open(f"{self.folder}/out/page.html") as page:
            text = page.read()
        self.assertEqual(re.findall(r"<script[^>]*>", text), ['<script type="application/json" id="data">', "<script>"])
        self.assertNotIn("<img", text)
        self.assertIn("default-src 'none'", text)
        self.assertNotRegex(text, r"https?://(?!www\.w3\.org/2000/svg)")

    def test_links_to_reports(self):
        first, second = self.make("a b#c", number=1), self.make(number=2)
        made_runs.write(f"{first}/report.html", "<html></html>")
        data, _ = self.page("--sort", "id")
        self.assertEqual(data["reports"], [f"./../runs/a%20b%23c/{os.path.basename(first)}/report.html", None])
        self.assertTrue(second)

    def test_damaged_curves_are_told(self):
        run = self.make(number=1)
        self.make(number=2)
        path = f"{run}/fold-0/metrics.jsonl"
        with open(path) as lines:
            text = lines.read().splitlines(keepends=True)
        with open(path, "w") as out:
            out.writelines(text[:4] + ["{\x1b[31m\n"] + text[5:])
        done = self.nephron("runs", "page", "--out", "page.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("fold-0/metrics.jsonl:5", done.stderr)
        self.assertIn("its curves are left out", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        self.assertIn("2 runs, curves of 1", done.stdout)
        self.assertEqual(data_of(f"{self.folder}/page.html")["curves"].count([]) +
                         data_of(f"{self.folder}/page.html")["curves"].count([None] * 3), 1)

    def test_refusals(self):
        self.assertIn("no runs in", self.refused("runs", "page", "--out", "page.html"))
        self.make()
        self.assertIn("matches: no page is written", self.refused("runs", "page", "dice>1", "--out", "page.html"))
        self.assertIn("ends in .html", self.refused("runs", "page", "--out", "page.svg", code=2))
        self.assertIn("--sort names", self.refused("runs", "page", "--sort", "lrr", "--out", "page.html", code=2))
        self.assertFalse(os.path.exists(f"{self.folder}/page.html"))
        self.page()
        self.assertIn("--overwrite", self.refused("runs", "page", "--out", "out/page.html"))

    def test_many_long_curves_keep_within_its_size(self):
        names = [f"figure_{i}" for i in range(20)]
        lines = "".join(json.dumps({"step": 10 * (e + 1), "epoch": e, "train_loss": 0.1234567 + e,
                                    **{name: (1.2345678 + i) / (e + 1) for i, name in enumerate(names)}}) + "\n"
                        for e in range(130))
        first = self.make(folds=(0, 1), keys=30)
        for fold in (0, 1):
            made_runs.write(f"{first}/fold-{fold}/metrics.jsonl", lines)
        # Links: what is tested is the size, not the disk.
        for number in range(2, 301):
            run = self.make(number=number, folds=(), keys=30)
            for fold in (0, 1):
                os.symlink(f"{first}/fold-{fold}", f"{run}/fold-{fold}")
        done = self.nephron("runs", "page", "--curves", ",".join(names), "--out", "out/page.html")  # says how far it is
        self.assertEqual(done.returncode, 0, done.stderr)
        data, size = data_of(f"{self.folder}/out/page.html"), os.path.getsize(f"{self.folder}/out/page.html")
        self.assertLess(size, 15_000_000)
        self.assertGreater(size, 8_000_000, "points are thrown away without need")
        self.assertIn("300 runs, curves of 300", done.stdout)
        self.assertEqual(len(data["curves"]), 300)


main()
