"""The job of runs_page.toml; prints one line of JSON.

paint_s is what the browser itself tells: from the start of the navigation until its first paint and the end of the
page's script, whichever is later, the median of several openings. Skipped where there is no Chromium or Selenium.
"""
import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "../integration/view")]
import browser  # noqa: E402

browser.need()
import made_runs  # noqa: E402

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--nephron", required=True)
p.add_argument("--runs", type=int, default=1000)
p.add_argument("--openings", type=int, default=5)
a = p.parse_args()
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nephron", "bench")


def curves(rng):
    best, lines = rng.uniform(0.7, 0.92), []
    for step in range(1, 2501):
        lines.append(json.dumps({"step": step, "epoch": (step - 1) // 10, "loss": math.exp(-step / 500) + rng.gauss(0, 0.02),
                                 "lr": 1e-3, "tiles_per_s": 20.0, "waited": 0.01}))
        if step % 10 == 0:
            dice = best * (1 - math.exp(-step / 300)) + rng.gauss(0, 0.005)
            lines.append(json.dumps({"step": step, "epoch": step // 10 - 1, "train_loss": 0.2, "val_loss": 1 - dice, "dice": dice}))
    return "\n".join(lines) + "\n"


def runs():
    folder = os.path.join(cache, f"runs-page-{a.runs}")
    if os.path.exists(folder):
        return folder
    partial = f"{folder}.tmp.{os.getpid()}"
    kinds = [curves(random.Random(i)) for i in range(64)]  # a disk would hold 300 MB of other ones
    for number in range(a.runs):
        rng = random.Random(number)
        run = made_runs.make_run(partial, f"experiment-{number % 20:02d}", number, folds=(0, 1), dice=rng.uniform(0.7, 0.9),
                                 encoder=rng.choice(["resnet34", "resnet18"]), lr=10 ** rng.uniform(-5, -2) if number % 3 == 0
                                 else 0.001, seed=number)
        for fold in (0, 1):
            os.unlink(f"{run}/fold-{fold}/metrics.jsonl")
            shared = f"{partial}/.kinds/{rng.randrange(64)}"
            if not os.path.exists(shared):
                made_runs.write(shared, kinds[int(os.path.basename(shared))])
            os.link(shared, f"{run}/fold-{fold}/metrics.jsonl")
    os.rename(partial, folder)
    return folder


def paint(page):
    driver = browser.start()
    try:
        times = []
        for _ in range(a.openings):
            driver.get("about:blank")
            driver.get(f"file://{page}")
            times.append(driver.execute_async_script(
                "const end = arguments[0]; requestAnimationFrame(() => setTimeout(() => {"
                "const paints = performance.getEntriesByType('paint').map((e) => e.startTime);"
                "end(Math.max(...paints, performance.getEntriesByType('navigation')[0].domComplete) / 1000); }));"))
        return statistics.median(times)
    finally:
        driver.quit()


scratch = tempfile.mkdtemp()
try:
    page = f"{scratch}/page.html"
    environment = {**os.environ, "XDG_CACHE_HOME": scratch}
    command = [a.nephron, "runs", "page", "--runs", runs(), "--out", page, "--overwrite"]
    subprocess.run(command, env=environment, check=True, capture_output=True)  # the index is made
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    print(json.dumps({"write_s": time.perf_counter() - started, "megabytes": os.path.getsize(page) / 1e6, "paint_s": paint(page)}))
finally:
    shutil.rmtree(scratch)
