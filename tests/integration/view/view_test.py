"""`nephron view` as a whole command: addresses, hostile paths, a load of 1,000 requests 50 at a time, slow clients."""
import concurrent.futures
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../support"), os.path.join(HERE, "../report")]
import made_run  # noqa: E402
import viewed  # noqa: E402
from given import arguments  # noqa: E402

a, rest = arguments()


class View(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = cls.scratch.name
        viewed.make(cls.folder)
        hostile = os.path.join(cls.folder, "hostile")
        cls.hostile_name = "<img src=x onerror=alert(1)>&\"'"
        viewed.write_slide(os.path.join(hostile, cls.hostile_name + ".png"), 64, 48, [(30, 20, 9)])
        cls.viewer = viewed.Viewer(a.nephron, "run-a", "run-b", "submission.csv", hostile, "--draw-into", "drawn",
                                   cwd=cls.folder)
        cls.parts = urllib.parse.urlsplit(cls.viewer.url)

    @classmethod
    def tearDownClass(cls):
        code = cls.viewer.end()
        cls.scratch.cleanup()
        assert code == 0, code

    def ask(self, path, method="GET", body=None, whole=False):
        connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=60)
        connection.request(method, path if whole else self.parts.path + path, body)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response, content

    def index(self, name):
        session = json.loads(self.ask("session")[1])
        return [slide["id"] for slide in session["slides"]].index(name)

    def test_address_is_local_and_holds_a_token(self):
        self.assertEqual(self.parts.hostname, "127.0.0.1")
        self.assertRegex(self.parts.path, r"^/[0-9a-f]{32}/$")

    def test_without_the_token_nothing_is_answered(self):
        for path in ("/", "/session", "/0123456789abcdef0123456789abcdef/session", "/?token=1", "/main.mjs"):
            response, content = self.ask(path, whole=True)
            self.assertEqual(response.status, 403, path)
            self.assertNotIn(self.parts.path.strip("/").encode(), content)

    def test_no_file_can_be_asked_for(self):
        secret = os.path.join(self.folder, "run-a/predict.json")
        for path in ("../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", secret,
                     "tiles/0/0/0/../../../../etc/passwd", "slides/..%5c..%5c", "drawing/..%2fx", "slides/%00",
                     "....//....//etc/passwd", "page/../../../../etc/passwd"):
            response, content = self.ask(path)
            self.assertEqual(response.status, 404, path)
            self.assertNotIn(b"root:", content)
            self.assertNotIn(b"settings", content)

    def test_session_and_slides(self):
        session = json.loads(self.ask("session")[1])
        self.assertEqual([layer["name"] for layer in session["layers"]], ["truth", "run-a", "run-b", "submission"])
        slide = json.loads(self.ask(f"slides/{self.index('slide')}")[1])
        self.assertEqual((slide["width"], slide["height"]), (viewed.WIDTH, viewed.HEIGHT))
        self.assertTrue(all(layer["objects"] for layer in slide["layers"]))

    def test_objects_of_all_layers(self):
        session = json.loads(self.ask("session")[1])
        names = [layer["name"] for layer in session["layers"]]
        s = self.index("slide")
        count = {name: json.loads(self.ask(f"objects/{s}/{i}")[1])["objects"] for i, name in enumerate(names)}
        self.assertEqual({name: len(objects) for name, objects in count.items()},
                         {"truth": 5, "run-a": 5, "run-b": 5, "submission": 3})
        for _, confidence, iou, pixels, _ in count["run-a"]:
            self.assertAlmostEqual(confidence, 230 / 255, 3)
            self.assertTrue(0.5 < iou < 1)
            self.assertGreater(pixels, 5000)
        self.assertEqual(sum(iou == 0 for _, _, iou, _, _ in count["run-b"]), 1)  # where nothing is true

    def test_names_with_html_stay_text(self):
        response, content = self.ask("session")
        self.assertTrue(response.headers["Content-Type"].startswith("application/json"))
        self.assertIn(self.hostile_name, [slide["id"] for slide in json.loads(content)["slides"]])

    def test_drawings(self):
        s = self.index("slide")
        drawing = {"version": "", "objects": [{"class": "glomerulus", "parts": [[[10, 10, 90, 10, 50, 80]]]}]}
        response, content = self.ask(f"drawing/{s}", "PUT", json.dumps(drawing))
        self.assertEqual(response.status, 200, content)
        with open(os.path.join(self.folder, "drawn/slide.json")) as file:
            saved = json.load(file)
        self.assertEqual(saved["features"][0]["properties"]["classification"]["name"], "glomerulus")
        self.assertEqual(self.ask(f"drawing/{s}", "PUT", json.dumps(drawing))[0].status, 409)
        self.assertEqual(self.ask(f"drawing/{s}", "PUT", "{")[0].status, 400)
        stats = subprocess.run([a.nephron, "labels", "stats", "drawn/slide.json", "--size", "1600x1200", "--json"],
                               cwd=self.folder, capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(stats.stdout)["files"][0]["classes"][0]["objects"], 1)

    def test_load_of_1000_requests_50_at_a_time(self):
        """A fifth leaves without waiting, a fifth asks slowly, reads a little and leaves. NEPHRON_TRIES=10000 makes a
        campaign of it."""
        many = int(os.environ.get("NEPHRON_TRIES", 1000))
        s = self.index("slide")
        random_numbers = random.Random(1)
        paths = [f"tiles/{s}/{d}/{x}/{y}" for d in range(4) for x in range(7 >> d) for y in range(5 >> d)]
        paths += [f"maps/{s}/{layer}/0/{d}/0/0" for layer in range(4) for d in range(3)] + ["session", f"objects/{s}/0"]

        def one(number):
            path = random_numbers.choice(paths)
            if number % 5 == 4:  # leaves without waiting
                with socket.create_connection((self.parts.hostname, self.parts.port), 30) as leaving:
                    leaving.sendall(f"GET {self.parts.path}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                return None
            if number % 5 == 3:
                with socket.create_connection((self.parts.hostname, self.parts.port), 30) as slow:
                    text = f"GET {self.parts.path}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                    slow.sendall(text[:20])
                    time.sleep(0.02)
                    slow.sendall(text[20:])
                    slow.recv(64)
                return None
            return self.ask(path)[0].status

        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(one, range(many)))
        seconds = time.monotonic() - begun
        self.assertEqual(answers.count(None), 2 * many // 5)
        self.assertTrue(set(answers) <= {200, 404, None}, set(answers))
        self.assertEqual(answers.count(None) + answers.count(200) + answers.count(404), many)
        self.assertGreater(answers.count(200), many // 2)
        self.assertEqual(self.ask("session")[0].status, 200)
        peak = self.viewer.peak_mib()
        print(f"{many} requests, 50 at a time: {seconds:.1f} s, {peak:.0f} MiB at most", file=sys.stderr)
        self.assertLess(peak, 1500)

    def test_slow_clients_hold_nobody_up(self):
        slow = []
        for _ in range(40):
            slow.append(socket.create_connection((self.parts.hostname, self.parts.port), 30))
            slow[-1].sendall(b"GET /")
        begun = time.monotonic()
        self.assertEqual(self.ask("session")[0].status, 200)
        self.assertLess(time.monotonic() - begun, 25)
        for one in slow:
            one.close()

    def test_a_store_and_slides_of_one_name(self):
        with open(os.path.join(self.folder, "e.toml"), "w") as out:
            out.write("""classes = ["glomerulus"]
sampler = { type = "uniform" }
[data]
store = "store"
factor = 2
tile = 64
[[dataset]]
type = "synthetic"
slides = 1
size = [600, 500]
radius = 40
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [{ type = "bce" }]
""")
        subprocess.run([a.nephron, "prepare", "e.toml"], cwd=self.folder, check=True, capture_output=True, timeout=300)
        viewed.write_slide(os.path.join(self.folder, "other/synthetic-00.png"), 64, 48, [])
        with viewed.Viewer(a.nephron, "store", "other", "--draw-into", "of-store", cwd=self.folder) as viewer:
            def ask(path, body=None):
                with urllib.request.urlopen(urllib.request.Request(viewer.url + path, body, method="PUT" if body else "GET"),
                                            timeout=60) as answer:
                    return json.loads(answer.read())
            self.assertIn("has the name of another", ask("session")["problems"][0])
            slide = ask("slides/0")
            self.assertEqual((slide["width"], slide["height"]), (300, 250))
            self.assertGreater(len(ask("objects/0/0")["objects"]), 0)
            ask("drawing/0", json.dumps({"version": "", "objects": [
                {"class": "glomerulus", "parts": [[[10, 10, 60, 10, 10, 50]]]}]}).encode())
        with open(os.path.join(self.folder, "of-store/synthetic-00.json")) as file:
            ring = json.load(file)["features"][0]["geometry"]["coordinates"][0]
        self.assertEqual(ring[:3], [[20, 20], [120, 20], [20, 100]])  # level-0 pixels, whatever is shown

    def test_a_run_whose_first_weights_are_gone_is_shown(self):
        made, weights = os.path.join(self.folder, "gone"), os.path.join(self.folder, "first.safetensors")
        with open(weights, "w"):
            pass
        with unittest.mock.patch.object(made_run, "LEAF", made_run.LEAF + f'[model]\nweights = "{weights}"\n'):
            run = made_run.make(made, a.nephron)
        os.remove(weights)
        with viewed.Viewer(a.nephron, run, cwd=self.folder) as viewer:
            with urllib.request.urlopen(viewer.url + "session", timeout=60) as answer:
                session = json.loads(answer.read())
        self.assertEqual(sorted(slide["id"] for slide in session["slides"]), sorted(made_run.SLIDES))
        self.assertEqual([layer["name"] for layer in session["layers"]], ["truth", "validation"])

    def test_two_viewers_of_one_folder(self):
        """Of two who change one version at the same moment one is told, however often they do."""
        with viewed.Viewer(a.nephron, "images", "--draw-into", "shared", cwd=self.folder) as one, \
                viewed.Viewer(a.nephron, "images", "--draw-into", "shared", cwd=self.folder) as other:
            def ask(viewer, body=None):
                request = urllib.request.Request(viewer.url + "drawing/0", body, method="PUT" if body else "GET")
                try:
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        return answer.status, json.loads(answer.read())
                except urllib.error.HTTPError as error:
                    return error.code, json.loads(error.read())
            many = 25
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                for n in range(many):
                    drawing = ask(one)[1]
                    drawing["objects"].append({"class": "a", "parts": [[[n, 0, n + 9, 0, n, 9]]]})
                    body = json.dumps(drawing).encode()
                    answers = [status for status, _ in pool.map(lambda viewer: ask(viewer, body), (one, other))]
                    self.assertEqual(sorted(answers), [200, 409])
            self.assertEqual(len(ask(other)[1]["objects"]), many)

    def test_what_cannot_be_viewed_is_said(self):
        os.makedirs(os.path.join(self.folder, "empty"), exist_ok=True)
        for names, code, says in ((["nothing-here"], 2, "does not exist"), (["empty"], 2, "nothing that can be viewed"),
                                  (["submission.csv"], 2, "no slide"), (["run-a/predict.json"], 2, "--annotations"),
                                  (["run-a", "run-b", "run-a", "run-b", "submission.csv"], 2, "four")):
            done = subprocess.run([a.nephron, "view", *names], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(says, done.stderr)

    def answer_of(self, viewer, path):
        with urllib.request.urlopen(viewer.url + path, timeout=60) as answer:
            return json.loads(answer.read())

    def test_submissions_with_unknown_and_missing_ids_are_told_of(self):
        for name in ("one", "two", "three"):
            viewed.write_slide(os.path.join(self.folder, "several", name + ".png"), 64, 48, [])
        def problems(text):
            with open(os.path.join(self.folder, "ids.csv"), "w") as out:
                out.write("id,predicted\n" + text)
            with viewed.Viewer(a.nephron, "several", "ids.csv", cwd=self.folder) as viewer:
                return self.answer_of(viewer, "session")["problems"]
        self.assertEqual(problems("one,1 5\ntwo,\nthree,9 2\n"), [])
        self.assertEqual(problems("one,1 5\nfour,3 4\n<i>,3 4\n"),
                         ['"ids" has rows of 2 slides that are not shown: "<i>", "four"',
                          '"ids" has no row of 2 slides: "three", "two"'])
        self.assertEqual(problems("four,3 4\n"), ['"ids" has nothing of any slide that is shown'])

    def test_outlines_of_another_slide_are_told_of(self):
        """Outlines of a larger slide under the name of a smaller one: those that lie outside are counted."""
        viewed.write_slide(os.path.join(self.folder, "mixed/small.png"), 64, 48, [])
        def square(x):
            return {"type": "Feature", "properties": {}, "geometry": {
                "type": "Polygon", "coordinates": [[[x, 5], [x + 20, 5], [x + 20, 25], [x, 5]]]}}
        with open(os.path.join(self.folder, "small.geojson"), "w") as out:
            json.dump({"type": "FeatureCollection", "features": [square(10), square(900), square(5000)]}, out)
        with viewed.Viewer(a.nephron, "mixed", "--annotations", "small.geojson", cwd=self.folder) as viewer:
            answer = self.answer_of(viewer, "objects/0/0")
        self.assertIn("2 of 3 objects lie outside of the slide's 64 x 48 px, and 0 are cut by its edge",
                      "\n".join(answer["notes"]))
        # A file that is named after no slide is refused where there is a choice.
        viewed.write_slide(os.path.join(self.folder, "mixed/other.png"), 64, 48, [])
        shutil.copy(os.path.join(self.folder, "small.geojson"), os.path.join(self.folder, "elsewhere.geojson"))
        done = subprocess.run([a.nephron, "view", "mixed", "--annotations", "elsewhere.geojson"], cwd=self.folder,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("elsewhere.geojson is named after no slide that is shown", done.stderr)

    def test_pictures_with_dot_names_are_told_of(self):
        for name in ("seen", ".hidden", "._resource"):
            viewed.write_slide(os.path.join(self.folder, "dotted", name + ".png"), 64, 48, [])
        with viewed.Viewer(a.nephron, "dotted", cwd=self.folder) as viewer:
            with urllib.request.urlopen(viewer.url + "session", timeout=60) as answer:
                session = json.loads(answer.read())
        self.assertEqual([slide["id"] for slide in session["slides"]], ["seen"])
        self.assertEqual(len(session["problems"]), 1)
        self.assertIn("2 pictures of", session["problems"][0])
        self.assertIn("._resource.png", session["problems"][0])

    def test_huge_and_torn_annotations_cost_nobody_else(self):
        """Files of annotations that are too large, empty, cut off, or nested beyond reason: an error for their slide
        that names the file, and the viewer goes on."""
        folder = os.path.join(self.folder, "torn")
        os.makedirs(os.path.join(folder, "truth"))
        good = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {
            "type": "Polygon", "coordinates": [[[5, 5], [40, 5], [40, 40], [5, 5]]]}}]})
        files = {"good": good, "empty": "", "cut": good[:len(good) // 2], "deep": "[" * 100000, "number": "1e400",
                 "coordinates": good.replace("40", "1e308"), "hole": good.replace("[[[5", "[[[null")}
        for name, text in files.items():
            viewed.write_slide(os.path.join(folder, name + ".png"), 64, 48, [])
            with open(os.path.join(folder, "truth", name + ".geojson"), "w") as out:
                out.write(text)
        viewed.write_slide(os.path.join(folder, "huge.png"), 64, 48, [])
        with open(os.path.join(folder, "truth/huge.geojson"), "w") as out:
            out.truncate((1 << 30) - 1)  # zeros that take no room on the disk
        with viewed.Viewer(a.nephron, "torn", "--annotations", "torn/truth", cwd=self.folder) as viewer:
            def ask(path):
                try:
                    with urllib.request.urlopen(viewer.url + path, timeout=120) as answer:
                        return answer.status, json.loads(answer.read())
                except urllib.error.HTTPError as error:
                    return error.code, json.loads(error.read())
            ids = [slide["id"] for slide in ask("session")[1]["slides"]]
            for name in (*files, "huge"):
                status, answer = ask(f"objects/{ids.index(name)}/0")
                if status == 200:
                    self.assertIn(name, ("good", "coordinates"))
                    self.assertEqual(len(answer["objects"]), 1)
                else:
                    self.assertNotEqual(name, "good")
                    self.assertIn(name + ".geojson", answer["error"])
            self.assertEqual(ask(f"objects/{ids.index('good')}/0")[0], 200)

    def test_a_port_that_is_taken(self):
        done = subprocess.run([a.nephron, "view", "images/slide.png", "--port", str(self.parts.port)], cwd=self.folder,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot listen", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
