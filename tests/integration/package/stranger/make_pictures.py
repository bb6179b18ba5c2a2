"""make_pictures.py OUT: four pictures of a disc and a square with a COCO file: discs as polygons, squares as run lengths."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../support"))
from slide_files import write_png  # noqa: E402

SIDE, RADIUS, SQUARE = 128, 20, 30
out = sys.argv[1]
os.makedirs(os.path.join(out, "images"))
images, annotations = [], []
for i in range(4):
    middle, corner = (35 + 8 * i, 40), (60 + 5 * i, 75)

    def colour(x, y):
        if math.dist((x, y), middle) <= RADIUS:
            return 120, 60, 150
        return (200, 90, 140) if 0 <= x - corner[0] < SQUARE and 0 <= y - corner[1] < SQUARE else (230, 215, 225)

    images.append({"id": i + 1, "file_name": f"{i}.png", "width": SIDE, "height": SIDE})
    write_png(os.path.join(out, "images", images[-1]["file_name"]), SIDE, SIDE, colour)
    ring = [middle[k % 2] + RADIUS * (math.cos, math.sin)[k % 2](math.tau * (k // 2) / 24) for k in range(48)]
    counts, zeros = [], corner[0] * SIDE + corner[1]  # down the columns
    for _ in range(SQUARE):
        counts += [zeros, SQUARE]
        zeros = SIDE - SQUARE
    counts.append(SIDE * SIDE - sum(counts))
    annotations.append({"id": 2 * i + 1, "image_id": i + 1, "category_id": 1, "segmentation": [ring]})
    annotations.append({"id": 2 * i + 2, "image_id": i + 1, "category_id": 2, "segmentation": {"size": [SIDE, SIDE], "counts": counts}})
with open(os.path.join(out, "annotations.json"), "w") as file:
    json.dump({"images": images, "annotations": annotations,
               "categories": [{"id": 1, "name": "disc"}, {"id": 2, "name": "square"}]}, file)
