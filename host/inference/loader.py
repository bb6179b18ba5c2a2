"""A model that nephron trained, in Segmentation Models PyTorch.

    pip install torch segmentation-models-pytorch==0.6.0 safetensors
    python loader.py picture.png           # writes picture.probabilities.npy
    python loader.py --onnx model.onnx     # needs the package onnx

In your own program: model, about = load(); probabilities = predict(model, about, rgb).
"""
import argparse
import json
import os

import numpy as np
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))


def load(folder=HERE):
    """The model in evaluation mode, and what model.json says of it."""
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as file:
        about = json.load(file)
    if about["smp"] is None:
        raise SystemExit("this model cannot be built in Segmentation Models PyTorch: " + about["smp_missing"])
    if about["smp"]["padding"] == "smp-2021":
        # The release of 2021 took each padding from the size of the image, later ones from that of the layer's map.
        from segmentation_models_pytorch.encoders import _efficientnet
        _efficientnet.calculate_output_image_size = lambda size, stride: size
    model = getattr(smp, about["smp"]["class"])(encoder_weights=None, **about["smp"]["arguments"])
    model.load_state_dict(load_file(os.path.join(folder, "model.safetensors")))
    return model.eval(), about


def normalised(rgb, about):
    """uint8 RGB, H x W x 3, reduced as model.json says -> 1 x 3 x H x W as the model takes it."""
    mean, std = (np.float32(about["normalisation"][key]) * 255 for key in ("mean", "std"))
    return torch.from_numpy((rgb.astype(np.float32) - mean) / std).permute(2, 0, 1)[None]


def probabilities(logits, about):
    """N x classes x H x W. Exclusive classes share a pixel with the background, whose logit is 0."""
    if not about["exclusive"]:
        return logits.sigmoid()
    return torch.cat([torch.zeros_like(logits[:, :1]), logits], 1).softmax(1)[:, 1:]


def predict(model, about, rgb):
    """Probabilities, classes x H x W, of a picture whose sides are multiples of about["multiple"]."""
    with torch.inference_mode():
        return probabilities(model(normalised(rgb, about)), about)[0].numpy()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("picture", nargs="?")
    p.add_argument("--onnx", metavar="FILE", help="write the model as ONNX, for pictures of any number")
    a = p.parse_args()
    model, about = load()
    if a.onnx:
        side = about["tile"]
        example = torch.zeros(1, about["smp"]["arguments"]["in_channels"], side, side)
        torch.onnx.export(model, (example,), a.onnx, input_names=["input"], output_names=["logits"],
                          dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}}, dynamo=False)
        print("wrote", a.onnx)
    if a.picture:
        from PIL import Image
        rgb = np.asarray(Image.open(a.picture).convert("RGB"))
        height, width = (n // about["multiple"] * about["multiple"] for n in rgb.shape[:2])
        out = os.path.splitext(a.picture)[0] + ".probabilities.npy"
        np.save(out, predict(model, about, rgb[:height, :width]))
        print("wrote", out)


if __name__ == "__main__":
    main()
