"""The page of runs in headless Chromium, opened from disk: it sorts, filters, lays curves over each other, light and
dark. NEPHRON_SHOTS=FOLDER keeps pictures."""
import base64
import json
import math
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../view"))
import browser  # noqa: E402

browser.need()
from runs_fixture import RunsTest, a, made_runs, rest  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

HOSTILE = "<img src=x onerror=\"document.title='taken'\"></script><script>document.title='taken'</script>"


def write_curves(run, fold, best, noise):
    with open(f"{run}/fold-{fold}/metrics.jsonl", "w") as out:
        for step in range(1, 401):
            out.write(json.dumps({"step": step, "epoch": (step - 1) // 10, "loss": 0.7 * math.exp(-step / 150) + noise,
                                  "lr": 1e-3}) + "\n")
            if step % 10 == 0:
                dice = best * (1 - math.exp(-step / 90)) + noise * math.sin(step / 25)
                out.write(json.dumps({"step": step, "epoch": step // 10 - 1, "train_loss": 0.2, "val_loss": 1 - dice,
                                      "dice": dice}) + "\n")


class Page(RunsTest):
    def setUp(self):
        super().setUp()
        number = 0
        for encoder, best in (("resnet34", 0.84), ("efficientnet-b1", 0.88), ("convnext-tiny", 0.9)):
            for seed in (1, 2, 3):
                number += 1
                run = self.make("unet", number, dice=best + seed / 500, encoder=encoder, seed=seed)
                write_curves(run, 0, best + seed / 500, seed / 100)
        several = self.make("folds", 20, dice=0.8, folds=(0, 1), lr=0.002)
        for fold in (0, 1):
            write_curves(several, fold, 0.7 + fold / 10, 0.01)
        self.make("nothing yet", 21, finished=False, folds=(), lr=0.003)
        hostile = self.make("hostile", 22, dice=0.5)
        made_runs.write(f"{hostile}/experiment.resolved.toml", made_runs.resolved("x", lr=0.004).replace('name = "x"', f"name = '''{HOSTILE}'''"))
        made_runs.write(f"{several}/report.html", "<title>the report</title>")
        self.good("runs", "page", "--out", "page.html", "--sort", "id")
        self.driver = browser.start(1440, 1000)
        self.addCleanup(self.driver.quit)
        self.driver.get(f"file://{self.folder}/page.html")

    def tearDown(self):
        faults = [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual(faults, [], "the console has errors")
        self.assertEqual(self.driver.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)"), [])
        super().tearDown()

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def column(self, name):
        return self.driver.execute_script(
            "const n = [...document.querySelectorAll('.runs th')].findIndex((h) => h.textContent === arguments[0]);"
            "return [...document.querySelectorAll('.runs tbody tr')].map((r) => r.cells[n].textContent)", name)

    def head(self, name):
        return next(h for h in self.all(".runs th") if h.text == name)

    def filter(self, text):
        field = self.all(".tools > input")[0]
        field.send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE)
        field.send_keys(text)

    def lines(self, card=0):
        return self.driver.execute_script(
            "return [...document.querySelectorAll('.charts .card')[arguments[0]].querySelectorAll('.line')].length", card)

    def bands(self):
        return self.driver.execute_script("return document.querySelector('.charts .card').querySelectorAll('.band').length")

    def keep(self, name):
        if folder := os.environ.get("NEPHRON_SHOTS"):
            os.makedirs(folder, exist_ok=True)
            shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
            with open(os.path.join(folder, name), "wb") as out:
                out.write(base64.b64decode(shot))

    def untick(self):
        next(b for b in self.all(".tools button") if b.text == "Untick all").click()

    def tick(self, *ids):
        for box in self.all(".runs tbody input"):
            if box.get_attribute("aria-label").split()[-1] in ids:
                box.click()

    def test_sorts_and_filters(self):
        self.assertEqual(self.column("id")[:3], ["000001", "000002", "000003"])
        self.assertEqual(self.head("id").get_attribute("aria-sort"), "ascending")
        self.head("dice").click()  # figures from the greatest on, what is not known last
        self.assertEqual(self.column("dice")[:2] + self.column("dice")[-1:], ["0.9060", "0.9040", ""])
        self.head("dice").click()
        self.assertEqual(self.column("dice")[0], "0.5000")
        self.assertEqual(self.column("dice")[-1], "")
        self.head("name").send_keys(Keys.ENTER)
        self.assertEqual(self.column("name")[0], HOSTILE)
        self.filter("dice>0.87 and not model.encoder.type ~ conv")
        self.assertEqual(set(self.column("id")), {"000004", "000005", "000006"})
        self.filter("UNET 2")
        self.assertIn("000002", self.column("id"))
        self.assertTrue(all(name == "unet" for name in self.column("name")))
        self.filter("dcie>0.8")
        said = self.all(".said")[0]
        self.assertIn("no run here has \"dcie\"", said.text)
        self.assertIn("fault", said.get_attribute("class"))
        self.filter("(dice>0.8 or tag=x) and seed=2")
        self.assertEqual(set(self.column("id")), {"000002", "000005", "000008"})
        self.assertIn("3 of 12 runs", said.text)

    def test_ticked_runs_are_laid_over_each_other(self):
        self.assertEqual((self.lines(), self.bands()), (1, 1), "the first three are seeds of one recipe")
        self.keep("runs-light.png")
        self.untick()
        self.assertEqual(self.lines(), 0)
        self.tick("000001", "000004", "000005", "000014")
        self.assertEqual((self.lines(), self.bands()), (3, 2))  # two seeds, two folds, and one run alone
        names = [b.text for b in self.all(".lines button")]
        self.assertEqual(len(names), 3)
        self.assertIn("unet · 2 seeds, model.encoder.type = efficientnet-b1", names[1])
        self.assertIn("unet 000001, model.encoder.type = resnet34", names[0])
        self.assertEqual(len({self.driver.execute_script("return arguments[0].querySelector('path').style.stroke", b)
                              for b in self.all(".lines button")}), 3)
        label = next(l for l in self.all(".tools label") if l.text == "seeds as one line")
        label.click()
        self.assertEqual((self.lines(), self.bands()), (4, 1))
        label.click()
        next(b for b in self.all(".runs td button")).click()  # the other seeds of 000001
        self.assertEqual((self.lines(), self.bands()), (3, 3))
        self.assertIn("3 seeds", self.all(".lines button")[0].text)
        self.assertIn("6 ticked", self.all(".said")[0].text)
        self.keep("runs-overlaid.png")
        self.all(".lines button")[2].click()  # takes it out
        self.assertEqual(self.lines(), 2)

    def test_a_line_tells_what_it_is(self):
        svg = self.all(".chart")[0]
        path = self.driver.execute_script(
            "const p = document.querySelector('.chart .line'), at = p.getPointAtLength(p.getTotalLength() / 2),"
            " m = p.getScreenCTM(); return [at.x * m.a + m.e, at.y * m.d + m.f]")
        self.driver.execute_script("arguments[0].dispatchEvent(new MouseEvent('mousemove', {clientX: arguments[1], clientY: "
                                   "arguments[2], bubbles: true}))", svg, *path)
        tip = self.all(".tip")[0]
        self.assertRegex(tip.text, r"^unet · 3 seeds: 0\.\d+ at epoch \d")
        next(l for l in self.all(".tools label") if l.text == "over epochs").click()
        ends = self.driver.execute_script("return [...document.querySelectorAll('.chart text')].map((t) => t.textContent)")
        self.assertIn("optimiser step", ends)
        self.assertIn("400", ends)

    def test_columns_are_chosen(self):
        self.all(".choose summary")[0].click()
        self.all(".choose .box > input")[0].send_keys("optimizer")
        labels = {l.text: l for l in self.all(".choose .all label")}
        self.assertIn("train.optimizer.lr", labels)
        labels["train.optimizer.lr"].click()
        self.assertEqual(self.column("train.optimizer.lr")[0], "0.001")
        self.keep("runs-columns.png")
        labels["train.optimizer.lr"].click()
        self.assertNotIn("train.optimizer.lr", [h.text for h in self.all(".runs th")])

    def test_names_are_text_and_reports_are_linked(self):
        self.assertIn(HOSTILE, self.column("name"))
        self.untick()
        self.tick("000016")
        self.assertIn(HOSTILE, self.all(".lines button")[0].text)
        self.assertEqual(self.driver.title, "Runs")
        self.assertEqual(self.all(".runs img"), [])
        links = self.all(".runs a")
        self.assertEqual(len(links), 1)
        links[0].click()
        self.assertEqual(self.driver.title, "the report")

    def test_dark_and_narrow(self):
        colours = set()
        for width, dark in ((1440, False), (1440, True), (420, True)):
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                        {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
            colours.add(self.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
            self.assertLessEqual(self.driver.execute_script("return document.documentElement.scrollWidth - innerWidth"), 0)
            self.keep(f"runs-{'dark' if dark else 'light'}-{width}.png")
        self.assertEqual(len(colours), 2)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
