"""Times `nephron compare` as a whole: two recipes, three seeds each, 40 slides of 20 donors, power included."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--nephron", required=True)
p.add_argument("--repeats", type=int, default=5)
a = p.parse_args()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from measured_runs import Cohort, run  # noqa: E402

with tempfile.TemporaryDirectory() as folder:
    cohort, runs = Cohort(donors=20, slides=2, objects=30), []
    for arm, gain, decoder in (("a", 0, "unet"), ("b", .004, "unet++")):
        for k in (1, 2, 3):
            runs.append(run(f"{folder}/{arm}-s{k}/20260131-120000-{arm}{k}", cohort, name=f"{arm}-s{k}", seed=k, gain=gain, decoder=decoder))
    best = float("inf")
    for _ in range(a.repeats):
        start = time.perf_counter()
        done = subprocess.run([a.nephron, "compare", *runs, "--by", "seed", "--json"], capture_output=True, text=True, check=True)
        best = min(best, time.perf_counter() - start)
said = json.loads(done.stdout)
if said["findings"][0]["donors"] != 20 or said["settling"][0] is None:
    sys.exit("compare.py: the comparison is not that of these runs, or has no power")
print(json.dumps({"compare_s": best}))
