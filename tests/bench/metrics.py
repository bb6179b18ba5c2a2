"""Runs `nephron bench-metrics` on the masks of the peer's bench_metrics.py, and checks that both find the same."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--nephron", required=True)
p.add_argument("--peers", required=True, help="folder of the peers' programs")
p.add_argument("--size", type=int, default=16384)
p.add_argument("--objects", type=int, default=300)
p.add_argument("--repeats", type=int, default=3)
a = p.parse_args()

sys.path.insert(0, a.peers)
from synthetic import draw, ellipses, perturb  # noqa: E402

objects = ellipses(a.size, a.objects)
moved = perturb(objects)
with tempfile.TemporaryDirectory() as folder:
    files = [os.path.join(folder, name) for name in ("truth", "found")]
    draw(objects, a.size).tofile(files[0])
    levels = np.random.default_rng(2).integers(130, 256, len(moved))
    draw(moved, a.size, levels).tofile(files[1])
    done = subprocess.run([a.nephron, "bench-metrics", *files, "--repeats", str(a.repeats)], capture_output=True, text=True)
if done.returncode != 0:
    sys.exit(done.stdout + done.stderr)
found = json.loads(done.stdout.splitlines()[-1])
# Objects lie apart in this mask, so that each one's confidence is its level.
if found["found"] != len(moved) or abs(found["confidence_sum"] - levels.sum() / 255) > 1e-3:
    sys.exit("metrics.py: the objects that were found are not those that were drawn")
print(json.dumps(found))
