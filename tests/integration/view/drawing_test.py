"""Drawing in the viewer's page, in headless Chromium: what is saved, when, and what stays in the file."""
import json
import math
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from page_case import FOREIGN, ActionChains, By, Keys, PageCase, rest  # noqa: E402


class DrawingOnThePage(PageCase):
    def saved(self):
        """What the drawing of the slide is in its file, once it is saved."""
        self.wait("/^saved/.test(document.getElementById('saved').textContent)", "saved")
        with open(os.path.join(self.folder, "drawn", self.js("return nephronView.details.id") + ".json")) as file:
            return json.load(file)

    def undo(self):
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
        time.sleep(0.1)

    def hold(self, method):
        """Requests for drawings by this method wait in the page until they are let go."""
        self.js("""const ask = globalThis.fetch;
            globalThis.held = [];
            globalThis.fetch = (path, options) => path.startsWith('drawing/') && (options.method ?? 'GET') === arguments[0] ?
              new Promise((give) => held.push(() => give(ask(path, options)))) : ask(path, options);""", method)

    def go_to(self, slide):
        self.js("nephronView.open(nephronView.session.slides.findIndex((one) => one.id === arguments[0]))", slide)

    def draw(self, *corners):
        self.js("nephronView.drawing.tool || nephronView.drawing.take('polygon')")
        for x, y in corners:
            self.mouse(x, y, press=True)
        self.keys(Keys.ENTER)

    def test_drawing_add_class_delete_undo_and_reload(self):
        drawn = os.path.join(self.folder, "drawn/slide.json")
        before = self.js("return nephronView.drawing.objects.length")
        self.keys("d")
        for x, y in ((100, 600), (260, 600), (240, 760)):
            self.mouse(x, y, press=True)
        self.keys(Keys.ENTER)
        self.wait("/^saved/.test(document.getElementById('saved').textContent)", "saved")
        self.shot("drawing")
        self.keys(Keys.ESCAPE)
        self.assertEqual(self.js("return nephronView.drawing.objects.length"), before + 1)
        with open(drawn) as file:
            ring = json.load(file)["features"][-1]["geometry"]["coordinates"][0]
        self.assertTrue(all(abs(p - q) < 2 for corner, want in zip(ring, ((100, 600), (260, 600), (240, 760)))
                            for p, q in zip(corner, want)), ring)
        self.mouse(200, 640, press=True)
        self.assertTrue(self.js("return Boolean(nephronView.drawing.chosen)"))
        field = self.driver.find_element(By.ID, "class")
        field.clear()
        field.send_keys("tubule", Keys.ENTER)
        self.wait("/^saved/.test(document.getElementById('saved').textContent)", "saved")
        with open(drawn) as file:
            self.assertEqual(json.load(file)["features"][-1]["properties"]["classification"]["name"], "tubule")
        self.open("slide=slide")
        self.wait("nephronView.drawing.objects.length > 0", "loaded again")
        self.mouse(200, 640, press=True)
        self.keys(Keys.DELETE)
        self.wait("/^saved/.test(document.getElementById('saved').textContent)", "saved")
        self.assertEqual(self.js("return nephronView.drawing.objects.length"), before)
        with open(drawn) as file:
            self.assertEqual(len(json.load(file)["features"]), before)
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
        self.wait("/^saved/.test(document.getElementById('saved').textContent)", "saved")
        self.assertEqual(self.js("return nephronView.drawing.objects.length"), before + 1)

    def test_a_file_of_another_program_keeps_all_that_it_holds(self):
        self.open("slide=foreign")
        self.wait("nephronView.drawing.objects.length === 2", "loaded")
        self.mouse(250, 150, press=True)
        self.assertEqual(self.js("return nephronView.drawing.chosen.class"), "")
        self.driver.find_element(By.ID, "class").send_keys("cell", Keys.ENTER)
        now = self.saved()
        self.assertEqual(now["features"][0]["properties"].pop("classification")["name"], "cell")
        self.assertEqual(now, FOREIGN)
        self.driver.find_element(By.ID, "tool-polygon").click()
        for x, y in ((20, 300), (90, 300), (90, 400)):
            self.mouse(x, y, press=True)
        self.keys(Keys.ENTER, Keys.ESCAPE)
        self.assertEqual(self.saved()["features"][3]["properties"]["classification"]["name"], "cell")
        self.undo()
        self.undo()
        self.assertEqual(self.saved(), FOREIGN)
        self.mouse(550, 350, press=True)
        self.keys(Keys.DELETE)
        self.assertEqual([feature["id"] for feature in self.saved()["features"]], ["one", "seed"])
        self.undo()
        self.assertEqual(sorted(map(json.dumps, self.saved()["features"])), sorted(map(json.dumps, FOREIGN["features"])))

    def test_undo_of_what_was_drawn_while_loading_empties_nothing(self):
        file = os.path.join(self.folder, "drawn/other.json")
        with open(file) as drawn:
            before = drawn.read()
        self.hold("GET")
        self.go_to("other")
        self.wait("held.length === 1", "the drawing is asked for")
        self.settle()
        self.draw((20, 300), (90, 300), (90, 400))
        self.js("held.shift()()")
        self.wait("nephronView.drawing.objects.length >= 2", "loaded")
        self.undo()
        self.undo()
        time.sleep(0.8)  # a change is saved after 0.35 s
        self.assertEqual(self.js("return nephronView.drawing.objects.length"), 2)
        with open(file) as drawn:
            self.assertEqual(drawn.read(), before)

    def test_saves_that_overlap_end_before_another_slide_is_drawn_on(self):
        before = self.js("return nephronView.drawing.objects.length")
        self.hold("PUT")
        for n in (1, 2):
            self.draw((1400, 1000), (1500, 1000), (1500, 1000 + 20 * n))
            time.sleep(0.6)  # the second waits for the first
        self.go_to("other")
        self.wait("nephronView.details", "the slide is shown")
        self.js("held.shift()()")
        self.wait("held.length === 1", "the second drawing is saved")
        time.sleep(1)
        self.assertEqual(self.js("return nephronView.drawing.objects.length"), 0, "the slide before is not saved yet")
        self.js("held.shift()()")
        self.wait("nephronView.drawing.objects.length === 2", "loaded")
        with open(os.path.join(self.folder, "drawn/slide.json")) as drawn:
            self.assertEqual(len(json.load(drawn)["features"]), before + 2)
        self.draw((20, 300), (90, 300), (90, 400))
        self.wait("held.length === 1", "the change is saved")
        self.js("held.shift()()")
        self.assertEqual(len(self.saved()["features"]), 3)
        self.undo()
        self.wait("held.length === 1", "the change is saved")
        self.js("held.shift()()")
        self.assertEqual(len(self.saved()["features"]), 2)
        told = self.js("return [...document.querySelectorAll('#toasts .bad')].map((box) => box.textContent)"
                       ".filter((text) => !nephronView.session.problems.includes(text))")
        self.assertEqual(told, [])

    def test_freehand_and_copies(self):
        self.keys("g")
        corners = [(1000 + 60 * math.cos(t), 620 + 60 * math.sin(t)) for t in (k * math.pi / 12 for k in range(24))]
        before = self.js("return nephronView.drawing.objects.length")
        u, v = self.screen(*corners[0])
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent",
                                    {"type": "mousePressed", "x": u, "y": v, "button": "left", "clickCount": 1})
        for corner in corners[1:]:
            u, v = self.screen(*corner)
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": u, "y": v, "button": "left",
                                                                     "buttons": 1})
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent",
                                    {"type": "mouseReleased", "x": u, "y": v, "button": "left", "clickCount": 1})
        time.sleep(0.2)
        self.assertEqual(self.js("return nephronView.drawing.objects.length"), before + 1)
        area = self.js("return nephronView.drawing.objects.at(-1).pixels")
        self.assertAlmostEqual(area, math.pi * 3600, delta=600)
        self.keys(Keys.ESCAPE)
        self.mouse(812, 408)
        self.keys("a")
        self.assertEqual(self.js("return nephronView.drawing.objects.length"), before + 2)
        self.wait("/^saved/.test(document.getElementById('saved').textContent)", "saved")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
