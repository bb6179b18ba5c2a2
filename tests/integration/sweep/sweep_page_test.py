"""The page of a sweep in headless Chromium, light and dark, wide and narrow; of runs that are made as a training leaves them."""
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../view"), os.path.join(HERE, "../../support")]
import browser  # noqa: E402
from given import arguments  # noqa: E402

browser.need()
a, rest = arguments("--tiny")

ENCODERS = ['{ type = "resnet34" }', '{ type = "efficientnet-b1" }', '{ type = "<script>alert(1)</script> of a long name" }']


def make_sweep(folder, trials=27):
    """Halving of made-up trials, one of which failed."""
    rng = random.Random(1)
    settings = [{"train.optimizer.lr": f"{10 ** rng.uniform(-4, -2):.6g}", "model.encoder": rng.choice(ENCODERS),
                 "train.optimizer.weight_decay": f"{rng.uniform(0, 0.1):.4g}", "train.batch": str(rng.choice([4, 8, 16]))}
                for _ in range(trials)]
    plan = {"name": "made-sweep", "method": "halving", "score": "best", "started": "20260131-120000", "digest": "d", "seed": 42,
            "seeds": [1, 2, 3], "folds": [0], "eta": 3, "threads": 0, "rungs": [4, 12, 40], "confirm": None,
            "axes": [{"key": k, "log": k.endswith("lr")} for k in settings[0]],
            "trials": [{"epochs": 40, "settings": s} for s in settings]}
    with open(f"{folder}/plan.json", "w") as f:
        json.dump(plan, f)
    status = json.loads(subprocess.run([a.nephron, "sweep", "status", folder, "--json"], check=True, capture_output=True).stdout)
    for number, trial in enumerate(status["trials"]):
        epochs = 40 if number % 9 == 0 else 12 if number % 3 == 0 else 4
        for run in trial["runs"]:
            os.makedirs(run["run"] + "/fold-0")
            open(run["run"] + "/experiment.resolved.toml", "w").close()
            with open(run["run"] + "/fold-0/metrics.jsonl", "w") as f:
                for epoch in range(epochs):
                    dice = 0.9 - 0.01 * (number % 11) - 0.5 / (epoch + 2) + rng.gauss(0, 0.004)
                    print(json.dumps({"step": epoch + 1, "epoch": epoch, "dice": dice, "seconds": 1.0}), file=f)
            if epochs == 40:
                with open(run["run"] + "/fold-0/done.json", "w") as f:
                    f.write("{}")
    work = f"{folder}/work/" + os.path.basename(status["trials"][5]["runs"][1]["run"])
    os.makedirs(work)
    with open(work + "/failed.json", "w") as f:
        json.dump({"error": "the loss is NaN at step 12 of fold 0: <b>dice</b>, " + "and much more " * 20, "hint": ""}, f)


class Page(unittest.TestCase):
    def test_is_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            make_sweep(folder)
            subprocess.run([a.nephron, "sweep", "page", folder, "--out", f"{folder}/page.html"], check=True, stdout=subprocess.DEVNULL)
            for width, dark in ((1240, False), (1240, True), (420, False)):
                driver = browser.start(width, 900, dark)
                try:
                    driver.get(f"file://{folder}/page.html")
                    self.look(driver, dark)
                    if os.environ.get("NEPHRON_PICTURES"):
                        driver.save_screenshot(f"{os.environ['NEPHRON_PICTURES']}/sweep-{width}-{'dark' if dark else 'light'}.png")
                finally:
                    driver.quit()

    def look(self, driver, dark):
        self.assertEqual(driver.get_log("browser"), [])
        self.assertLessEqual(driver.execute_script("return document.documentElement.scrollWidth - innerWidth"), 0)
        self.assertEqual(driver.execute_script("return document.querySelectorAll('svg').length"), 2)
        self.assertEqual(driver.execute_script("return document.querySelectorAll('polyline title').length"), 27)
        beyond = driver.execute_script("""
          return [...document.querySelectorAll('svg text')].filter(t => {
            const a = t.getBoundingClientRect(), b = t.closest('svg').getBoundingClientRect();
            return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
          }).map(t => t.textContent)""")
        self.assertEqual(beyond, [], "text that is cut off")
        ink = driver.execute_script("return getComputedStyle(document.body).color")
        self.assertEqual(int(ink.split("(")[1].split(",")[0]) > 128, dark, ink)
        self.assertIn("too good: by ", driver.execute_script("return document.body.textContent"))
        # Sorted by the last rung: the greatest first, what has none stays last.
        driver.execute_script("document.querySelectorAll('.sortable th')[4].click()")
        column = driver.execute_script("return [...document.querySelectorAll('.sortable tbody tr')].map(r => r.cells[4].textContent)")
        known = [float(c) for c in column if c != "–"]
        self.assertEqual(len(known), 3)
        self.assertEqual(known, sorted(known, reverse=True))
        self.assertEqual(column[3:], ["–"] * 24)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
