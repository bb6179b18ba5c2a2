"""The jobs of prepare.toml, windows.toml and open.toml, for either side; prints one line of JSON.

Slides are made once by the peers' make_slide.py and kept in the cache: 20,000 px a side, or 6,000 in short runs. So is
the store of 20 of them (hard links to one file) that is opened.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("job", choices=["prepare", "store", "windows", "open"])
p.add_argument("--nephron", help="run ours with this program")
p.add_argument("--peers", required=True)
p.add_argument("--variant", help="of the peer; without it, ours runs. memcpy: the limit of windows, by --nephron too")
p.add_argument("--factors", default="2")
p.add_argument("--size", default="short", choices=["short", "full"])
p.add_argument("--side", type=int, help="of the slide, in place of what --size says")
a = p.parse_args()
side = a.side or (20000 if a.size == "full" else 6000)
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nephron", "bench")


def output(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"store_jobs.py: {' '.join(map(str, command))} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def run(*command):
    return json.loads(next(line for line in reversed(output(*command).splitlines()) if line.startswith("{")))


slide = os.path.join(cache, f"slides-{side}", "train", "bench.tiff")
if not os.path.exists(slide):
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        run(sys.executable, os.path.join(a.peers, "make_slide.py"), "--width", side, "--height", side, "--id", "bench", "--out", scratch)
        os.rename(scratch, os.path.join(cache, f"slides-{side}"))
        os.makedirs(scratch)  # for the context manager to remove
polygons = slide.removesuffix(".tiff") + ".json"


def twenty_slides():
    """An experiment of 20 slides and its store, in a folder of the cache."""
    folder = os.path.join(cache, f"open-{side}")
    os.makedirs(os.path.join(folder, "slides", "train"), exist_ok=True)
    ids = [f"slide{i}" for i in range(20)]
    for name in ids:
        file = os.path.join(folder, "slides", "train", name + ".tiff")
        if not os.path.exists(file):
            os.link(slide, file)
    with open(os.path.join(os.path.dirname(slide), "..", "train.csv")) as f:
        runs = f.read().splitlines()[1].partition(",")[2]
    table = os.path.join(folder, "slides", "train.csv")
    if not os.path.exists(table):  # labels are as old as it
        with open(table, "w") as f:
            f.write("id,encoding\n" + "".join(f"{name},{runs}\n" for name in ids))
    experiment = os.path.join(folder, "experiment.toml")
    with open(experiment, "w") as f:
        f.write("""classes = ["healthy"]
[data]
store = "store"
factor = 4
[[dataset]]
type = "hubmap_kaggle"
root = "slides"
[sampler]
type = "guided"
[model]
encoder = { type = "resnet18" }
decoder = { type = "unet" }
[loss]
terms = [ { type = "bce" } ]
""")
    return experiment


def opened_by_tifffile(experiment):
    import tifffile
    files = glob.glob(os.path.join(os.path.dirname(experiment), "store", "*", "*", "*.tiff"))
    if not files:
        sys.exit("store_jobs.py: nothing is prepared yet; run ours first")
    start = time.perf_counter()
    for file in files:
        with tifffile.TiffFile(file) as tiff:
            for page in tiff.pages:
                page.aspage().dataoffsets
    return {"job": "open", "variant": "tifffile", "seconds": time.perf_counter() - start, "files": len(files)}


if a.job == "open":
    experiment = twenty_slides()
    if a.nephron:
        output(a.nephron, "prepare", experiment)
        print(json.dumps(run(a.nephron, "bench-open", experiment)))
    else:
        print(json.dumps(opened_by_tifffile(experiment)))
    sys.exit()
with tempfile.TemporaryDirectory(dir=cache) as scratch:
    if a.job == "windows":
        command = [a.nephron, "bench-windows"] if a.variant is None else \
            [a.nephron, "bench-windows", "--limit"] if a.nephron else \
            [sys.executable, os.path.join(a.peers, "bench_windows.py"), "--variant", a.variant]
        result = run(*command, "--slide", slide)
    elif a.variant is None:
        whole = ["--whole"] if a.job == "store" else []
        result = run(a.nephron, "bench-prepare", "--slide", slide, "--polygons", polygons, "--factors", a.factors,
                     "--out", os.path.join(scratch, "out.tiff"), *whole)
    else:
        result = run(sys.executable, os.path.join(a.peers, "bench_prepare.py"), "--slide", slide, "--polygons", polygons,
                     "--factor", a.factors, "--variant", a.variant, "--out", os.path.join(scratch, "out.tiff"))
print(json.dumps(result))
