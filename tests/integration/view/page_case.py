"""The viewer with what the tests of its page look at, and headless Chromium over it. NEPHRON_SHOTS=FOLDER keeps screenshots."""
import json
import math
import os
import random
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../support")]
import browser  # noqa: E402
import viewed  # noqa: E402
from given import arguments  # noqa: E402

a, rest = arguments()
browser.need()
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

MANY = 10000
HOSTILE = "<img src=x onerror=\"document.title='owned'\">&amp;"  # a class
# A file as another program writes it: more than outlines and classes.
FOREIGN = {"type": "FeatureCollection", "made by": "hand", "features": [
    {"type": "Feature", "id": "one", "geometry": {"type": "Polygon", "plane": {"z": 1},
                                                  "coordinates": [[[100.125, 100], [300, 100], [300, 300], [100.125, 100]]]},
     "properties": {"name": "Anna's", "isLocked": True, "measurements": {"confidence": 0.75}}},
    {"type": "Feature", "id": "seed", "geometry": {"type": "Point", "coordinates": [5, 5]}, "properties": {"name": "start"}},
    {"type": "Feature", "id": "two", "geometry": {"type": "Polygon",
                                                  "coordinates": [[[400, 300], [600, 300], [600, 460], [400, 300]]]},
     "properties": {"classification": {"names": ["cell", "old"]}, "measurements": [{"name": "area", "value": 16000.5}]}}]}


def write_many(path):
    """Wobbly rings of 40 corners all over the slide."""
    r = random.Random(1)
    features = []
    for i in range(MANY):
        cx, cy, size = r.uniform(10, viewed.WIDTH - 10), r.uniform(10, viewed.HEIGHT - 10), r.uniform(3, 7)
        ring = [[cx + size * (1 + 0.2 * math.sin(3 * t + i)) * math.cos(t), cy + size * math.sin(t)]
                for t in (2 * math.pi * k / 40 for k in range(40))]
        features.append({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring + ring[:1]]},
                         "properties": {"classification": {"name": "cell"}, "measurements": {"confidence": r.random()}}})
    with open(path, "w") as out:
        json.dump({"type": "FeatureCollection", "features": features}, out)


class PageCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        viewed.make(cls.folder)
        os.makedirs(f"{cls.folder}/more")
        viewed.write_slide(f"{cls.folder}/more/<b>bold & \"more\".png", 640, 480, [(300, 200, 90)])
        viewed.write_slide(f"{cls.folder}/many/many.png", discs=[])
        write_many(f"{cls.folder}/many/many.geojson")
        with open(f"{cls.folder}/many/<b>bold & \"more\".geojson", "w") as out:
            json.dump({"type": "FeatureCollection", "features": [
                {"type": "Feature", "properties": {"classification": {"name": HOSTILE}, "name": HOSTILE},
                 "geometry": {"type": "Polygon", "coordinates": [[[200, 100], [400, 100], [400, 300], [200, 100]]]}}]}, out)
        viewed.write_slide(f"{cls.folder}/more/foreign.png", 640, 480, [(300, 200, 90)])
        os.makedirs(f"{cls.folder}/drawn")
        viewed.write_slide(f"{cls.folder}/more/other.png", 640, 480, [(300, 200, 90)])
        areas = [feature for feature in FOREIGN["features"] if feature["geometry"]["type"] == "Polygon"]
        for name, features in (("foreign", FOREIGN["features"]), ("other", areas)):
            with open(f"{cls.folder}/drawn/{name}.json", "w") as out:
                json.dump({**FOREIGN, "features": features}, out)
        cls.viewer = viewed.Viewer(a.nephron, "run-a", "run-b", "submission.csv", "more", "many/many.png",
                                   "--annotations", "many", "--draw-into", "drawn", "--mpp", "0.5", cwd=cls.folder)
        cls.driver = browser.start()

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        code = cls.viewer.end()
        cls.scratch.cleanup()
        assert code == 0, code

    def setUp(self):
        self.open("slide=slide")

    def tearDown(self):
        faults = [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual(faults, [], "the console has errors")

    def open(self, link):
        self.driver.get("about:blank")
        self.driver.get(f"{self.viewer.url}#{link}")
        self.settle()

    def js(self, text, *arguments_):
        return self.driver.execute_script(text, *arguments_)

    def wait(self, text, what, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.js(f"return Boolean({text})"):
                return
            time.sleep(0.05)
        self.fail(f"never: {what}")

    def settle(self):
        self.wait("globalThis.nephronView?.details && nephronView.details.layers.every((l, i) => !l.objects || "
                  "nephronView.stores[i]) && nephronView.panes[0].tiles && !nephronView.panes[0].tiles._loading && "
                  "!nephronView.panes[0].outlines.busy()", "loaded")
        time.sleep(0.15)

    def keys(self, *names):
        ActionChains(self.driver).send_keys(*names).perform()
        time.sleep(0.1)

    def screen(self, x, y, pane=0):
        """Where a pixel of the slide is in the window."""
        return self.js("const p = nephronView.panes[arguments[2]], q = p.map.latLngToContainerPoint([arguments[1], arguments[0]]),"
                       " b = p.element.getBoundingClientRect(); return [b.left + q.x, b.top + q.y]", x, y, pane)

    def mouse(self, x, y, press=False):
        u, v = self.screen(x, y)
        kinds = ("mouseMoved", "mousePressed", "mouseReleased") if press else ("mouseMoved",)
        for kind in kinds:
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {
                "type": kind, "x": u, "y": v, "button": "left" if kind != "mouseMoved" else "none", "clickCount": int(press)})
        time.sleep(0.08)

    def shot(self, name):
        folder = os.environ.get("NEPHRON_SHOTS")
        if folder:
            os.makedirs(folder, exist_ok=True)
            self.driver.save_screenshot(os.path.join(folder, name + ".png"))

    def pixel(self, x, y, pane=0):
        """The colour of the screen at a pixel of the slide."""
        import base64
        import io
        u, v = self.screen(x, y, pane)
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": {
            "x": int(u), "y": int(v), "width": 1, "height": 1, "scale": 1}})
        data = base64.b64decode(shot["data"])
        return self.js("""const done = new Image(); return new Promise((give) => { done.onload = () => {
            const c = document.createElement('canvas').getContext('2d'); c.drawImage(done, 0, 0);
            give([...c.getImageData(0, 0, 1, 1).data].slice(0, 3)); }; done.src = 'data:image/png;base64,' + arguments[0]; })""",
                       base64.b64encode(io.BytesIO(data).getvalue()).decode())
