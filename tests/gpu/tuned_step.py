"""One optimiser step of a resnet34-Unet, as fast as PyTorch makes it: channels_last, autocast, fused Adam, torch.compile,
bytes normalised on the device, no value read back. PyTorch alone; the network is the one that `nephron bench-train-step`
times with --encoder resnet34 --decoder unet (the same layers and widths, after Segmentation Models PyTorch).

Ends in a line of JSON: {"seconds": ..., "mode": ..., "parameters": ...}
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, width, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.down = None
        if stride != 1 or width != out:
            self.down = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.down is None else self.down(x)))


def double_conv(width, out):
    layers = []
    for before in (width, out):
        layers += [nn.Conv2d(before, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
    return nn.Sequential(*layers)


class Unet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        widths, self.stages = [64, 64, 128, 256, 512], nn.ModuleList()
        for i, blocks in enumerate([3, 4, 6, 3]):
            first = Block(widths[i], widths[i + 1], 1 if i == 0 else 2)
            self.stages.append(nn.Sequential(first, *[Block(widths[i + 1], widths[i + 1], 1) for _ in range(blocks - 1)]))
        skips, outs = [256, 128, 64, 64, 0], [256, 128, 64, 32, 16]
        self.ups = nn.ModuleList([double_conv(b + s, o) for b, s, o in zip([512] + outs[:-1], skips, outs)])
        self.head = nn.Conv2d(16, classes, 3, 1, 1)

    def forward(self, x):
        features = [self.stem(x)]
        y = F.max_pool2d(features[0], 3, 2, 1)
        for stage in self.stages:
            y = stage(y)
            features.append(y)
        for up, skip in zip(self.ups, [*features[-2::-1], None]):
            y = F.interpolate(y, scale_factor=2, mode="nearest")
            y = up(y if skip is None else torch.cat([y, skip], 1))
        return self.head(y)


def make_step(a, mode):
    device, cuda = torch.device(a.device), a.device.startswith("cuda")
    torch.manual_seed(1)
    model = Unet(a.classes).to(device).to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": None}[a.precision]
    scaler = torch.amp.GradScaler(device.type, enabled=a.precision == "fp16" and cuda)
    image = torch.randint(0, 256, (a.batch, a.tile, a.tile, 3), dtype=torch.uint8).to(device)
    label = (torch.rand(a.batch, a.classes, a.tile, a.tile) > 0.5).to(torch.uint8).to(device)

    def forward(image, label):
        x = (image.permute(0, 3, 1, 2).float() - 127.5) / 60.0
        with torch.autocast(device.type, dtype, enabled=dtype is not None):
            logits = model(x)
        return F.binary_cross_entropy_with_logits(logits.float(), label.float())

    compiled = forward if mode == "eager" else torch.compile(forward, mode=mode)

    def step():
        loss = compiled(image, label)
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
        optimiser.zero_grad(set_to_none=True)
        return loss

    return step, sum(p.numel() for p in model.parameters())


def measure(a, mode):
    step, parameters = make_step(a, mode)
    wait = torch.cuda.synchronize if a.device.startswith("cuda") else lambda: None
    for _ in range(a.warmup):
        step()
    wait()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(a.steps):
            step()
        wait()
        seconds.append((time.perf_counter() - start) / a.steps)
    return statistics.median(seconds), parameters


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--tile", type=int, default=512)
    p.add_argument("--classes", type=int, default=2)
    p.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="bf16")
    p.add_argument("--device", default="cuda")
    p.add_argument("--steps", type=int, default=10, help="in each of five rounds; the median round counts")
    p.add_argument("--warmup", type=int, default=5)
    p.add_argument("--modes", default="eager,default,reduce-overhead", help="eager, or modes of torch.compile; the fastest counts")
    a = p.parse_args()
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    times, failed, parameters = {}, {}, 0
    for mode in a.modes.split(","):
        try:
            times[mode], parameters = measure(a, mode)
        except Exception as error:  # a machine without a compiler: the others count
            failed[mode] = str(error).splitlines()[0] if str(error) else type(error).__name__
    best = min(times, key=times.get)
    print(json.dumps({"seconds": times[best], "mode": best, "parameters": parameters, "modes": times, "failed": failed}))


if __name__ == "__main__":
    main()
