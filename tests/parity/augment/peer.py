"""Albumentations' (and others') own transforms with the parameters that a plugin has drawn.

Started once by a test program: reads folders from standard input, a line each, and answers "done" or what went wrong.
FOLDER/jobs.json lists jobs {name, ...}; FOLDER/image.png and labels.png are the input. Writes FOLDER/<name>.image.png
and <name>.labels.png; where a job asks for numbers, FOLDER/<name>.json. A job names

  class       a transform of Albumentations, `init` its arguments, `params` what it shall have drawn
  transform   a function of transforms.py, which makes what changes image and mask
  numbers     a function of measures.py, which is given the job and the input and gives numbers
"""
import json
import os
import sys
import traceback
import warnings

warnings.filterwarnings("ignore")
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # libraries may print

import albumentations as A  # noqa: E402
import cv2  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measures  # noqa: E402
import transforms  # noqa: E402

assert A.__version__ == "2.0.8", A.__version__
cv2.setNumThreads(1)


def do(folder):
    image = cv2.cvtColor(cv2.imread(os.path.join(folder, "image.png")), cv2.COLOR_BGR2RGB)
    labels = cv2.imread(os.path.join(folder, "labels.png"), cv2.IMREAD_GRAYSCALE)
    with open(os.path.join(folder, "jobs.json")) as f:
        jobs = json.load(f)
    for job in jobs:
        stem = os.path.join(folder, job["name"])
        job["folder"] = folder
        if "numbers" in job:
            with open(stem + ".json", "w") as f:
                json.dump(getattr(measures, job["numbers"])(job, image, labels), f)
            continue
        make = getattr(transforms, job["transform"]) if "transform" in job else transforms.of_class
        out = make(job, image)(image=image, mask=labels)
        cv2.imwrite(stem + ".image.png", cv2.cvtColor(out["image"], cv2.COLOR_RGB2BGR))
        cv2.imwrite(stem + ".labels.png", out["mask"])


for line in sys.stdin:
    try:
        do(line.rstrip("\n"))
        answer = "done"
    except Exception:
        answer = traceback.format_exc().replace("\n", " | ")
    print(answer, file=answers, flush=True)
