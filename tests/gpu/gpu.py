#!/usr/bin/env python3
"""Everything that only a machine with a CUDA device can show, in one command of a few minutes.

    python3 BUNDLE/share/nephron/gpu/gpu.py --out DIR
    python3 tests/gpu/gpu.py --out DIR                      in a checkout

Needs the program (that of its own tree, or --nephron) and, for the peer's figures and for filling the device's memory, a
Python with torch. DIR gets gpu.json and what every command said. Exit
codes: 0 all good, 1 something failed, 77 there is no CUDA device. `--device cpu` runs the same steps on a CPU, which
proves the script.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import speeds
import steps
from program import Failed, Program


def own_program():
    """That of the tree that this file lies in."""
    here = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(here, "..", "..", "..", "bin", "nephron")
    return os.path.normpath(installed if os.path.exists(installed) else
                            os.path.join(here, "..", "..", "build", "release", "bin", "nephron"))


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--nephron", default=own_program(), help="the program (%(default)s)")
    p.add_argument("--out", required=True, help="folder for gpu.json, logs and runs")
    p.add_argument("--device", default="cuda:0")
    p.add_argument("--only", help="steps by commas")
    p.add_argument("--no-speeds", action="store_true", help="leave the table of speeds out")
    return p.parse_args()


def device_name(a, program):
    """What the device is called, or why there is none."""
    facts = json.loads(subprocess.run([program.path, "doctor", "--json"], capture_output=True, text=True).stdout)
    if a.device == "cpu":
        return facts["machine"]["processor"], ""
    why = facts["devices"]["CUDA"]
    return facts["devices"].get("GPU 0", "unknown GPU"), "" if why == "can be used" else why


def run_steps(a, bench):
    wanted = a.only.split(",") if a.only else [s.__name__ for s in steps.STEPS]
    unknown = set(wanted) - {s.__name__ for s in steps.STEPS}
    if unknown:
        raise SystemExit(f"unknown step {', '.join(sorted(unknown))}; there are {', '.join(s.__name__ for s in steps.STEPS)}")
    for step in steps.STEPS:
        if step.__name__ not in wanted:
            continue
        start = time.perf_counter()
        try:
            result = {"name": step.__name__, "good": True, "said": step(bench)}
        except Failed as failure:
            result = {"name": step.__name__, "good": False, "said": str(failure)}
        result["seconds"] = round(time.perf_counter() - start, 1)
        print(f"{'ok  ' if result['good'] else 'FAIL'} {step.__name__} ({result['seconds']} s): {result['said']}", flush=True)
        yield result


def measure(bench):
    cpu = bench.device == "cpu"
    pictures = os.path.join(bench.folder, "pictures", "images")
    rows = []
    for part in [lambda: [speeds.step_pair(bench, "bf16", 16, 512, 10, "eager,default,reduce-overhead")] if not cpu else [],
                 lambda: [speeds.step_pair(bench, "fp32", *((2, 64, 1, "eager") if cpu else (16, 512, 5, "eager,default")))],
                 lambda: [] if cpu else [speeds.graph_pair(bench, "bf16", 16, 512, 50)],
                 lambda: [] if cpu else [speeds.graph_pair(bench, "bf16", 4, 128, 200)],
                 lambda: speeds.training(bench, *((4, 64, 4) if cpu else (32, 256, 60))),
                 lambda: speeds.prediction(bench, bench.trained("fp32"), pictures) if os.path.isdir(pictures) else []]:
        try:
            rows += part()
        except Failed as failure:
            print(f"FAIL a speed: {failure}", flush=True)
            rows.append({"what": "failed: " + str(failure)[:80], "unit": "", "nephron": float("nan")})
    return rows


def main():
    a = arguments()
    os.makedirs(a.out, exist_ok=True)
    program = Program(os.path.abspath(a.nephron), os.path.join(a.out, "logs"))
    name, why = device_name(a, program)
    if why:
        for step in steps.STEPS:
            print(f"skipped {step.__name__}: {why}")
        return 77
    print(f"{name}, {a.device}", flush=True)
    bench = steps.Bench(program, a.device, a.out)
    results = list(run_steps(a, bench))
    rows = [] if a.no_speeds else measure(bench)
    if rows:
        print(speeds.table(rows))
    with open(os.path.join(a.out, "gpu.json"), "w") as file:
        json.dump({"device": name, "steps": results, "speeds": rows}, file, indent=2)
    return 0 if all(r["good"] for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
