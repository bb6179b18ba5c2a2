"""`nephron compare` as a whole command, on made-up runs: verdicts, refusals, outputs, damaged input."""
import csv
import glob
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402
from measured_runs import Cohort, lines, run, write  # noqa: E402

a, rest = arguments("--source")


def read(file):
    with open(file, encoding="utf-8") as f:
        return f.read()


class Compare(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = self.scratch.name
        self.cohort = Cohort()

    def tearDown(self):
        self.scratch.cleanup()

    def made(self, name, cohort=None, **how):
        return run(f"{self.folder}/{name}/20260131-120000-{name[:6]}", cohort or self.cohort, **{"name": name, **how})

    def compare(self, *arguments, code=0):
        done = subprocess.run([a.nephron, "compare", *arguments], capture_output=True, text=True, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertNotIn("terminate called", done.stderr)
        return done.stdout if code == 0 else " ".join(done.stderr.split())

    def said(self, *arguments):
        return json.loads(self.compare(*arguments, "--json"))

    def edit(self, file, change):
        with open(file, encoding="utf-8") as f:
            rows = [json.loads(line) for line in f]
        change(rows)
        write(file, lines(rows))

    def edit_scores(self, folder, **changes):
        file = f"{folder}/validation/scores.json"
        with open(file, encoding="utf-8") as f:
            scores = json.load(f)
        write(file, json.dumps({**scores, **changes}))


class Verdicts(Compare):
    def test_better_worse_equivalent_undecided(self):
        self.made("base"), self.made("better", gain=.02), self.made("worse", gain=-.03, decoder="linknet")
        self.made("alike", spread=.002), self.made("unclear", spread=.02, gain=.004)
        said = self.said("base", "better", "worse", "alike", "unclear", "--margin", "0.015")
        verdicts = {f["side"]: f["verdict"] for f in said["findings"]}
        self.assertEqual(verdicts, {"better": "better", "worse": "worse", "alike": "equivalent", "unclear": "undecided"})
        self.assertAlmostEqual(sum(said["share_first"]), 1, 9)
        self.assertEqual(max(zip(said["share_first"], [s["name"] for s in said["sides"]]))[1], "better")
        for f in said["findings"]:
            self.assertEqual(f["interval"][0] <= 0 <= f["interval"][1], f["p"] > .05, "p and interval agree")
            self.assertGreaterEqual(f["p_holm"], f["p"])
        text = self.compare("base", "better", "worse", "alike", "unclear", "--margin", "0.015")
        for words in ("equivalent within 0.015", "p (Holm)", "Exploratory: no verdicts", "all 4096 ways", "One seed a side",
                      "What would settle it", "Configuration differs", "worse.toml:8:12"):
            self.assertIn(words, text)

    def test_pooled_figures_are_of_all_pixels_and_have_intervals_over_donors(self):
        cohort = Cohort(classes=("glomerulus", "artery"))
        folders = {name: self.made(name, cohort, measures=True, **how) for name, how in (("base", {}), ("better", {"gain": .03}))}
        text = "{ empty = \"one\" }"
        for name, folder in folders.items():
            self.edit_scores(folder, measured_by=[{"metric": "dice", "plugin": "overlap", "version": "1.0.0", "parameters": text}])

        def pooled(folder):
            sums = [[0] * 3 for _ in cohort.classes]
            for file in glob.glob(folder + "/validation/measures/*.json"):
                numbers = json.loads(read(file))["metrics"]["dice"]["numbers"]
                for i, n in enumerate(numbers):
                    sums[i // 3][i % 3] += n
            return sum(2 * both / (p + t) for p, t, both in sums) / len(sums)

        said = self.said("base", "better")
        (figure,) = said["pooled"]
        self.assertAlmostEqual(figure["baseline_pooled"], pooled(folders["base"]), 12)
        self.assertAlmostEqual(figure["pooled"], pooled(folders["better"]), 12)
        self.assertLess(figure["bca"][0], figure["difference"])
        self.assertGreater(figure["bca"][1], figure["difference"])
        self.assertNotAlmostEqual(figure["difference"], said["findings"][0]["difference"], 6)
        self.assertIn("as if they were one", self.compare("base", "better"))
        # What was kept of another validation is not taken.
        file = sorted(glob.glob(folders["better"] + "/validation/measures/*.json"))[0]
        write(file, json.dumps({"metrics": {"dice": {"values": [], "numbers": [9, 9, 3, 9, 9, 3]}}}))
        said = self.said("base", "better")
        self.assertEqual(said["pooled"], [])
        self.assertIn("No pooled figures", str(said["notes"]))
        self.edit_scores(folders["base"], measured_by=[{"metric": "dice", "plugin": "overlap", "version": "0.0.1", "parameters": "{}"}])
        self.assertIn("measured in version 0.0.1", str(self.said("base", "better", "--anyway")["notes"]))

    def test_lower_may_be_better(self):
        self.made("base"), self.made("other", gain=.03)
        said = self.said("base", "other", "--metric", "hd95")
        self.assertEqual(said["better"], "lower")
        self.assertEqual(said["findings"][0]["verdict"], "better")
        self.assertLess(said["findings"][0]["difference"], 0)

    def test_the_donor_is_the_unit(self):
        many = Cohort(donors=3, slides=20)
        self.made("base", many), self.made("other", many, gain=.1)
        said = self.said("base", "other")
        self.assertEqual(said["findings"][0]["verdict"], "too few donors")
        self.assertEqual(said["findings"][0]["donors"], 3)
        self.assertEqual(said["findings"][0]["interval"], [None, None])
        text = self.compare("base", "other")
        self.assertIn("Of 3 donors no p under 0.05 exists", text)
        self.assertIn("too few donors", text)

    def test_two_donors_and_one(self):
        for donors in (1, 2):
            few = Cohort(donors=donors, folds=1)
            names = [f"base{donors}", f"other{donors}"]
            self.made(names[0], few), self.made(names[1], few, gain=.1)
            self.assertEqual(self.said(*names)["findings"][0]["verdict"], "too few donors")
            self.assertIn("no verdict", self.compare(*names, "--out", f"page{donors}.html"))

    def test_slides_without_a_donor_are_their_own(self):
        unknown = Cohort(known=False)
        self.made("base", unknown), self.made("other", unknown, gain=.03)
        said = self.said("base", "other")
        self.assertEqual(said["findings"][0]["donors"], 24)
        self.assertFalse(said["findings"][0]["exact"], "24 are more than are counted in full")
        self.assertIn("no donor on record", " ".join(said["notes"]))

    def test_donors_of_an_older_validation_come_from_splits(self):
        for name, gain in (("base", 0), ("other", .03)):
            folder = self.made(name, gain=gain)
            self.edit(f"{folder}/validation/slides.jsonl", lambda rows: [row.pop("donor") for row in rows])
        self.assertEqual(self.said("base", "other")["findings"][0]["donors"], 12)

    def test_by_seed(self):
        for k, shared in ((1, .02), (2, -.02), (3, .0)):
            self.made(f"a-s{k}", seed=k, shared=shared)
            self.made(f"b-s{k}", seed=k, shared=-shared, gain=.012, decoder="linknet")
        names = [f"{arm}-s{k}" for arm in "ab" for k in (1, 2, 3)]
        said = self.said(*names, "--by", "seed")
        self.assertEqual([s["name"] for s in said["sides"]], ["a-s (3 seeds)", "b-s (3 seeds)"])
        found = said["findings"][0]
        self.assertEqual(found["verdict"], "undecided", "seeds differ by more than the recipes")
        alone = found["these_weights_alone"]
        self.assertLess(alone["p"], .05, "though these weights differ")
        self.assertGreater(found["recipe"]["variance"]["seeds"], 1e-4)
        self.assertLess(found["interval"][0], alone["interval"][0])
        self.assertEqual((found["p"], found["interval"]), (found["recipe"]["p"], found["recipe"]["interval"]))
        self.assertIsNotNone(said["settling"][0]["seeds_a_side"])
        self.assertEqual([d["key"] for d in said["configuration"]], ["model.decoder.type"], "the seed is what is several")
        self.made("a-s1-again", seed=1)
        self.assertIn("one recipe with one seed (1):", self.compare("a-s1", "a-s1-again", "b-s1", "--by", "seed", code=1))
        self.assertIn("leaves one side", self.compare("a-s1", "a-s2", "--by", "seed", code=2))

    def test_every_output_shows_the_same_p_and_interval(self):
        two = Cohort(classes=("glomerulus", "tubule"))
        for k, shared in ((1, .02), (2, -.02), (3, .0)):
            self.made(f"a-s{k}", two, seed=k, shared=shared)
            self.made(f"b-s{k}", two, seed=k, shared=-shared, gain=.012, decoder="linknet")
        names = [f"{arm}-s{k}" for arm in "ab" for k in (1, 2, 3)] + ["--by", "seed"]
        said = self.said(*names)
        rows = list(csv.DictReader(io.StringIO(self.compare(*names, "--csv"))))
        text = self.compare(*names, "--out", "page.html")
        page = read(f"{self.folder}/page.html")
        every = said["findings"] + said["exploratory"]
        self.assertEqual([f["class"] for f in every[:3]], [None, "glomerulus", "tubule"])
        for f, row in zip(every, rows):
            low, high = f["interval"]
            alone = f["these_weights_alone"]
            self.assertGreater(f["p"], alone["p"] + .01)
            self.assertEqual([f["p"], low, high], [float(row[k]) for k in ("p", "low", "high")])
            self.assertEqual([alone["p"], *alone["interval"]], [float(row["these_weights_" + k]) for k in ("p", "low", "high")])
            words, p = f"{low:+.4f} to {high:+.4f}", f"{f['p']:.3f}"
            self.assertRegex(text, re.escape(words) + " +" + p)
            self.assertRegex(page, re.escape(words) + "</td><td[^>]*>" + p)
        for f in every[:3]:
            self.assertIn(f"[{f['interval'][0]:+.4f}, {f['interval'][1]:+.4f}]", page, "the picture")
        self.assertIn("Beside it, for these weights alone", text)

    def test_one_seed_beside_two_gets_no_verdict(self):
        for name, how in (("a-s1", {}), ("b-s1", {"decoder": "linknet"}), ("b-s2", {"decoder": "linknet", "seed": 2})):
            self.made(name, gain=.2 if name[0] == "b" else -.2, **how)
        names = ("a-s1", "b-s1", "b-s2", "--by", "seed", "--effect", "0.01")
        said = self.said(*names)
        self.assertEqual(said["findings"][0]["verdict"], "too few seeds")
        self.assertEqual(said["settling"][0]["now"]["seeds_a_side"], [1, 2])
        text = " ".join(self.compare(*names, "--out", "page.html").split())
        self.assertIn("It takes two seeds a side, or one beside three.", text)
        self.assertIn("seeds a side (now 1 and 2)", text)
        self.assertIn("15 to 25 of 100", text)
        self.made("b-s3", seed=3, gain=.2, decoder="linknet")
        self.assertEqual(self.said("a-s1", "b-s1", "b-s2", "b-s3", "--by", "seed")["findings"][0]["verdict"], "better")

    def test_shares_that_are_not_all_are_not_called_all(self):
        cohort = Cohort(classes=("glomerulus", "tubule"))
        self.made("unet", cohort), self.made("unet++", cohort, gain=.012, decoder="unet++", detect=.88)
        self.made("linknet", cohort, gain=-.002, spread=.008, decoder="linknet")
        names = ("unet", "unet++", "linknet")
        first = self.said(*names)["share_first"]
        self.assertTrue(0 < first[0] < .005 and .995 < first[1] < 1, "made up for this")
        text = self.compare(*names)
        self.assertRegex(text, r"\n +unet .* < 1 %")
        self.assertRegex(text, r"\n +unet\+\+ .* > 99 % ")

    def test_what_is_decided_needs_nothing_more(self):
        self.made("base"), self.made("better", gain=.03), self.made("unclear", gain=.003)
        text = self.compare("base", "better", "unclear", "--out", "page.html")
        page = read(f"{self.folder}/page.html")
        for told in (text[text.index("What would settle it"):text.index("Exploratory")],
                     page[page.index("What would settle it</h2>"):page.index("Classes and other values")],
                     page[page.index("Power by donors"):page.index("Cost against")]):
            self.assertIn("unclear", told)
            self.assertNotIn("better", told)

    def test_a_recipe_against_itself_is_undecided(self):
        decided = 0
        for k in range(20):
            self.made(f"run{k}", seed=k, detect=.8)
        for k in range(0, 20, 2):
            decided += self.said(f"run{k}", f"run{k + 1}")["findings"][0]["verdict"] != "undecided"
        self.assertLessEqual(decided, 2)

    def test_objects(self):
        base, other = self.made("base"), self.made("other", detect=.95)
        said = self.said("base", "other")["objects"][0]
        fates = {}
        for folder in (base, other):
            with open(f"{folder}/validation/objects.jsonl", encoding="utf-8") as f:
                rows = [json.loads(line) for line in f]
            fates[folder] = {(r["slide"], r["object"]): r["iou"] >= .5 for r in rows if r["side"] == "true"}
        counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
        for key, before in fates[base].items():
            counts[before, fates[other][key]] += 1
        self.assertEqual((said["kept"], said["lost"], said["won"], said["missed_by_both"]), tuple(counts.values()))
        false = said["false_fates"]
        self.assertEqual(said["false_before"], len(self.false_ones(base)))
        self.assertEqual(said["false_after"], len(self.false_ones(other)))
        self.assertEqual(false["kept"] + false["gone"], len(self.false_ones(base)))
        self.assertEqual(false["kept"] + false["new"], len(self.false_ones(other)))
        self.assertEqual(len(said["changed"]), said["won"] + said["lost"] + false["new"] + false["gone"])
        self.assertLess(said["found"]["p"], .05)
        one = said["changed"][0]
        x, y, w, h = one["box"]
        self.assertTrue(one["view"].startswith(f"#slide={one['slide']}&x={(x + w / 2) * 2:.1f}&y={(y + h / 2) * 2:.1f}&z="))

    def test_objects_of_several_seeds(self):
        folders = {name: self.made(name, seed=k, detect=.6 if name[0] == "a" else .95, decoder="unet" if name[0] == "a" else "linknet")
                   for k, name in enumerate(("a-s1", "a-s2", "a-s3", "b-s1", "b-s2", "b-s3"))}
        said = self.said(*folders, "--by", "seed")["objects"][0]
        found = {}
        for name, folder in folders.items():
            with open(f"{folder}/validation/objects.jsonl", encoding="utf-8") as f:
                for r in map(json.loads, f):
                    if r["side"] == "true":
                        found.setdefault((r["slide"], r["object"]), {"a": 0, "b": 0})[name[0]] += r["iou"] >= .5
        fates = [(o["a"] >= 2, o["b"] >= 2) for o in found.values()]
        self.assertEqual([said[k] for k in ("kept", "lost", "won", "missed_by_both")],
                         [fates.count(f) for f in ((True, True), (True, False), (False, True), (False, False))])
        self.assertIsNone(said["false_fates"])
        for side, said_of_it in zip("ab", (said["false_before"], said["false_after"])):
            self.assertAlmostEqual(said_of_it, sum(len(self.false_ones(folders[f"{side}-s{k}"])) for k in (1, 2, 3)) / 3)
        self.assertAlmostEqual(said["pooled_share_found"][1], sum(o["b"] for o in found.values()) / (3 * len(found)))
        self.assertIn("recipe", said["found"])
        self.assertTrue(all(x["fate"] in ("won", "lost") and abs(x["share_of_seeds"][1] - x["share_of_seeds"][0]) > .3
                            for x in said["changed"]))

    def false_ones(self, folder):
        with open(f"{folder}/validation/objects.jsonl", encoding="utf-8") as f:
            return [r for r in map(json.loads, f) if r["side"] == "found" and r["iou"] < .5]


class Costs(Compare):
    def session(self, **more):
        return {"started": "2026-01-31T12:00:00+0000", "wall_s": 3600, "cpu_s": 7200, "gpu_s": 3600, "peak_rss_mb": 3000,
                "others_cpu_s": 0, "machine_s": 28800, **more}

    def keep(self, name, *sessions):
        write(f"{self.folder}/{name}/20260131-120000-{name[:6]}/cost.json", json.dumps({"sessions": sessions}))

    def setUp(self):
        super().setUp()
        self.made("base"), self.made("other", gain=.02, seconds=7200)

    def test_of_runs_that_had_their_machine_to_themselves(self):
        self.keep("base", self.session(energy_wh=150))
        self.keep("other", self.session(energy_wh=100), self.session(cpu_s=3600, gpu_s=1800, energy_wh=40))
        runs = self.said("base", "other")["runs"]
        self.assertEqual([r["cpu_seconds"] for r in runs], [7200, 10800])
        self.assertEqual([r["gpu_seconds"] for r in runs], [3600, 5400])
        self.assertEqual([r["energy_wh"] for r in runs], [150, 140])
        self.assertEqual([(r["time_alone"], r["beside_others"]) for r in runs], [(True, 0), (True, 0)])
        text = self.compare("base", "other")
        cost = text[text.index("\nCost\n"):]
        head = cost.splitlines()[2]
        for title in ("training", "processor", "GPU", "energy", "memory", "time per +0.01", "processor per +0.01", "GPU per +0.01"):
            self.assertIn(title, head)
        self.assertIn("140 Wh", cost)
        self.assertIn("3000 MB", cost)
        self.assertIn("their times may be compared", " ".join(cost.split()))
        self.assertNotIn("*", cost)
        # An hour of processors more for what was won.
        won = self.said("base", "other")["findings"][0]["difference"]
        minutes = round(3600 * .01 / won) // 60
        self.assertIn(f"{minutes} min", cost.splitlines()[4])
        # Of few seconds their tenths: what costs something does not cost nothing.
        self.keep("base", self.session())
        self.keep("other", self.session(cpu_s=7200 + .3 * won / .01))
        self.assertIn(" 0.3 s", self.compare("base", "other"))

    def test_time_beside_others_is_marked_and_ranks_nothing(self):
        self.keep("base", self.session())
        self.keep("other", self.session(others_cpu_s=7200))
        text = self.compare("base", "other", "--out", "page.html")
        base, other = (line for line in text[text.index("\nCost\n"):].splitlines()[3:5] if re.match(r" +(base|other) ", line))
        self.assertNotIn("*", base)
        self.assertIn("2 h 00 min *", other)
        text = " ".join(text.split())
        self.assertIn("Such time ranks nothing.", text)
        self.assertIn("other (50 %)", text)
        self.assertIn("no ranking", read(f"{self.folder}/page.html"))
        self.assertEqual([r["time_alone"] for r in self.said("base", "other")["runs"]], [True, False])
        self.keep("other", self.session(gpu_shared=True))
        self.assertIn("2 h 00 min *", self.compare("base", "other"))

    def test_runs_of_before_say_that_nothing_was_recorded(self):
        self.keep("base", self.session())
        text = " ".join(self.compare("base", "other").split())
        self.assertIn("was not recorded, nor processor seconds: other.", text)
        self.assertIsNone(self.said("base", "other")["runs"][1]["time_alone"])

    def test_a_damaged_record_is_named(self):
        self.keep("base", {**self.session(), "cpu_s": -1})
        self.assertIn("cost.json", self.compare("base", "other", code=1))


class Refusals(Compare):
    def test_a_validation_that_was_interrupted_says_how_it_goes_on(self):
        self.made("base"), self.edit_scores(self.made("other"), complete=False)
        error = self.compare("base", "other", code=1)
        self.assertRegex(error, r"other: the validation was cut short; it goes on with: nephron validate \S+other --continue \[complete\]")

    def test_a_metric_is_no_value(self):
        self.made("base"), self.made("other")
        error = self.compare("base", "other", "--metric", "boundary", code=2)
        self.assertIn('"boundary" is a metric, and gave several values: hd95', error)
        self.assertIn("it has dice, hd95, iou", self.compare("base", "other", "--metric", "detection", code=1))

    def test_other_slides_of_a_donor_in_training_are_told(self):
        by_slide = Cohort()
        for number, slide in enumerate(by_slide.slides):
            slide["fold"] = number % 2  # each donor's two slides apart
        for made in (self.made("base", by_slide), self.made("other", by_slide)):
            write(f"{made}/splits.json", read(f"{made}/splits.json").replace('"by": "donor"', '"by": "index"'))
        text = " ".join(self.compare("base", "other").split())
        self.assertIn("base, other were trained on other slides of 12 donors that they are measured on: donor 1, donor 10,", text)
        self.made("first"), self.made("second")
        self.assertNotIn("trained on other slides", self.compare("first", "second"))

    def test_every_reason_at_once(self):
        self.made("base")
        folder = self.made("other", tta=["identity", "flip_x"], overlap=1.0)
        self.edit_scores(folder, checkpoint="last", thresholds={"glomerulus": .4}, threshold_from="--threshold", complete=False,
                         measured_by=[{"metric": "dice", "plugin": "dice", "version": "2.0.0", "parameters": "{}"}])

        def other_pixels(rows):
            rows[0]["picture_sha256"], rows[1]["truth_sha256"], rows[1]["fold"] = "0" * 64, "1" * 64, 1
            del rows[3:5]

        self.edit(f"{folder}/validation/slides.jsonl", other_pixels)
        said = self.compare("base", "other", code=1)
        for words in ("not measured on 2 slides of base", "other pixels than base on 1 slide: slide-00-0",
                      "other masks than base on 1 slide: slide-00-1", "1 slide held out by another fold than of base: slide-00-1", "glomerulus 0.4 (--threshold)",
                      "flips averaged over: flip_x, identity; of base: identity", "predict.overlap: 1.0; of base: 1.5",
                      "weights: last; of base: best by validation of \"slides\"", "dice 2.0.0", "cut short", "was trained on 1 slide",
                      "--vary predict.overlap", "--anyway"):
            self.assertIn(words, said)
        text = self.compare("base", "other", "--anyway")
        self.assertIn("NOT COMPARABLE, compared anyway", text)
        self.assertIn("22 slides", text)
        self.assertFalse(self.said("base", "other", "--anyway")["comparable"])
        self.assertIn("compared anyway", self.compare("base", "other", "--anyway", "--csv"))
        self.assertIn("NOT COMPARABLE", self.compare("base", "other", "--anyway", "--latex"))
        self.compare("base", "other", "--anyway", "--out", "page.html")
        self.assertIn("compared anyway", read(f"{self.folder}/page.html"))

    def test_vary_names_what_is_meant_to_differ(self):
        self.made("base"), self.made("other", tta=["identity", "flip_x"], decoder="linknet")
        self.assertIn("[predict.tta]", self.compare("base", "other", code=1))
        text = self.compare("base", "other", "--vary", "predict.tta")
        self.assertIn("Meant to differ: other: flips averaged over", text)
        self.assertIn("model.decoder.type (not named by --vary)", " ".join(text.split()))
        self.assertNotIn("not named", self.compare("base", "other", "--vary", "predict", "--vary", "model.decoder"))
        self.assertIn("neither a key", self.compare("base", "other", "--vary", "predict.ttta", code=2))

    def test_one_run_with_two_validations(self):
        folder = self.made("base")
        shutil.copytree(f"{folder}/validation", f"{self.folder}/last")
        self.edit_scores(folder, run=folder)
        file = f"{self.folder}/last/scores.json"
        scores = json.loads(read(file))
        write(file, json.dumps({**scores, "run": folder, "checkpoint": "last"}))
        text = self.compare("base", "last", "--vary", "checkpoint")
        self.assertIn(":last", text)

    def test_wrong_calls(self):
        self.made("base"), self.made("other")
        self.assertIn("one run alone", self.compare("base", code=2))
        self.assertIn("named twice", self.compare("base", "base", code=2))
        self.assertIn("no such folder", self.compare("base", "nowhere", code=1))
        self.assertIn('has no value "nsd"; it has dice, hd95, iou', self.compare("base", "other", "--metric", "nsd", code=1))
        self.assertIn("ends in .html", self.compare("base", "other", "--out", "page.txt", code=2))
        self.compare("base", "other", "--out", "page.html")
        self.assertIn("--overwrite", self.compare("base", "other", "--out", "page.html", code=1))
        self.assertIn("excludes", self.compare("base", "other", "--json", "--csv", code=2))

    def test_the_baseline_may_be_any_of_them(self):
        self.made("base"), self.made("other", gain=.02)
        said = self.said("base", "other", "--baseline", "other")
        self.assertEqual([s["name"] for s in said["sides"]], ["other", "base"])
        self.assertEqual(said["findings"][0]["verdict"], "worse")


class DamagedInput(Compare):
    def setUp(self):
        super().setUp()
        self.made("base")
        self.other = self.made("other")
        self.slides = f"{self.other}/validation/slides.jsonl"

    def refused(self, *words):
        said = self.compare("base", "other", code=1)
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(said.count("error"), 1, said)

    def test_not_measured_says_what_measures(self):
        shutil.rmtree(f"{self.other}/validation")
        self.refused("was not measured", "nephron validate", self.other)

    def test_torn_line(self):
        text = read(self.slides)
        write(self.slides, text[:-40])
        self.refused("slides.jsonl:24 is torn", "nephron validate", "--overwrite")

    def test_line_that_is_no_json(self):
        text = read(self.slides).split("\n")
        text[2] = text[2].replace('"dice": 0', '"dice": NaN,"x": 0')
        write(self.slides, "\n".join(text))
        self.refused("slides.jsonl:3 is damaged")

    def test_score_that_is_no_number(self):
        self.edit(self.slides, lambda rows: rows[4].update(dice="nan"))
        self.refused("slides.jsonl:5", "dice", "a number was expected")

    def test_score_that_no_measure_has(self):
        self.edit(self.slides, lambda rows: rows[4].update(dice=1e308))
        self.refused("slides.jsonl:5", "dice is 1e+308")

    def test_id_twice(self):
        self.edit(self.slides, lambda rows: rows.append(rows[1]))
        self.refused("slides.jsonl:25", 'slide "slide-00-1", class "glomerulus" is there a second time; first in line 2')

    def test_empty_tables(self):
        write(self.slides, "")
        self.refused("slides.jsonl holds no slide")

    def test_no_value_at_all(self):
        self.edit(self.slides, lambda rows: [row.update(dice=None) for row in rows])
        self.refused('no slide has a value "dice" in all')

    def test_undefined_values_are_left_out_of_all_and_told(self):
        self.edit(self.slides, lambda rows: rows[0].update(dice=None))
        text = self.compare("base", "other")
        self.assertIn("23 slides", text)
        self.assertIn("undefined in some runs and not in others for 1 value", " ".join(text.split()))

    def test_values_undefined_in_all_runs_are_told(self):
        for run_of in ("base", "other"):
            folder = glob.glob(f"{self.folder}/{run_of}/2*")[0]
            self.edit(f"{folder}/validation/slides.jsonl", lambda rows: [row.update(hd95=None) for row in rows[:3]])
        self.assertIn("21 slides, class glomerulus, 3 of 24 values undefined in all runs,", self.compare("base", "other", "--metric", "hd95"))
        self.assertEqual(self.said("base", "other", "--metric", "hd95")["values_undefined_in_all_runs"], 3)
        self.assertNotIn("undefined", self.compare("base", "other"))

    def test_huge_line(self):
        self.edit(self.slides, lambda rows: rows[0].update(note="x" * (2 << 20)))
        self.refused("slides.jsonl:1 is a line of over 1 MiB")

    def test_scores_cut_short(self):
        file = f"{self.other}/validation/scores.json"
        write(file, read(file)[:300])
        self.refused("scores.json is damaged")

    def test_half_a_run(self):
        os.remove(f"{self.other}/fold-1/slides.json")
        self.refused("fold-1/slides.json")

    def test_unfinished_folds_cost_nothing_known(self):
        os.remove(f"{self.other}/fold-1/done.json")
        self.assertIn("not finished", self.compare("base", "other"))

    def test_two_donors_of_one_slide(self):
        self.edit(self.slides, lambda rows: rows[0].update(donor="somebody else"))
        self.refused("another donor than base on 1 slide: slide-00-0")

    def test_classes_that_scores_does_not_name(self):
        self.edit(self.slides, lambda rows: rows[0].update({"class": "vessel"}))
        self.refused('"vessel", which is no class of scores.json')

    def test_objects_torn(self):
        file = f"{self.other}/validation/objects.jsonl"
        write(file, read(file)[:-10])
        self.refused("objects.jsonl", "is torn")

    def test_damaged_experiment(self):
        write(f"{self.other}/experiment.resolved.toml", "name = [")
        said = self.compare("base", "other", code=2)
        self.assertIn("experiment.resolved.toml:1", said)

    def test_hostile_names(self):
        name = "<script>alert(1)</script>\x1b[31m"
        for folder in ("base", "other"):
            self.edit(f"{self.folder}/{folder}/20260131-120000-{folder}/validation/slides.jsonl",
                      lambda rows: [row.update(donor=name) for row in rows if row["donor"] == "donor 1"])
        text = self.compare("base", "other", "--out", "page.html")
        self.assertNotIn("\x1b", text)
        self.assertNotIn("<script", read(f"{self.folder}/page.html"))


class Outputs(Compare):
    def setUp(self):
        super().setUp()
        self.cohort = Cohort(classes=("glomerulus", "tubule_1"))
        self.made("base"), self.made("other_100%", gain=.02)
        self.names = ("base", "other_100%")

    def test_csv(self):
        for rows, count in (("sides", 5), ("donors", 12), ("slides", 24)):
            table = list(csv.DictReader(io.StringIO(self.compare(*self.names, "--csv", "--rows", rows))))
            self.assertEqual(len(table), count)
        self.assertIn("other_100%", table[0])
        self.assertGreater(float(table[0]["base"]), .5)

    def test_latex(self):
        text = self.compare(*self.names, "--latex")
        for words in (r"\toprule", r"other\_100\%", r"95\,\% interval", r"\bottomrule", r"\caption"):
            self.assertIn(words, text)
        self.assertEqual(text.count("{"), text.count("}"))
        self.assertEqual(len({line.count("&") - line.count(r"\&") for line in text.split("\n") if line.strip().endswith(r"\\")}), 1)
        latex = shutil.which("pdflatex")
        if latex is None:
            self.skipTest("no pdflatex: the table is not compiled here")
        write(f"{self.folder}/t.tex", "\\documentclass{article}\\usepackage{booktabs}\\begin{document}" + text + "\\end{document}")
        done = subprocess.run([latex, "-interaction=nonstopmode", "-halt-on-error", "t.tex"], cwd=self.folder, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])

    def test_page_stands_alone(self):
        self.compare(*self.names, "--out", "page.html", "--viewer", "http://127.0.0.1:9/abc/#slide=x", "--margin", "0.01")
        page = read(f"{self.folder}/page.html")
        self.assertIn("http://127.0.0.1:9/abc/#slide=slide-", page)
        self.assertEqual(re.findall(r"<(?:script|link|img|iframe)", page), [])
        for words in ("Differences", "Cost against Dice", "Donors: base to other_100%", "tubule_1"):
            self.assertIn(words, page)
        self.assertEqual(page.count("<svg"), page.count("</svg>"))

    def test_the_same_call_says_the_same(self):
        self.assertEqual(self.compare(*self.names, "--json"), self.compare(*self.names, "--json"))

    def test_the_page_of_the_documentation(self):
        """What docs/comparison.md shows is what these runs give."""
        page = read(f"{a.source}/docs/comparison.md")
        example = re.search(r"\n    \$ (nephron compare .*)\n\n((?:(?:    .*)?\n)+)", page)
        cohort = Cohort(donors=12, slides=2, classes=("glomerulus", "tubule"), seed=1)
        self.made("unet", cohort), self.made("unet++", cohort, gain=.012, decoder="unet++", detect=.88)
        self.made("linknet", cohort, gain=-.002, spread=.008, decoder="linknet")
        said = self.compare(*[w.replace("runs/", "") for w in example.group(1).split()[2:]])
        shown = "\n".join(line[4:] for line in example.group(2).rstrip("\n").split("\n"))
        self.assertIn(shown, said)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
