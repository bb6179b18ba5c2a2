"""The report's page in headless Chromium, opened from disk: light, dark and printed; tables sort, places lead to a
viewer, nothing is asked of a network, nothing is wrong in the console. NEPHRON_SHOTS=FOLDER keeps pictures."""
import base64
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../support"), os.path.join(HERE, "../view")]
import browser  # noqa: E402
import made_run  # noqa: E402
import viewed  # noqa: E402
from given import arguments  # noqa: E402

a, rest = arguments()
browser.need()
from selenium.webdriver.common.by import By  # noqa: E402


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        cls.run_folder = made_run.make(cls.folder, a.nephron)
        viewed.make(f"{cls.folder}/predicted")
        subprocess.run([a.nephron, "report", cls.run_folder, "--predictions", f"{cls.folder}/predicted/run-a", "--out",
                        f"{cls.folder}/report.html"], check=True, capture_output=True, timeout=120)
        cls.driver = browser.start(1280, 900)

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        cls.scratch.cleanup()

    def setUp(self):
        self.dark(False)
        self.driver.get(f"file://{self.folder}/report.html")

    def tearDown(self):
        faults = [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual(faults, [], "the console has errors")
        self.assertEqual(self.driver.execute_script("return performance.getEntriesByType('resource').filter((e) => "
                                                    "!e.name.startsWith('data:')).map((e) => e.name)"), [])

    def dark(self, on):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if on else "light"}]})

    def keep(self, name, data):
        if folder := os.environ.get("NEPHRON_SHOTS"):
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, name), "wb") as out:
                out.write(base64.b64decode(data))

    def whole(self, name):
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {
            "x": 0, "y": 0, "width": 1280, "height": height, "scale": 1}})
        self.keep(name, shot["data"])

    def test_light_dark_and_printed(self):
        colours = []
        for dark in (False, True):
            self.dark(dark)
            colours.append(self.driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
            self.whole("report-dark.png" if dark else "report-light.png")
        self.assertNotEqual(*colours)
        self.dark(True)  # paper is white whatever the screen is
        printed = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        self.keep("report.pdf", printed["data"])
        self.assertTrue(base64.b64decode(printed["data"]).startswith(b"%PDF"))
        wide = self.driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
        self.assertLessEqual(wide, 0, "the page is wider than its window")

    def test_tables_sort(self):
        def column(n):
            return self.driver.execute_script(
                "return [...document.querySelectorAll('.sortable tbody tr')].map((r) => r.cells[arguments[0]].textContent)", n)
        head = self.driver.find_elements(By.CSS_SELECTOR, ".sortable th")
        self.assertEqual([h.text for h in head], ["slide", "dataset", "fold", "dice", "ece"])
        self.assertEqual(column(3), ["0.9000", "0.7000"])
        head[3].click()
        self.assertEqual(column(3), ["0.9000", "0.7000"])  # figures from the largest on
        head[3].click()
        self.assertEqual(column(3), ["0.7000", "0.9000"])
        self.assertEqual(head[3].get_attribute("aria-sort"), "ascending")
        for _ in range(2):
            head[4].click()
            self.assertEqual(column(4), ["0.0125", "–"])  # what is not known stays last
        head[0].click()
        self.assertEqual(column(0), sorted(made_run.SLIDES))

    def test_places_lead_to_the_viewer(self):
        link = self.driver.find_elements(By.CSS_SELECTOR, ".look")[1]
        link.click()
        self.assertIn("asked", self.driver.find_element(By.ID, "viewer").get_attribute("class"))
        with viewed.Viewer(a.nephron, self.run_folder, cwd=self.folder) as viewer:
            self.driver.find_element(By.CSS_SELECTOR, ".looking input").send_keys(viewer.url)
            address = link.get_attribute("href")
            view = link.get_attribute("data-view")
            self.assertEqual(address, viewer.url + view)
            self.driver.get(address)
            browser_wait(self.driver, "globalThis.nephronView?.details")
            told = self.driver.execute_script("const c = nephronView.panes[0].map.getCenter(); return "
                                              "[c.lng, c.lat, nephronView.state.slide, nephronView.session.layers.map((l) => l.name), "
                                              "nephronView.details.layers.map((l) => l.objects)]")
            self.driver.get("about:blank")
        x, y = (float(part.split("=")[1]) for part in view.split("&")[1:3])
        self.assertAlmostEqual(told[0], x, delta=1)
        self.assertAlmostEqual(told[1], y, delta=1)
        self.assertIn(told[2], made_run.SLIDES)
        self.assertEqual(told[3], ["truth", "validation"])
        self.assertEqual(told[4], [True, True])

    def test_addresses_that_are_none_lead_nowhere(self):
        field = self.driver.find_element(By.CSS_SELECTOR, ".looking input")
        for text in ("javascript:alert(1)", "  ", "ftp://x/"):
            field.clear()
            field.send_keys(text)
            for link in self.driver.find_elements(By.CSS_SELECTOR, ".look"):
                self.assertEqual(link.get_attribute("href").split("#")[1], "viewer")


def browser_wait(driver, condition, seconds=30):
    import time
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if driver.execute_script(f"return Boolean({condition})"):
            return
        time.sleep(0.05)
    raise AssertionError(f"never: {condition}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
