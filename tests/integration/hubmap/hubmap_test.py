"""The path that experiments/hubmap/README.md tells, on made-up slides: synth, prepare, check, preview, a first
training, probability maps, a second training on three mixed datasets; and what must be refused on the way."""

import csv
import glob
import html
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

PROGRAM, EXPERIMENTS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
FIRST, MIXED, PUBLISHED = (
    os.path.join(EXPERIMENTS, "hubmap", name) for name in ("trial-first.toml", "trial.toml", "4th-place.toml")
)
SIZE = 1024
SMALL = [
    "--set",
    "train.epochs=1",
    "--set",
    "train.steps_per_epoch=4",
    "--set",
    "train.batch=4",
    "--set",
    "data.tile=64",
    "--set",
    "data.factor=4",
    "--set",
    "train.threads=1",
]
failures = []


def run(*arguments, want=0, **environment):
    command = [PROGRAM, *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=WORK, env={**ENVIRONMENT, **environment}
    )
    if done.returncode != want:
        failures.append(f"{' '.join(command)}: exit code {done.returncode}, not {want}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def check(good, what):
    if not good:
        failures.append(what)


def path(*names):
    return os.path.join(WORK, "data", *names)


def load(file):
    with open(file) as text:
        return json.load(text)


def ids(folder, ending):
    return sorted(os.path.basename(f).removesuffix(ending) for f in glob.glob(path(folder, "*" + ending)))


def synth(layout, slides, size, out, seed=1):
    return run(
        *("synth", "--layout", layout, "--slides", slides, "--size", f"{size}x{size}", "--seed", seed, "--out", out)
    )


def slides_are_made():
    out = synth("kaggle", 4, SIZE, path("kaggle"))
    check("6 slides" in out, out)
    synth("mendeley", 2, SIZE, path("mendeley"), seed=2)
    synth("portal", 1, SIZE, path("portal"), seed=3)  # and one without annotation
    train = ids("kaggle/train", ".tiff")
    check(
        len(train) == 4 and len(ids("kaggle/test", ".tiff")) == 2 and len(ids("mendeley", ".svs")) == 3, "wrong slides"
    )
    told = json.loads(run("slide", "info", "--json", *glob.glob(path("kaggle/train/*.tiff"))))["slides"]
    check(len({(s["format"], tuple(s["tile"])) for s in told}) == 4, f"not four layouts: {told}")
    check(all((s["width"], s["height"]) == (SIZE, SIZE) for s in told), f"axes are mixed up: {told}")
    out = synth("kaggle", 4, SIZE, path("kaggle"))
    check("6 of them from before" in out, out)
    out = run("synth", "--seed", 3, "--out", path("kaggle"), want=1)
    check("holds something else already; nothing is overwritten" in out, out)
    out = run("synth", "--out", path("x"), "--dataset", "mendeley", want=1)
    check('dataset "mendeley" makes no slides of its own' in out, out)
    for name in ("first", "4th-place", "trial-first", "trial"):
        out = run("config", "check", "--without-data", os.path.join(EXPERIMENTS, "hubmap", name + ".toml"))
        check(out.endswith(": good\n"), out)
    check(run("config", "check", FIRST).endswith(": good\n"), "the folders of the data are not found")


def stamps():
    return {
        f: (os.stat(f).st_mtime_ns, os.path.getsize(f))
        for f in glob.glob(path("store/**"), recursive=True)
        if os.path.isfile(f)
    }


def the_store_is_made_once():
    out = run("prepare", FIRST)
    check("9 slides prepared, 0 up to date, 0 failed" in out, out)
    before = stamps()
    out = run("prepare", FIRST)
    check("0 slides prepared, 9 up to date, 0 failed" in out, out)
    check(stamps() == before, "a second prepare writes to the store")
    out = run("data", "check", FIRST)
    check("9 slides, 0 findings" in out, out)
    check(stamps() == before, "data check writes to the store")


def painted(runs, bit, mask):
    """Kaggle's run lengths: from 1, down the columns."""
    numbers = list(map(int, runs.split()))
    for start, length in zip(numbers[::2], numbers[1::2]):
        for i in range(start - 1, start - 1 + length):
            mask[i] |= bit


def expected_pixels(slide, factor):
    """Pixels a class of a Kaggle slide at a reduction, from train.csv and what `nephron labels` makes of drawings."""
    mask = bytearray(SIZE * SIZE)
    csv.field_size_limit(1 << 30)
    with open(path("kaggle/train.csv")) as table:
        painted({r["id"]: r["encoding"] for r in csv.DictReader(table)}[slide], 1, mask)
    extra = path("kaggle/extra", slide + ".json")
    if os.path.exists(extra):
        rle = os.path.join(WORK, "extra.csv")
        run(
            "labels",
            "convert",
            extra,
            "--size",
            f"{SIZE}x{SIZE}",
            "--to",
            "rle",
            "--classes",
            "G,FC",
            "--out",
            rle,
            "--overwrite",
        )
        with open(rle) as table:
            for row in csv.DictReader(table):
                painted(row["encoding"], {"G": 1, "FC": 2}[row["class"]], mask)
    small = b"".join(mask[x * SIZE : (x + 1) * SIZE : factor] for x in range(0, SIZE, factor))
    return [sum(1 for m in small if m & bit) for bit in (1, 2)]


def table(page, title):
    """Rows of the page's table whose first column has this title."""
    for text in re.findall(r"<table>.*?</table>", page, re.S):
        cells = [
            [html.unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<t[hd]>(.*?)</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr>.*?</tr>", text, re.S)
        ]
        if cells and cells[0][0] == title:
            return {row[0]: row[1:] for row in cells[1:]}
    failures.append(f"the page has no table of {title}")
    return {}


def labels_are_counted_right():
    total = {2: [0, 0], 4: [0, 0]}
    for slide in ids("kaggle/train", ".tiff"):
        for factor in (2, 4):
            record = next(
                r
                for r in map(load, glob.glob(path("store", "labels", f"{slide}-*", f"labels-{factor}.json")))
                if r["dataset"] == "hubmap_kaggle"
            )
            pixels = expected_pixels(slide, factor)
            check(
                record["foreground"] == pixels,
                f"{slide} at 1/{factor}: {record['foreground']}, not {pixels}",
            )
            total[factor] = [a + b for a, b in zip(total[factor], pixels)]
    check(min(total[2]) > 1000, f"hardly any labels: {total}")
    run("data", "preview", FIRST, "--out", "page.html")
    with open(os.path.join(WORK, "page.html")) as text:
        page = text.read()
    row = table(page, "dataset").get("hubmap_kaggle", [])
    check(
        row[:2] == ["4", "4"] and row[3:] == [f"{n / 1e6:.3f}" for n in total[2]], f"hubmap_kaggle: {row}, not {total}"
    )
    check(table(page, "dataset").get("mendeley", [])[:2] == ["3", "2"], "mendeley")
    folds = table(page, "fold")
    check(sum(int(folds[f"fold {k}"][0]) for k in (0, 1)) == 4 and folds["trained on only"][0] == "3", f"{folds}")
    check(table(page, "group")["external"][0] == "5" and len(table(page, "donor")) == 6, "groups or donors")
    out = run("data", "preview", FIRST, "--out", "grid.png")
    check("64 windows of 128 px from 7 slides at factor 2" in out, out)
    with open(os.path.join(WORK, "grid.png"), "rb") as file:
        check(struct.unpack(">II", file.read(24)[16:]) == (8 * 132 - 4, 8 * (128 + 16)), "the grid has another size")


def newest(name):
    return sorted(glob.glob(os.path.join(WORK, "runs", name, "*")))[-1]


def sides(name, fold):
    told = load(os.path.join(newest(name), f"fold-{fold}", "slides.json"))
    return told["trained_on"], told["held_out"]


def folds_are_told(name):
    held_out = []
    for fold in (0, 1):
        trained, held = sides(name, fold)
        held_out += [s["id"] for s in held]
        check({s["dataset"] for s in held} == {"hubmap_kaggle"}, f"{name}, fold {fold}: held out {held}")
        check(
            not {s["donor"] for s in held} & {s["donor"] for s in trained if s["donor"]}, f"{name}, fold {fold}: donors"
        )
        external = [s["id"] for s in trained if s["dataset"] == "mendeley"]
        check(
            external
            == [i for i in ids("mendeley", ".svs") if os.path.exists(path("mendeley/annotations", i + ".json"))],
            f"{name}, fold {fold}: trained on {external}",
        )
        kaggle = [s["id"] for s in trained if s["dataset"] == "hubmap_kaggle"]
        check(
            sorted(kaggle + [s["id"] for s in held]) == ids("kaggle/train", ".tiff"), f"{name}, fold {fold}: {kaggle}"
        )
    check(sorted(held_out) == ids("kaggle/train", ".tiff"), f"{name}: held out {held_out}")


def the_first_stage_makes_maps():
    before = stamps()
    out = run("train", FIRST, "--fold", "all", *SMALL)
    check("mean of best Dice" in out and out.count("warning") == out.count("warning: 2 slides without annotation") == 1, out)
    check(stamps() == before, "training writes to a store that is up to date")
    folds_are_told("hubmap-trial-first")
    for fold in (0, 1):
        out = run(
            "predict",
            newest("hubmap-trial-first"),
            "--fold",
            fold,
            "--images",
            path("kaggle/test"),
            "--out",
            path("maps", str(fold)),
        )
        check("predicted 2 pictures" in out, out)
        seen = sorted(s["id"] for s in sides("hubmap-trial-first", fold)[0])
        check(load(path("maps", str(fold), "predict.json"))["trained_on"] == seen, "predict.json tells of other slides")
        check(ids(f"maps/{fold}/probabilities/healthy", ".png") == ids("kaggle/test", ".tiff"), "maps are missing")


def three_datasets_are_mixed():
    out = run("prepare", MIXED)
    check("4 slides prepared (of 2 the labels alone), 9 up to date, 0 failed" in out, out)
    # Maps of two folds of each slide of the test, whose picture they share.
    check(len(glob.glob(path("store", "pictures", "*"))) == 11, f"{glob.glob(path('store', 'pictures', '*'))}")
    out = run("data", "check", MIXED)
    check("13 slides, 0 findings" in out, out)
    run("data", "preview", MIXED, "--out", "mixed.html", "--windows", 16)
    with open(os.path.join(WORK, "mixed.html")) as text:
        page = text.read()
    check(table(page, "fold")["trained on only"][0] == "7", f"{table(page, 'fold')}")
    shares = table(page, "group")  # the first table of that title counts slides
    check(set(shares) == {"hubmap_kaggle", "external", "pseudo"}, f"{shares}")
    drawn = table(page, "sampling group")
    for group, share in (("hubmap_kaggle", 0.65), ("external", 0.2), ("pseudo", 0.15)):
        check(drawn[group][0] == f"{100 * share:.1f} %", f"{drawn}")
        n = 2000
        check(
            abs(int(drawn[group][1]) - share * n) < 4 * math.sqrt(n * share * (1 - share)), f"of {n} samples: {drawn}"
        )
    before = stamps()
    out = run("train", MIXED, "--fold", "all", *SMALL)
    check("mean of best Dice" in out and out.count("warning") == out.count("warning: 2 slides without annotation") == 1, out)
    check(stamps() == before, "training writes to a store that is up to date")
    folds_are_told("hubmap-trial")
    for fold in (0, 1):
        pseudo = [s["id"] for s in sides("hubmap-trial", fold)[0] if s["dataset"] == "pseudo_labels"]
        check(
            pseudo == [f"{i}@fold{fold}" for i in ids("kaggle/test", ".tiff")], f"fold {fold} learns from maps {pseudo}"
        )


# What the published code was run with, by the keys that docs/reference-config.md names.
NUMBERS = {
    "seed": 42,
    "classes": ["healthy", "unhealthy"],
    "data.tile": 512,
    "data.factor": 2,
    "data.window": 1.5,
    "data.folds.count": 5,
    "data.folds.by": "index",
    "data.mean": [0.66437738, 0.50478148, 0.70114894],
    "data.std": [0.15825711, 0.24371008, 0.13832686],
    "sampler.half_side": 10,
    "sampler.accept_random": 0.1,
    "sampler.groups.0.half_side": 250,
    "sampler.groups.1.half_side": 250,
    "model.encoder.type": "efficientnet-b1",
    "model.decoder.type": "unet",
    "loss.class_weights": [1.0, 0.2],
    "loss.terms.0.type": "bce",
    "train.batch": 16,
    "train.epochs": 40,
    "train.steps_per_epoch": 5000 // 16,
    "train.optimizer.type": "adam",
    "train.optimizer.lr": 1e-3,
    "train.schedule.type": "linear",
    "train.schedule.warmup": 0.05,
    "batch_augmentation.0.type": "cutmix",
    "batch_augmentation.0.p": 1.0,
    "batch_augmentation.0.alpha": 0.4,
    "predict.overlap": 1.5,
    "predict.tta": ["identity", "flip_x", "flip_y", "flip_xy"],
}


# The parameters of the published code's Config.
PARAMETERS = """tile_size reduce_factor on_spot_sampling overlap_factor selected_folds encoder decoder num_classes loss
    optimizer batch_size val_bs epochs iter_per_epoch lr warmup_prop mix_proba mix_alpha use_pl use_external pl_path
    extra_path rle_path DEBUG""".split()


def the_table_of_parameters_names_keys_that_there_are():
    with open(os.path.join(EXPERIMENTS, "../docs/reference-config.md")) as text:
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text if line.startswith("| `")]
    told = {row[0].strip("`"): row[2] for row in rows if len(row) == 4}
    check([p for p in PARAMETERS if p not in told] == [], f"not in the table: {set(PARAMETERS) - set(told)}")
    values = json.loads(run("config", "show", "--json", PUBLISHED))["values"]
    for parameter, cell in told.items():
        for key in re.findall(r"`((?:data|sampler|predict|model|loss|train|classes|seed)(?:\.[a-z_]+)*)`", cell):
            try:
                at(values, key)
            except (KeyError, TypeError):
                failures.append(f"the table says {parameter} is {key}, which the published experiment has not")
    batches = {row[0].strip("`"): row[1:] for row in rows if len(row) == 5}
    check("resnet18" in batches, f"{batches}")


def at(values, key):
    for part in key.split("."):
        values = values[int(part)] if isinstance(values, list) else values[part]
    return values


def the_published_experiment_is_trained():
    shown = json.loads(run("config", "show", "--json", PUBLISHED))
    for key, wanted in NUMBERS.items():
        check(at(shown["values"], key) == wanted, f"{key}: {at(shown['values'], key)}, not {wanted}")
    shares = {}
    for dataset in shown["values"]["dataset"]:
        shares[dataset.get("group", "")] = shares.get(dataset.get("group", ""), 0) + dataset["share"]
    check(
        math.isclose(shares["external"], 0.2) and shares["pseudo"] == 0.15 and sum(shares.values()) < 1, f"{shares}"
    )
    chain = [link["type"] for link in shown["values"]["augmentation"]]
    check(chain == ["flip", "shift_scale_rotate", "one_of", "one_of", "one_of"], f"{chain}")
    check(
        all(shown["origins"][f"augmentation.{i}.type"].split(":")[0].endswith("augment-hubmap-4th.toml") for i in range(5)),
        "the chain is another file's than the preset's",
    )
    folds = ["data.folds={count = 2, by = 'donor'}", f"dataset.pseudo_labels.maps={[path('maps/0'), path('maps/1')]}"]
    small = [word for setting in folds for word in ("--set", setting)]
    out = run("train", PUBLISHED, "--fold", 0, *SMALL, *small)
    folder = newest("hubmap-4th-place")
    done = load(os.path.join(folder, "fold-0", "done.json"))
    check(done["steps"] == 4, f"{done}\n{out}")
    with open(os.path.join(folder, "experiment.resolved.toml")) as file:
        text = file.read()
    check("preset" not in text.replace("augment-hubmap-4th", "") and 'type = "optical_distortion"' in text, text)
    check({s["dataset"] for s in sides("hubmap-4th-place", 0)[0]}
          == {"hubmap_kaggle", "mendeley", "hubmap_portal", "pseudo_labels"}, "not all datasets are trained on")


def leaks_are_refused():
    # The maps of fold 1's network for fold 0: it was trained on what fold 0 holds out.
    wrong = ["--set", f"dataset.pseudo_labels.maps=[\"{path('maps/1')}\"]"]
    held = [s["id"] for s in sides("hubmap-trial-first", 0)[1]]
    runs = len(glob.glob(os.path.join(WORK, "runs", "hubmap-trial", "*", "fold-*", "metrics.jsonl")))
    out = run("train", MIXED, "--fold", 0, *SMALL, *wrong, want=1)
    check("come of networks that were trained on" in out and all(f'"{i}"' in out for i in held), out)
    check("which fold 0 is validated on" in out and "allow_leak = true" in out, out)
    check(
        len(glob.glob(os.path.join(WORK, "runs", "hubmap-trial", "*", "fold-*", "metrics.jsonl"))) == runs,
        "it was trained all the same",
    )
    out = run("data", "check", MIXED, *wrong, want=1)
    check("which fold 0 is validated on" in out and "13 slides" not in out, out)
    check("1 findings" not in out and "1 finding" in out, out)
    run("train", MIXED, "--fold", 1, "--debug", *SMALL, *wrong)  # fold 1's own
    out = run("train", MIXED, "--fold", 0, "--debug", *SMALL, *wrong, "--set", "dataset.pseudo_labels.allow_leak=true")
    check(re.search(r"warning.*which fold 0 is validated on", out) is not None, out)

    out = run("data", "check", MIXED, "--set", "data.folds.by=index", want=1)
    check(re.search(r'donor "donor-0" stands on both sides of folds? ', out) is not None, out)
    out = run("train", FIRST, "--fold", 0, "--debug", *SMALL, "--set", "data.folds.by=index")
    check(re.search(r"warning.*stands on both sides of fold", out) is not None, out)


def a_slide_that_is_there_twice_is_found():
    source = sides("hubmap-trial-first", 0)[1][0]
    shutil.copy(source["source"], path("mendeley/SAS_1_001.svs"))
    out = run("data", "check", FIRST, want=1)
    check(
        f'slide "{source["id"]}" of "hubmap_kaggle" and slide "SAS_1_001" of "mendeley" have equal pixels; one of them'
        in out,
        out,
    )
    shutil.copy(path("kaggle/train", source["id"] + ".json"), path("mendeley/annotations/SAS_1_001.json"))
    labels = [
        "--set",
        'dataset.mendeley.objects=[{name="glomerulus", class="healthy"}, {name="G", class="healthy"}, '
        '{name="FC", class="unhealthy"}]',
    ]
    out = run("data", "check", FIRST, *labels, want=1)
    check("have equal pixels, and fold 0 is trained on one and validated on the other: remove one of them" in out, out)
    for name in ("SAS_1_001.svs", "annotations/SAS_1_001.json"):
        os.remove(path("mendeley", name))


def a_map_of_another_slide_is_refused():
    one, other = ids("kaggle/test", ".tiff")
    shutil.copy(path("kaggle/test", other + ".tiff"), path("kaggle/test", one + ".tiff"))
    out = run("data", "check", MIXED, want=1)
    check(out.count(f'were made of another slide "{one}"') >= 2, out)
    check("predict this slide again" in out, out)
    out = run("train", MIXED, "--fold", 0, "--debug", *SMALL, want=1)
    check(f'were made of another slide "{one}"' in out and "2 of 13 slides could not be read" in out, out)
    out = run("train", MIXED, "--fold", 0, "--debug", "--set", "data.most_lost=0.2", *SMALL)
    check("asked for 13 slides, used 11" in out, out)


def maps_fit_their_slides_in_every_layout():
    """predict reads strips, planes and pages as the datasets do: all four slides of train/ have the pixels it noted."""
    run(
        "predict",
        newest("hubmap-trial-first"),
        "--fold",
        0,
        "--images",
        path("kaggle/train"),
        "--out",
        path("maps/train"),
    )
    again = [
        "--set",
        f"dataset.pseudo_labels.root=\"{path('kaggle/train')}\"",
        "--set",
        f"dataset.pseudo_labels.maps=[\"{path('maps/train')}\"]",
    ]
    out = run("data", "check", MIXED, *again, want=1)
    check("13 slides" in out and "made of another slide" not in out, out)
    check(out.count("have equal pixels") >= 4, out)  # each is there twice


def wrong_folders_are_told():
    out = run("data", "check", FIRST, want=1, HUBMAP_DATA="/nowhere")
    check("the folder /nowhere/kaggle is not laid out as Kaggle's" in out and "it is no folder" in out, out)
    check("unpack the competition's data there, or correct root" in out, out)
    empty = os.path.join(WORK, "empty")
    shutil.copytree(path("kaggle"), os.path.join(empty, "kaggle"))
    out = run("prepare", FIRST, want=1, HUBMAP_DATA=empty)
    check("expected SESCAM_*.svs" in out and "k7nvtgn2x6" in out, out)
    synth("mendeley", 2, 256, os.path.join(empty, "mendeley"), seed=2)
    out = run("prepare", FIRST, want=1, HUBMAP_DATA=empty)
    check("expected VAN0003-LK-32-21-PAS_registered.ome.tif" in out, out)
    synth("portal", 1, 256, os.path.join(empty, "portal"), seed=3)
    out = run("prepare", MIXED, want=1, HUBMAP_DATA=empty)
    check("maps/0/predict.json is not there; expected what nephron predict writes" in out, out)


with tempfile.TemporaryDirectory() as WORK:
    ENVIRONMENT = {**os.environ, "HUBMAP_DATA": path()}
    for test in (
        the_table_of_parameters_names_keys_that_there_are,
        slides_are_made,
        the_store_is_made_once,
        labels_are_counted_right,
        the_first_stage_makes_maps,
        three_datasets_are_mixed,
        the_published_experiment_is_trained,
        leaks_are_refused,
        a_slide_that_is_there_twice_is_found,
        maps_fit_their_slides_in_every_layout,
        a_map_of_another_slide_is_refused,
        wrong_folders_are_told,
    ):
        begin = time.monotonic()
        before = len(failures)
        try:
            test()
        except (KeyError, IndexError, OSError, ValueError) as e:  # what the step before it has not made
            failures.append(f"{test.__name__}: {type(e).__name__}: {e}")
        print(
            f"{test.__name__}: {'ok' if len(failures) == before else 'FAILED'} ({time.monotonic() - begin:.1f} s)",
            flush=True,
        )
for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
