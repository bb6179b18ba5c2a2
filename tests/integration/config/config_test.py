"""nephron config, bench and doctor as a person runs them: exit codes, output, files that others read."""
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments  # noqa: E402

a, rest = arguments("--source")

GOOD = """classes = ["glomerulus"]
[[dataset]]
type = "image_folder"
root = "data"
[sampler]
type = "uniform"
[[augmentation]]
type = "one_of"
of = [ { type = "flip" }, { type = "sequence", of = [ { type = "gaussian_blur" } ] } ]
[model]
encoder = { type = "resnet34" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "focal", gamma = 3 } ]
"""


class Config(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        for name in ("data/images", "data/masks"):
            os.makedirs(os.path.join(self.scratch.name, name))
        self.write("good.toml", GOOD)

    def write(self, name, text):
        with open(os.path.join(self.scratch.name, name), "w") as f:
            f.write(text)

    def run_nephron(self, *arguments):
        return subprocess.run([a.nephron, *arguments], cwd=self.scratch.name, capture_output=True, text=True)

    def test_check_says_good_and_exits_with_0(self):
        done = self.run_nephron("config", "check", "good.toml")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "good.toml: good\n", ""))

    def test_check_reports_every_fault_exactly(self):
        self.write("bad.toml", GOOD.replace("gamma = 3", "gama = 3").replace('"resnet34"', '"resnet43"'))
        done = self.run_nephron("config", "check", "bad.toml", "good.toml", "--set", "train.epoch=4")
        self.assertEqual(done.returncode, 2)
        self.assertIn('bad.toml:11:20: error: unknown encoder "resnet43"\n    encoder = { type = "resnet43" }\n'
                      '                       ^\n    did you mean "resnet34"?\n', done.stderr)
        self.assertIn('bad.toml:14:29: error: unknown key "gama"\n    terms = [ { type = "focal", gama = 3 } ]\n'
                      '                                ^\n    did you mean "gamma"?', done.stderr)
        self.assertIn('--set train.epoch=4: error: unknown key "epoch"\n    did you mean "epochs"?', done.stderr)

    def test_every_experiment_that_comes_with_nephron_is_good(self):
        folder = os.path.join(a.source, "experiments")
        files = sorted(os.path.join(at, f) for at, _, names in os.walk(folder) for f in names if f.endswith(".toml"))
        files = [f for f in files if os.path.basename(os.path.dirname(f)) != "base"]  # parts of experiments
        with_sweep = [f for f in files if "\n[sweep]\n" in open(f).read()]  # integration.main_job trains those
        files = [f for f in files if f not in with_sweep]
        self.assertGreater(len(files), 5)
        with unittest.mock.patch.dict(os.environ, {"AIDPATH_TILES": a.source}):  # has no default
            done = self.run_nephron("config", "check", "--without-data", *files)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count(": good\n"), len(files), done.stdout)

    def test_check_asks_components_for_faults_of_their_parameters(self):
        text = GOOD.replace('root = "data"', 'root = "nowhere"\ncolours = { glomerulos = [255, 0, 0] }')
        text = text.replace('type = "uniform"', 'type = "guided"\nweigh_by = ["glomerulus", "tubule"]')
        text = text.replace('[model]', '[model]\nin_channels = 4')
        self.write("bad.toml", text)
        done = self.run_nephron("config", "check", "bad.toml")
        self.assertEqual(done.returncode, 2)
        self.assertIn('bad.toml:4:8: error: "root" names a folder that is not there: nowhere\n', done.stderr)
        self.assertIn('expected nowhere/images/NAME.png with its mask nowhere/masks/NAME.png', done.stderr)
        self.assertRegex(done.stderr, r'bad.toml:5:\d+: error: the mask coding names class "glomerulos"; the experiment')
        self.assertIn('did you mean "glomerulus"?', done.stderr)
        self.assertIn('error: "weigh_by" names "tubule", which the experiment has not\n', done.stderr)
        self.assertIn('error: "in_channels" is 4, but slides give 3 channels', done.stderr)
        self.assertEqual(done.stderr.count("error: "), 4, done.stderr)
        # A component whose own table is at fault cannot be asked; the others are.
        self.write("bad.toml", text.replace("root = ", "tolerence = 3\nroot = "))
        done = self.run_nephron("config", "check", "bad.toml")
        self.assertIn('unknown key "tolerence"', done.stderr)
        self.assertIn('"weigh_by" names "tubule"', done.stderr)
        # Files that augmentations name are opened, however deep these lie.
        one = '[[augmentation]]\ntype = "one_of"\nof = [ { type = "flip" }, { type = "reinhard", statistics = "STATISTICS" } ]\n[model]'
        self.write("torn.json", '{"slides": {')
        for name, says in (("absent.json", "absent.json"), ("torn.json", "torn.json")):
            self.write("stains.toml", GOOD.replace("[model]", one.replace("STATISTICS", name)))
            done = self.run_nephron("config", "check", "stains.toml")
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stderr.count("error: "), 1, done.stderr)
        # Where no data are, the file alone is checked.
        self.write("away.toml", GOOD.replace('root = "data"', 'root = "nowhere"'))
        self.assertEqual(self.run_nephron("config", "check", "away.toml").returncode, 2)
        self.assertEqual(self.run_nephron("config", "check", "--without-data", "away.toml").returncode, 0)

    def test_classes_whose_masks_would_share_a_folder_are_refused(self):
        self.write("bad.toml", GOOD.replace('["glomerulus"]', '["a b", "c", "a/b"]'))
        done = self.run_nephron("config", "check", "bad.toml")
        self.assertEqual(done.returncode, 2)
        self.assertIn('bad.toml:1:24: error: the classes "a b" and "a/b" would have one folder, "a_b", for their masks\n', done.stderr)
        self.assertIn("rename one of them", done.stderr)
        self.assertEqual(done.stderr.count("error: "), 1, done.stderr)
        self.write("good2.toml", GOOD.replace('["glomerulus"]', '["a b", "a-b"]'))
        self.assertEqual(self.run_nephron("config", "check", "good2.toml").returncode, 0)

    def test_a_schema_replaces_a_schema_alone(self):
        """No experiment is named, so that nobody knows which files are annotations."""
        inputs = {"data/images/a.png": "a picture", "data/masks/a.json": '[{"type": "Feature"}]', "data/b.json": '{"id": 1}',
                  "data/notes.md": "notes"}
        for name, content in inputs.items():
            self.write(name, content)
            done = self.run_nephron("config", "schema", "--out", name, "--overwrite")
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(f"{name} is no JSON Schema, and is not replaced", done.stderr)
            with open(os.path.join(self.scratch.name, name)) as f:
                self.assertEqual(f.read(), content)
        done = self.run_nephron("config", "schema", "--markdown", "--out", "data/b.json", "--overwrite")
        self.assertIn("data/b.json is no page of Markdown", done.stderr)
        for options, name in (((), "s.json"), (("--markdown",), "s.md")):
            for more in ((), ("--overwrite",)):
                done = self.run_nephron("config", "schema", *options, "--out", name, *more)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_show_reads_back_equal_and_names_origins(self):
        self.write("leaf.toml", 'extends = "good.toml"\n[train]\nbatch = 4\n')
        done = self.run_nephron("config", "show", "leaf.toml", "--set", "train.epochs=3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\nbatch = 4 +# leaf.toml:3:9\n")
        self.assertRegex(done.stdout, r"\nepochs = 3 +# --set train.epochs=3\n")
        self.assertRegex(done.stdout, r"\naccumulate = 1 +# default\n")
        self.assertRegex(done.stdout, r"\ngamma = 3 +# good.toml:\d+:\d+\n")
        self.assertRegex(done.stdout, r"\nalpha = [\d.]+ +# default\n")  # a default of the component
        shown = tomllib.loads(done.stdout)
        self.assertEqual(shown["dataset"][0]["root"], os.path.join(self.scratch.name, "data"))
        self.write("shown.toml", done.stdout)
        self.assertEqual(tomllib.loads(self.run_nephron("config", "show", "shown.toml").stdout), shown)
        as_json = json.loads(self.run_nephron("config", "show", "leaf.toml", "--json").stdout)
        self.assertEqual(as_json["values"]["train"]["batch"], 4)
        self.assertEqual(as_json["origins"]["train.batch"], "leaf.toml:3:9")

    def test_a_preset_is_the_chain_of_its_file(self):
        chain = '[[augmentation]]\ntype = "one_of"\nof = [ { type = "flip" }, { type = "sequence", of = [ { type = "gaussian_blur" } ] } ]\n'
        self.assertIn(chain, GOOD)
        for name in ("hubmap-4th", "light", "strong-stain"):
            base = os.path.join(a.source, "experiments", "base", f"augment-{name}.toml")
            self.write("named.toml", GOOD.replace(chain, f'[augmentation]\npreset = "{name}"\n'))
            self.write("extends.toml", f'extends = "{base}"\n' + GOOD.replace(chain, ""))
            shown = [self.run_nephron("config", "show", f).stdout for f in ("named.toml", "extends.toml")]
            self.assertEqual(tomllib.loads(shown[0])["augmentation"], tomllib.loads(shown[1])["augmentation"])
            self.assertRegex(shown[0], rf'\ntype = "flip" +# .*augment-{name}.toml:\d+:\d+\n')
        done = self.run_nephron("config", "check", "good.toml", "--set", "augmentation.preset=strong-stain",
                                "--set", "augmentation.elastic.p=0.2")
        self.assertEqual((done.returncode, done.stdout), (0, "good.toml: good\n"), done.stderr)
        self.write("composed.toml", GOOD.replace("of = [ { type", 'of = [ { preset = "light", p = 0.5 }, { type'))
        shown = tomllib.loads(self.run_nephron("config", "show", "composed.toml").stdout)["augmentation"][0]["of"]
        self.assertEqual((shown[0]["type"], shown[0]["p"], shown[0]["of"][0]["type"]), ("sequence", 0.5, "flip"))
        done = self.run_nephron("config", "check", "good.toml", "--set", "augmentation.preset=lite")
        self.assertEqual(done.returncode, 2)
        self.assertIn('unknown preset "lite"', done.stderr)
        self.assertIn("hubmap-4th, light, strong-stain", done.stderr)

    def test_diff_names_what_differs(self):
        self.write("other.toml", 'extends = "good.toml"\ndescription = "x"\n[train.optimizer]\nlr = 0.01\n')
        done = self.run_nephron("config", "diff", "good.toml", "other.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("  train.optimizer.lr: 0.001 (default) -> 0.01 (other.toml:4:6)\n", done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), 2, done.stdout)
        self.assertEqual(self.run_nephron("config", "diff", "good.toml", "good.toml").stdout, "no difference\n")

    def test_a_mistyped_command_or_option_is_told(self):
        for arguments, meant in ((["trian", "x.toml"], '"trian"; did you mean "train"?'),
                                 (["config", "shwo", "good.toml"], '"shwo"; did you mean "show"?'),
                                 (["train", "good.toml", "--sett", "seed=1"], '"--sett"; did you mean "--set"?'),
                                 (["-v", "repotr"], '"repotr"; did you mean "report"?')):
            done = self.run_nephron(*arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("unknown", done.stderr)
            self.assertIn(meant, done.stderr)
        self.assertNotIn("did you mean", self.run_nephron("train").stderr)
        self.assertNotIn("did you mean", self.run_nephron("quite-another-thing").stderr)

    def test_diff_takes_runs(self):
        for name, text in (("20260101-000000-aaaaaa", "seed = 1\n"), ("20260102-000000-bbbbbb", "seed = 2\n")):
            os.makedirs(os.path.join(self.scratch.name, "runs/x", name))
            self.write(f"runs/x/{name}/experiment.resolved.toml", text + GOOD.replace('"data"', '"../../../data"'))
        done = self.run_nephron("config", "diff", "runs/x/20260101-000000-aaaaaa", "runs/x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^  seed: 1 \(.*\) -> 2 \(.*\)\n$")
        self.assertIn("runs/x holds 2 runs; taking the latest, 20260102-000000-bbbbbb", done.stderr)

    def test_schema_accepts_good_files_and_refuses_bad_ones(self):
        try:
            from jsonschema import Draft202012Validator
        except ImportError:
            self.skipTest("this Python has no jsonschema")
        done = self.run_nephron("config", "schema", "--out", "schema.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.scratch.name, "schema.json")) as f:
            schema = json.load(f)
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema)
        good = [GOOD, 'extends = "x.toml"\n[dataset.a]\nshare = 0.5\n', 'extends = ["a", "b"]\n[model.encoder]\nweights = "w"\n',
                GOOD + '[predict]\nthreshold = "search"\n', GOOD + '[predict]\nthreshold = 0.25\n',
                GOOD + '[train]\nprecision = "${PRECISION}"\n', GOOD + '[[augmentation]]\npreset = "light"\np = 0.5\n',
                GOOD.split("[[augmentation]]")[0] + '[augmentation]\npreset = "light"\nflip = { p = 0.5 }\n[model]'
                + GOOD.split("[model]")[1]]
        for text in good:
            self.assertEqual([e.message for e in validator.iter_errors(tomllib.loads(text))], [], text)
        bad = [GOOD.replace("gamma = 3", "gama = 3"), GOOD.replace("gamma = 3", "gamma = 11"), GOOD.replace("resnet34", "resnet43"),
               GOOD.replace("classes", "clases"), GOOD.replace('type = "uniform"', "", 1), GOOD + "[train]\nbatch = 0\n",
               GOOD + '[train]\nprecision = "fp8"\n', GOOD + "[data]\nmean = [1, 1]\n", GOOD + "[predict]\nthreshold = 2\n",
               GOOD.replace('"flip"', '"flop"'), GOOD.replace('type = "gaussian_blur"', "nope = 1, type = \"gaussian_blur\"")]
        for text in bad:
            self.assertFalse(validator.is_valid(tomllib.loads(text)), text)

    def test_reference_in_docs_is_in_step(self):
        done = self.run_nephron("config", "schema", "--markdown")
        with open(os.path.join(a.source, "docs", "experiment.md")) as f:
            self.assertEqual(f.read().split("<!-- reference -->\n\n")[1], done.stdout, "run: nephron config schema --markdown")

    def test_bench_compares_medians(self):
        os.mkdir(os.path.join(self.scratch.name, "bench"))
        self.write("bench/x.toml", """doc = "about x"
[[pair]]
name = "a"
ours = "echo noise; echo '{\\"s\\": 2, \\"r\\": 10}'"
peer = "echo '{\\"s\\": 3, \\"r\\": 5}'"
measure = [ { key = "s", bar = 1.6 }, { key = "r", better = "higher", bar = 2.0 }, { key = "s", limit = 1 } ]
[[pair]]
name = "b"
ours = "echo '{\\"s\\": 2}'"
peer = "{python} x"
measure = [ { key = "s", bar = 1.0 } ]
""")
        os.environ["NEPHRON_PEERS"] = "/nonexistent/python"
        done = self.run_nephron("bench", "--dir", "bench", "--list")
        self.assertEqual(done.stdout.split(), ["x", "about", "x"])
        done = self.run_nephron("bench", "x", "--dir", "bench", "--json", "--rounds", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        lines = [line for pair in report["pairs"] for line in pair["lines"]]
        self.assertEqual([line["verdict"] for line in lines], ["NOT MET", "met", "NOT MET", "not measured"])
        self.assertEqual([line["ratio"] for line in lines], [1.5, 2.0, 1.5, None])
        self.assertIn("/nonexistent/python is not there", report["pairs"][1]["absent"])
        self.assertEqual(self.run_nephron("bench", "y", "--dir", "bench").returncode, 2)
        self.write("bench/x.toml", 'doc = "x"\n[[pair]]\nname = "a"\nours = "exit 3"\nmeasure = [ { key = "s" } ]\n')
        done = self.run_nephron("bench", "--dir", "bench")
        self.assertEqual(done.returncode, 1)
        self.assertIn("this command failed: exit 3", done.stdout)

    def test_doctor_tells_as_json(self):
        done = self.run_nephron("doctor", "--json")
        facts = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if any(p["serious"] for p in facts["problems"]) else 0)
        self.assertGreater(facts["machine"]["cores"], 0)
        self.assertGreater(facts["plugins"]["encoders"], 0)
        self.assertIn("to look at" if facts["problems"] else "nothing is missing", self.run_nephron("doctor").stdout)


unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
