"""Cross-validates the aidpath job, both sides and what our side is made of, and prints the Dice of each beside the others.

Sides: `ours` and `peer` in fp32 or bf16 train the same recipe, 600 steps a fold. `strong` is
experiments/aidpath/unet-lite0-strong.toml, as many steps as --steps says, which should be those of the peer's wall time;
the experiments of tests/bench/aidpath/ leave one part of it out, or have another loss. Dice is told at 0.5 and, as
SIDE-thr, of each fold at the threshold that is best for the tiles of the other folds.

Every fold is trained with one of three seeds; --runs names others. A finished training is a line of --out; what has one
is not done again, so it may be interrupted and repeated. Dice does not depend on how busy the machine is: two of these
may run side by side with OMP_NUM_THREADS=1, on runs of their own.
"""
import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = {"strong": os.path.join(HERE, "..", "..", "experiments", "aidpath", "unet-lite0-strong.toml"),
         **{name: os.path.join(HERE, "aidpath", name + ".toml") for name in ("no-chain", "no-stain", "lovasz", "focal")}}
SIDES = ["ours-fp32", "peer-fp32", "ours-bf16", "peer-bf16", *PARTS]
# Student's t of 95 %, both sides, by degrees of freedom.
T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131]

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--nephron", help="this program; not needed for --table")
p.add_argument("--peers", help="folder of the peers' programs; needed for the peer")
p.add_argument("--data", help="folder of the aidpath tiles; not needed for --table")
p.add_argument("--out", required=True, nargs="+", help="files of results; the first is appended to, all are read")
p.add_argument("--runs", nargs="+", default=["0:0", "1:1", "2:2", "3:0", "4:1", "5:2"], metavar="FOLD:SEED")
p.add_argument("--sides", nargs="+", default=SIDES[:4], choices=SIDES, help="the peer is its tuned variant")
p.add_argument("--steps", type=int, default=800, help="of `strong` and its parts")
p.add_argument("--table", action="store_true", help="only print what is there")
a = p.parse_args()


def results():
    """By (fold, seed, side); averaged weights are a side of their own."""
    found = {}
    for file in filter(os.path.exists, a.out):
        with open(file) as lines:
            for r in map(json.loads, lines):
                found[r["fold"], r["seed"], r["side"]] = r
                if "dice_average" in r:
                    found[r["fold"], r["seed"], r["side"] + "-avg"] = {**r, "dice": r["dice_average"],
                                                                       "curves": r.get("curves_average")}
    return found


def at_others_threshold(found):
    """Each fold at the threshold that is best for the tiles of the side's other folds: sides of their own, -thr."""
    known = {key: r["curves"] for key, r in found.items() if r.get("curves") and key[:2] in runs}
    out = {}
    for (fold, seed, side), curves in known.items():
        others = [curve for key, more in known.items() if key[2] == side and key[0] != fold for curve in more]
        if others:
            best = max(range(len(others[0])), key=lambda i: sum(curve[i] for curve in others))
            out[fold, seed, side + "-thr"] = {"dice": statistics.mean(curve[best] for curve in curves)}
    return out


def command_of(side):
    if side in PARTS:
        return ["--nephron", a.nephron, "--experiment", PARTS[side], "--precision", "fp32", "--steps", str(a.steps)]
    who, precision = side.split("-")
    program = ["--nephron", a.nephron] if who == "ours" else ["--peers", a.peers, "--variant", "tuned"]
    return [*program, "--precision", precision, "--size", "full"]


def train(fold, seed, side):
    command = [sys.executable, os.path.join(HERE, "jobs.py"), "aidpath", "--data", a.data, "--seed", str(seed), "--fold",
               str(fold), *command_of(side)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    result = json.loads(done.stdout.splitlines()[-1])
    with open(a.out[0], "a") as out:
        out.write(json.dumps({"fold": fold, "seed": seed, "side": side, **result}) + "\n")
    print(f"seed {seed} fold {fold} {side}: Dice {result['dice']:.4f}", flush=True)


def compare(known, one, other):
    """Mean paired difference over the runs that both have, with its interval by Student's t."""
    both = [run for run in runs if (*run, one) in known and (*run, other) in known]
    if len(both) < 2:
        return
    dice = {side: [known[*run, side]["dice"] for run in both] for side in (one, other)}
    differences = [x - y for x, y in zip(dice[one], dice[other])]
    mean, error = statistics.mean(differences), statistics.stdev(differences) / len(both) ** .5
    half = T95[min(len(both) - 2, len(T95) - 1)] * error
    print(f"{one} {statistics.mean(dice[one]):.4f}, {other} {statistics.mean(dice[other]):.4f} over {len(both)} runs: "
          f"difference {mean:+.4f} [{mean - half:+.4f}, {mean + half:+.4f}], standard error {error:.4f}")


runs = [tuple(map(int, run.split(":"))) for run in a.runs]
if not a.table:
    for fold, seed in runs:
        for side in a.sides:
            if (fold, seed, side) not in results():
                train(fold, seed, side)

known = results()
known.update(at_others_threshold(known))
sides = [s + more for s in SIDES for more in ("", "-thr", "-avg", "-avg-thr") if any((*run, s + more) in known for run in runs)]
print("Dice of held-out tiles\nfold seed " + "".join(f"{side:>17}" for side in sides))
for run in runs:
    cells = [f"{known[*run, side]['dice']:>17.4f}" if (*run, side) in known else " " * 17 for side in sides]
    print("%4d %4d " % run + "".join(cells))
for one, other in itertools.combinations(sides, 2):
    compare(known, one, other)
