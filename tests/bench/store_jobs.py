"""The jobs of prepare.toml and windows.toml, for either side; prints one line of JSON.

Slides are made once by the peers' make_slide.py and kept in the cache: 20,000 px a side, or 6,000 in short runs.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("job", choices=["prepare", "store", "windows"])
p.add_argument("--nephron", help="run ours with this program")
p.add_argument("--peers", required=True)
p.add_argument("--variant", help="of the peer; without it, ours runs")
p.add_argument("--factors", default="2")
p.add_argument("--size", default="short", choices=["short", "full"])
p.add_argument("--side", type=int, help="of the slide, in place of what --size says")
a = p.parse_args()
side = a.side or (20000 if a.size == "full" else 6000)
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nephron", "bench")


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"store_jobs.py: {' '.join(map(str, command))} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-1500:]}")
    return json.loads(next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{")))


slide = os.path.join(cache, f"slides-{side}", "train", "bench.tiff")
if not os.path.exists(slide):
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        run(sys.executable, os.path.join(a.peers, "make_slide.py"), "--width", side, "--height", side, "--id", "bench", "--out", scratch)
        os.rename(scratch, os.path.join(cache, f"slides-{side}"))
        os.makedirs(scratch)  # for the context manager to remove
polygons = slide.removesuffix(".tiff") + ".json"

with tempfile.TemporaryDirectory(dir=cache) as scratch:
    if a.job == "windows":
        command = [a.nephron, "bench-windows"] if a.variant is None else \
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
