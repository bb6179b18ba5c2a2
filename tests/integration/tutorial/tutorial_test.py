"""Runs the commands of docs/tutorial.md as they stand there, with smaller slides and fewer steps."""

import csv
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PROGRAM, SOURCE = map(os.path.abspath, sys.argv[1:3])
SHORT = " --set train.epochs=1 --set train.steps_per_epoch=3 --set train.batch=2 --set data.tile=64 --set train.threads=1"


def commands():
    with open(os.path.join(SOURCE, "docs", "tutorial.md")) as page:
        blocks = re.findall(r"^```sh\n(.*?)^```$", page.read(), re.M | re.S)
    return "".join(blocks).replace("2048x2048", "1024x1024")


def shortened(text):
    return re.sub(r"^(nephron train .*)$", r"\1" + SHORT, text, flags=re.M)


def environment(work):
    binaries = os.path.join(work, "bin")
    os.makedirs(binaries)
    os.symlink(PROGRAM, os.path.join(binaries, "nephron"))
    path = os.pathsep.join([binaries, os.environ["PATH"]])
    return {**os.environ, "PATH": path, "EXPERIMENTS": os.path.join(SOURCE, "experiments")}


def look(command, work, env):
    """The viewer answers who has its address, and nobody else; it ends with Ctrl-C."""
    viewer = subprocess.Popen(command.split(), cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said, address = "", None
    limit = time.time() + 120
    while address is None and time.time() < limit:
        line = viewer.stdout.readline()
        if not line:
            break
        said += line
        address = re.search(r"http://127\.0\.0\.1:\d+/\S*", line)
    assert address, said
    with urllib.request.urlopen(address.group(0), timeout=60) as page:
        assert page.status == 200 and b"<html" in page.read().lower()
    try:
        urllib.request.urlopen(re.match(r"http://[^/]+/", address.group(0)).group(0), timeout=60)
        raise AssertionError("the viewer answers without its token")
    except urllib.error.HTTPError as refused:
        assert refused.code in (401, 403, 404), refused.code
    viewer.send_signal(signal.SIGINT)
    viewer.communicate(timeout=60)


with tempfile.TemporaryDirectory() as work:
    env = environment(work)
    text = commands()
    assert text.count("nephron train") == 2 and "nephron view" in text, text
    before, view = re.match(r"(.*)^(nephron view .*)$", text, re.M | re.S).groups()
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", shortened(before)], cwd=work, env=env, capture_output=True,
                          text=True, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    slides = sorted(glob.glob(os.path.join(work, "hubmap-data/kaggle/test/*.tiff")))
    csv.field_size_limit(1 << 30)
    with open(os.path.join(work, "predicted/submission.csv")) as table:
        rows = list(csv.DictReader(table))
    assert [row["id"] for row in rows] == [os.path.basename(s).removesuffix(".tiff") for s in slides], rows
    for file in ("slides.html", "report.html", "dice.png", "runs/hubmap-trial"):
        assert os.path.exists(os.path.join(work, file)), file
    for run in ("hubmap-trial-first", "hubmap-trial"):
        assert glob.glob(os.path.join(work, "runs", run, "*", "validation", "scores.json")), run
    look(view, work, env)
