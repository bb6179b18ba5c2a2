"""The page of `nephron compare` in headless Chromium, light and dark, wide and narrow."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../view"), os.path.join(HERE, "../../support")]
import browser  # noqa: E402
from given import arguments  # noqa: E402
from measured_runs import Cohort, run  # noqa: E402

browser.need()
a, rest = arguments()


class Page(unittest.TestCase):
    def test_is_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            cohort = Cohort(classes=("glomerulus", "tubule"))
            names = ("unet", "a name that is much longer than any column would like it to be", "linknet")
            runs = [run(f"{folder}/{i}/20260131-120000-{i}", cohort, name=name, gain=.003 * i) for i, name in enumerate(names)]
            subprocess.run([a.nephron, "compare", *runs, "--margin", "0.02", "--out", f"{folder}/page.html"], check=True,
                           stdout=subprocess.DEVNULL)
            for width, dark in ((1240, False), (1240, True), (420, False)):
                driver = browser.start(width, 900, dark)
                try:
                    driver.get(f"file://{folder}/page.html")
                    self.look(driver, dark)
                finally:
                    driver.quit()

    def look(self, driver, dark):
        self.assertEqual(driver.get_log("browser"), [])
        self.assertLessEqual(driver.execute_script("return document.documentElement.scrollWidth - innerWidth"), 0)
        # Forest, two slopes, power, cost.
        self.assertEqual(driver.execute_script("return document.querySelectorAll('svg').length"), 5)
        beyond = driver.execute_script("""
          return [...document.querySelectorAll('svg text')].filter(t => {
            const a = t.getBoundingClientRect(), b = t.closest('svg').getBoundingClientRect();
            return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
          }).map(t => t.textContent)""")
        self.assertEqual(beyond, [], "text that is cut off")
        ink = driver.execute_script("return getComputedStyle(document.body).color")
        self.assertEqual(int(ink.split("(")[1].split(",")[0]) > 128, dark, ink)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
