"""`nephron prepare` and `nephron store` as commands: kill -9, two at a time, verify, prune, export, exit codes."""
import glob
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from slide_files import write_png  # noqa: E402

PROGRAM, PLUGINS = sys.argv[1], sys.argv[2]
failures = []


def run(*arguments, want=0):
    command = [PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    if done.returncode != want:
        failures.append(f"{' '.join(command)}: exit code {done.returncode}, not {want}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def check(good, what):
    if not good:
        failures.append(what)


def experiment(folder, store, name="experiment.toml", classes='["glomerulus"]', slides=6, size=900):
    """Synthetic slides: no files are needed, and each takes a while to paint."""
    path = os.path.join(folder, name)
    with open(path, "w") as out:
        out.write(f"""
classes = {classes}
sampler = {{ type = "uniform" }}
[data]
store = "{store}"
factor = 2
factors = [4]
tile = 64
[[dataset]]
type = "synthetic"
slides = {slides}
size = [{size}, {size - 64}]
radius = 40
[model]
encoder = {{ type = "resnet18" }}
decoder = {{ type = "unet" }}
[loss]
terms = [ {{ type = "bce" }} ]
""")
    return path


def contents(store):
    """Every file. Records without the time at which their file was made."""
    out = {}
    for path in glob.glob(os.path.join(store, "**", "*"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                out[os.path.relpath(path, store)] = re.sub(rb'\n  "mtime_ns": \d+,', b"", file.read())
    return out


def killed_at_any_moment(folder):
    """Whatever moment a process is killed at, the next one ends at what an unbroken one makes."""
    whole = experiment(folder, "whole", "whole.toml")
    start = time.monotonic()
    run("prepare", whole)
    seconds = time.monotonic() - start
    expected = contents(os.path.join(folder, "whole"))
    check(len(expected) == 6 * 10 + 1, f"unexpected files: {sorted(expected)}")
    broken = experiment(folder, "broken", "broken.toml")
    rng = random.Random(1)
    kills = 0
    for _ in range(12):
        child = subprocess.Popen([PROGRAM, "prepare", broken], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        time.sleep(rng.uniform(0.1, 0.9) * seconds)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            kills += 1
        child.wait()
        # What claims to be whole is whole.
        if os.path.isdir(os.path.join(folder, "broken")):
            out, _ = run("store", "list", os.path.join(folder, "broken"), "--json")
            for entry in json.loads(out):
                if entry["pictures"] or entry["labels"]:
                    check(not entry["problems"], f"after a kill: {entry['problems']}")
    check(kills > 0, "no process was killed in time")
    run("prepare", broken)
    check(contents(os.path.join(folder, "broken")) == expected, "after kills the store differs from an unbroken one")


def two_at_a_time(folder):
    path = experiment(folder, "shared", "shared.toml")
    children = [subprocess.Popen([PROGRAM, "prepare", path, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 env=ENVIRONMENT) for _ in range(3)]
    reports = [json.loads(child.communicate(timeout=120)[0]) for child in children]
    check(sum(r["prepared"] for r in reports) == 6, f"slides were prepared more than once: {reports}")
    check(all(r["prepared"] + r["up_to_date"] == 6 and not r["problems"] for r in reports), f"{reports}")
    check(sum(r["pictures"] for r in reports) == 6, f"pictures were prepared more than once: {reports}")
    # Two experiments that share pictures and not labels.
    paths = [experiment(folder, "halves", f"half{i}.toml", classes=classes) for i, classes in enumerate(('["a", "b"]', '["b", "c"]'))]
    children = [subprocess.Popen([PROGRAM, "prepare", path, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 env=ENVIRONMENT) for path in paths * 2]
    reports = [json.loads(child.communicate(timeout=120)[0]) for child in children]
    check(sum(r["pictures"] for r in reports) == 6 and sum(r["prepared"] for r in reports) == 12, f"{reports}")
    check(all(not r["problems"] for r in reports), f"{reports}")
    out, _ = run("store", "verify", os.path.join(folder, "halves"))
    check("18 folders, 0 problems" in out, out)


def interrupted(folder):
    path = experiment(folder, "ctrl-c", "ctrl-c.toml", slides=30)
    child = subprocess.Popen([PROGRAM, "prepare", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)
    store = os.path.join(folder, "ctrl-c")
    while child.poll() is None and not glob.glob(os.path.join(store, "*", "*", ".lock")):
        time.sleep(0.02)  # until it is at work
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    check(child.returncode == 130, f"Ctrl-C ended with {child.returncode}, not 130")
    left = [f for f in contents(store) if ".part." in f]
    check(not left, f"Ctrl-C left {left}")
    check(len(glob.glob(os.path.join(store, "labels", "*", "labels-2.json"))) < 30, "it was over before Ctrl-C")


def looked_after(folder):
    store = os.path.join(folder, "kept")
    path = experiment(folder, "kept", "kept.toml", slides=2)
    other = experiment(folder, "kept", "other.toml", classes='["a", "b"]', slides=2)
    out, _ = run("prepare", path)
    check("2 slides prepared, 0 up to date, 0 failed" in out, out)
    out, _ = run("prepare", path)
    check("0 slides prepared, 2 up to date" in out, out)
    entries = json.loads(run("store", "list", store, "--json")[0])
    labelled, pictures = [e for e in entries if e["labels"]], [e for e in entries if e["pictures"]]
    check(len(labelled) == 2 and len(pictures) == 2 and len(entries) == 4, f"{entries}")
    check([p["reduction"] for p in pictures[0]["pictures"]] == [2, 4] and pictures[0]["pictures"][0]["size"] == [900, 836], f"{entries}")
    out, _ = run("store", "verify", store, "--sources")
    check("4 folders, 0 problems" in out, out)
    out, _ = run("store", "list", store)
    check("2 pictures, 2 sets of labels" in out, out)

    name = labelled[0]["labels"][0]["slide"]
    picture, labels = os.path.join(folder, "a.png"), os.path.join(folder, "labels.tiff")
    run("store", "export", store, name, "--out", picture, "--factor", 4, "--region", "10,20,50,40")
    with open(picture, "rb") as file:
        check(struct.unpack(">II", file.read(24)[16:]) == (50, 40), "the exported region has another size")
    run("store", "export", store, name, "--labels", "--out", labels)
    check(os.path.getsize(labels) > 100, "no labels were exported")
    _, error = run("store", "export", store, name, "--out", picture, want=1)
    check("exists already" in error, error)
    picture = os.path.join(folder, "b.png")
    _, error = run("store", "export", store, name, "--out", picture, "--region", "0,0,9999,1", want=1)
    check("leaves the level of 450 x 418" in error, error)
    _, error = run("store", "export", store, "nobody", "--out", picture, want=1)
    check("holds no slide \"nobody\"" in error, error)
    run("store", "export", store, name, "--out", "a.gif", want=1)

    out, _ = run("prepare", other)
    check("labels of 2 slides prepared, 0 up to date, 0 failed" in out, out)
    dry = json.loads(run("store", "prune", path, "--dry-run", "--json")[0])
    check(len(dry["removed"]) == 2 and all(r.startswith("labels/") for r in dry["removed"]), f"{dry}")
    check(contents(store) != {} and json.loads(run("store", "prune", path, "--json")[0])["removed"] == dry["removed"], "prune")
    check(json.loads(run("store", "prune", path, "--json")[0])["removed"] == [], "prune twice removes twice")
    out, _ = run("prepare", path)
    check("0 slides prepared, 2 up to date" in out, out)

    # A factor that no experiment names goes, and the others stay.
    run("prepare", path, "--factors", "8")
    removed = json.loads(run("store", "prune", path, "--json")[0])["removed"]
    check(len(removed) == 4 and all(r.endswith(", factor 8") for r in removed), f"{removed}")
    out, _ = run("prepare", path)
    check("0 slides prepared, 2 up to date" in out, out)

    # Bytes that change later are not read at a start, but their file's time tells; what is sound is noted as it is.
    target = os.path.join(store, pictures[0]["place"], "picture-2.tiff")

    def flip():
        with open(target, "r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))

    def warning():
        return "1 file of the store was written to" in (text := "".join(run("data", "check", path))) and "nephron store verify " in text

    check(not warning(), "a store that nobody wrote to is warned of")
    flip()
    check(warning(), "a store that was written to is not told of")
    out, _ = run("store", "verify", store, want=1)
    check("pixels of picture-2.tiff have changed" in out, out)
    check(warning(), "a damaged file passes for sound")
    flip()
    run("store", "verify", store)
    check(not warning(), "what was verified is warned of")


def only_ours(folder):
    """Folders of other things are no stores; and of a store only what was written goes, never through a link."""
    home = os.path.join(folder, "home")
    photographs = os.path.join(home, "pictures", "2024", "beach")
    os.makedirs(photographs)
    os.makedirs(os.path.join(home, ".git", "refs", "heads"))
    for name in ("one.jpg", "tissue.png"):
        with open(os.path.join(photographs, name), "w") as file:
            file.write("a photograph")
    for store in (".", "pictures"):
        path = experiment(home, store, "ordinary.toml", slides=1)
        before = contents(home)
        for command in (("store", "prune", path), ("store", "prune", path, "--dry-run"), ("prepare", path)):
            out, error = run(*command, want=1)
            check("is no store of slides" in error and "data.store" in error and not out, f"{command}: {out}{error}")
        check(contents(home) == before, f"store = {store}: something changed")

    store = os.path.join(home, "store")
    path = experiment(home, "store", "mine.toml", slides=2)
    fewer = experiment(home, "store", "fewer.toml", slides=1, size=800)
    run("prepare", path)
    slide = sorted(os.path.dirname(record) for record in glob.glob(os.path.join(store, "pictures", "*", "picture-2.json")))[0]
    run("prepare", fewer)
    outside = os.path.join(home, "outside")
    shutil.copytree(slide, os.path.join(outside, "slide"))
    os.symlink(outside, os.path.join(store, "link"))
    os.makedirs(os.path.join(store, "notes", "of mine"))
    for place in (os.path.join(store, "notes", "of mine", "a.txt"), os.path.join(slide, "a.txt")):
        with open(place, "w") as file:
            file.write("mine")
    kept = contents(outside)
    dry = json.loads(run("store", "prune", fewer, "--json", "--dry-run")[0])
    report = json.loads(run("store", "prune", fewer, "--json")[0])
    check(len(report["removed"]) == 4 and report["removed"] == dry["removed"], f"{dry} {report}")
    check(report["left"] == dry["left"], f"a dry run tells of other things that stay: {dry} {report}")
    check(all("link" not in p and "notes" not in p for p in report["removed"]), f"{report}")
    check(contents(outside) == kept, "a folder outside the store was touched")
    check(os.path.exists(os.path.join(store, "notes", "of mine", "a.txt")), "a folder of the user's went")
    check(report["left"] == [os.path.join(os.path.realpath(slide), "a.txt") + " is not nephron's"], f"{report}")
    check(os.listdir(slide) == ["a.txt"], f"{os.listdir(slide)}")


def links_are_not_replaced(folder):
    """What somebody put in place of a file of ours is told of, and stays; so does what a link is called as a leftover."""
    path = experiment(folder, "linked", "linked.toml", slides=1)
    run("prepare", path)
    files = [file for part in ("pictures", "labels") for file in sorted(glob.glob(os.path.join(folder, "linked", part, "*", "*")))]
    check(len(files) == 10, f"{files}")
    slide = os.path.dirname(files[0])
    target = os.path.join(folder, "target.bin")
    for file in files:
        name = os.path.basename(file)
        with open(target, "w") as out:
            out.write("mine")
        kept = os.path.join(folder, "kept.bin")
        os.rename(file, kept)
        os.symlink(target, file)
        _, error = run("prepare", path, want=1)
        check(f"{name} is a link, which nephron did not write" in error and "remove it" in error, f"{name}: {error}")
        check(os.path.islink(file) and os.readlink(file) == target, f"{name} was replaced")
        with open(target) as there:
            check(there.read() == "mine", f"what {name} leads to was written")
        os.remove(file)
        os.rename(kept, file)
    leftover = os.path.join(slide, "picture-2.tiff.part.123")
    os.symlink(target, leftover)
    run("prepare", path, "--factors", 3)
    check(os.path.islink(leftover), "a link was removed as a leftover")


def strict(folder):
    """A slide that cannot be read is named and the rest go on; with --strict it ends the command."""
    data = os.path.join(folder, "pictures")
    for part in ("images", "masks"):
        os.makedirs(os.path.join(data, part))
        for i in range(3):
            write_png(os.path.join(data, part, f"{i}.png"), 128, 128, lambda x, y: (x * y + i) % 251)
    with open(os.path.join(data, "images", "1.png"), "w") as file:
        file.write("no picture")
    path = experiment(folder, "strict", "strict.toml")
    with open(path) as file:
        text = file.read()
    begin, end = text.index('type = "synthetic"'), text.index("[model]")
    with open(path, "w") as out:
        out.write(text[:begin] + f'type = "image_folder"\nroot = "{data}"\n' + text[end:])
    out, error = run("prepare", path, "--strict", "--jobs", 1, want=1)
    check('slide "1"' in error and "prepared" not in out, out + error)
    out, error = run("prepare", path, want=1)
    check("1 failed" in out and 'slide "1"' in error, out + error)
    records = glob.glob(os.path.join(folder, "strict", "labels", "*", "labels-2.json"))
    check(sorted(os.path.basename(os.path.dirname(r)).split("-")[0] for r in records) == ["0", "2"], f"{records}")
    write_png(os.path.join(data, "images", "1.png"), 128, 128)
    out, _ = run("prepare", path, "--strict")
    check("1 slide prepared, 2 up to date, 0 failed" in out, out)

    # Sources may be on another disk: a store is sound without them, unless they are asked for.
    store = os.path.join(folder, "strict")
    os.remove(os.path.join(data, "images", "2.png"))
    out, _ = run("store", "verify", store)
    check("0 problems" in out, out)
    out, _ = run("store", "verify", store, "--sources", want=1)
    check("images/2.png is gone" in out, out)


def exports_that_are_refused(folder):
    """Of two datasets with slides of one name, and two lists of classes; the store is as it was."""
    store = os.path.join(folder, "exports")
    for name, classes, size in (("x.toml", '["glomerulus"]', 900), ("y.toml", '["a", "b"]', 900), ("z.toml", '["a"]', 800)):
        run("prepare", experiment(folder, "exports", name, classes=classes, slides=1, size=size))
    entries = [e for e in json.loads(run("store", "list", store, "--json")[0]) if e["labels"]]
    slide, before = entries[0]["labels"][0]["slide"], contents(store)
    out = os.path.join(folder, "export.png")
    both = next(e["place"] for e in entries if e["labels"][0]["classes"] == ["glomerulus"])
    for arguments, says in (
            ([slide, "--out", out], f'holds 2 pictures of slides "{slide}"'),
            ([both, "--out", out, "--factor", 3], "factor 3"),
            ([slide, "--out", out, "--labels"], "holds 3 sets of labels"),
            ([both, "--out", out, "--region", "400,0,100,10"], "leaves the level"),
            ([both, "--out", os.path.join(folder, "export.gif")], "exported as .png, .tif or .tiff"),
            ([both, "--out", os.path.join(store, "export.png")], "lies in the store")):
        _, error = run("store", "export", store, *arguments, want=1)
        check(says in error, f"{arguments}: {error}")
    run("store", "export", store, both, "--out", out, "--region", "1,2,3", want=2)
    check(not glob.glob(os.path.join(folder, "export.*")), "something was written")
    check(contents(store) == before, "the store is another")


def stains_are_measured_once(folder):
    """Each record of a picture has them; one of an earlier nephron gets them when its slide is prepared again."""
    path, store = experiment(folder, "stains", "stains.toml", slides=2), os.path.join(folder, "stains")
    run("prepare", path)
    whole = contents(store)
    found = json.loads(run("store", "stains", store)[0])["slides"]
    check(len(found) == 2, f"{found}")
    for slide in found.values():
        check(all(abs(sum(v * v for v in stain) - 1) < 1e-6 for stain in slide["stains"]), f"{slide}")
        check(min(slide["strength"]) > 0 and min(slide["background"]) > 200, f"{slide}")
    records = glob.glob(os.path.join(store, "pictures", "*", "picture-*.json"))
    check(len(records) == 4, f"{records}")
    for name in records:
        with open(name) as file:
            record = json.load(file)
        check(record.pop("colours", None) is not None, f"{name} has no colours")
        with open(name, "w") as file:
            json.dump(record, file, indent=2)
            file.write("\n")
    check(json.loads(run("store", "stains", store)[0])["slides"] == found, "measured on demand, they are others")
    out, _ = run("store", "verify", store)
    check("0 problems" in out, out)
    out, _ = run("prepare", path)
    check("0 slides prepared, 2 up to date" in out, out)
    check(contents(store) == whole, "records are others when they were completed")
    out = os.path.join(folder, "stains.json")
    run("store", "stains", store, "--out", out)
    with open(out) as file:
        check(json.load(file)["slides"] == found, "the file is another than what is printed")
    _, error = run("store", "stains", store, "--out", out, want=1)
    check("--overwrite" in error, error)
    _, error = run("store", "stains", store, "--factor", 3, want=1)
    check("no slide at factor 3" in error, error)


def refused(folder):
    path = experiment(folder, "none", "none.toml")
    _, error = run("prepare", path, "--set", "data.store=\"\"", want=1)
    check("names no store" in error, error)
    _, error = run("prepare", path, "--only", "nobody", want=1)
    check("no slide \"nobody\"" in error, error)
    run("prepare", os.path.join(folder, "absent.toml"), want=2)
    run("prepare", want=2)
    run("store", want=2)
    _, error = run("store", "list", os.path.join(folder, "absent"), want=1)
    check("is not a folder" in error, error)


ENVIRONMENT = {**os.environ, "NEPHRON_PLUGIN_PATH": PLUGINS}
with tempfile.TemporaryDirectory() as scratch:
    for test in (refused, only_ours, links_are_not_replaced, strict, exports_that_are_refused, stains_are_measured_once, looked_after, two_at_a_time, interrupted, killed_at_any_moment):
        begin = time.monotonic()
        before = len(failures)
        test(scratch)
        print(f"{test.__name__}: {'ok' if len(failures) == before else 'FAILED'} ({time.monotonic() - begin:.1f} s)", flush=True)
for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
