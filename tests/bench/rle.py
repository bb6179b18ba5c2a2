"""Runs `nephron bench-rle` on the masks of the peer's bench_rle.py, and checks that both write the same text."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--nephron", required=True)
p.add_argument("--peers", required=True, help="folder of the peers' programs")
p.add_argument("--size", type=int, default=16384)
p.add_argument("--objects", type=int, default=300)
p.add_argument("--repeats", type=int, default=3)
a = p.parse_args()

sys.path.insert(0, a.peers)
import rle  # noqa: E402
from synthetic import draw, ellipses, perturb  # noqa: E402

objects = ellipses(a.size, a.objects)
with tempfile.TemporaryDirectory() as folder:
    files = []
    for name, what in (("truth", objects), ("found", perturb(objects))):
        mask = draw(what, a.size)
        files.append(os.path.join(folder, name))
        mask.tofile(files[-1])
        if name == "truth":
            text = rle.encode(mask)
        else:
            expected = rle.dice(text, rle.encode(mask))
    del mask
    done = subprocess.run([a.nephron, "bench-rle", *files, "--repeats", str(a.repeats)], capture_output=True, text=True)
if done.returncode != 0:
    sys.exit(done.stdout + done.stderr)
found = json.loads(done.stdout.splitlines()[-1])
if found["text_bytes"] != len(text) or abs(found["dice"] - expected) > 1e-12:
    sys.exit("rle.py: ours and the peer's run lengths are not the same")
print(json.dumps(found))
