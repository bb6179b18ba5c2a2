"""nephron export: its loader builds the model in Segmentation Models PyTorch, and all that is written answers alike."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from given import arguments, need_peers  # noqa: E402

a, rest = arguments()
need_peers("torch", "segmentation_models_pytorch", "safetensors")

import importlib.util  # noqa: E402

import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

EXPERIMENT = """
name = "small"
classes = ["a", "b"]
[data]
factor = 4
tile = 64
folds = {{ count = 2, by = "index" }}
[[dataset]]
type = "synthetic"
slides = 2
size = [512, 512]
[sampler]
type = "uniform"
[model]
encoder = {encoder}
decoder = {decoder}
[loss]
terms = [{{ type = "bce" }}]
[train]
epochs = 1
steps_per_epoch = 2
batch = 4
"""

# Weights and statistics after two steps; what is compared is the same arithmetic in another order. In fp32 logits of
# size 1 differ by some 1e-6.
TOLERANCE = 1e-5
# ONNX Runtime fuses layers of its own choice.
ONNX_TOLERANCE = 5e-5


def nephron(*words):
    done = subprocess.run([a.nephron, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def loader_of(folder):
    spec = importlib.util.spec_from_file_location("loader", os.path.join(folder, "loader.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Export(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.addCleanup(self.holder.cleanup)
        self.folder = self.holder.name

    def train(self, encoder, decoder):
        file = os.path.join(self.folder, "small.toml")
        with open(file, "w") as out:
            out.write(EXPERIMENT.format(encoder=encoder, decoder=decoder))
        nephron("train", file, "--fold", 0, "--device", "cpu", "--runs", os.path.join(self.folder, "runs"))
        return file, os.path.join(self.folder, "runs", "small")

    def check(self, encoder, decoder, onnx=False):
        file, run = self.train(encoder, decoder)
        out = os.path.join(self.folder, "out")
        said = nephron("export", run, "--out", out, "--checkpoint", "last")
        self.assertNotIn("cannot", said)
        loader = loader_of(out)
        model, about = loader.load()
        self.assertEqual(about["classes"], ["a", "b"])
        generator = torch.Generator().manual_seed(3)
        pictures = torch.randint(0, 256, (2, 64, 64, 3), generator=generator, dtype=torch.uint8).numpy()
        x = torch.cat([loader.normalised(p, about) for p in pictures])
        with torch.inference_mode():
            theirs = model(x)
        save_file({"input": x.contiguous()}, os.path.join(self.folder, "in.safetensors"))
        plain = os.path.join(self.folder, "plain.toml")  # what is exported has no auxiliary heads
        with open(file) as full, open(plain, "w") as to:
            to.write(full.read().replace(", supervision = true", ""))
        nephron("model", "forward", "--model", plain, "--weights", os.path.join(out, "model.safetensors"), "--input",
                os.path.join(self.folder, "in.safetensors"), "--output", os.path.join(self.folder, "logits.safetensors"))
        ours = load_file(os.path.join(self.folder, "logits.safetensors"))["output"]
        bound = TOLERANCE * (1 + theirs.abs().max().item())
        self.assertLess((ours - theirs).abs().max().item(), bound)
        self.assertGreater(theirs.std().item(), 1e-3)
        script = torch.jit.load(os.path.join(out, "model.pt"))
        with torch.inference_mode():
            self.assertLess((script(x) - theirs).abs().max().item(), bound)
        self.check_fast(loader, model, about, out)
        probabilities = loader.predict(model, about, pictures[0])
        self.assertEqual(probabilities.shape, (2, 64, 64))
        if onnx:
            self.check_onnx(out, x, theirs)
        return out, run

    def check_fast(self, loader, model, about, out):
        """What predict runs: folded, packed, minimal filtering, flips in one batch. Beside plain PyTorch."""
        if about["decoder"] != "unet" or "decoder_attention_type" in about["smp"]["arguments"]:
            return  # the command builds a decoder without options
        saved = os.path.join(self.folder, "tiles.safetensors")
        for precision in ("fp32", "bf16"):
            nephron("bench-forward", "--encoder", about["encoder"], "--weights", os.path.join(out, "model.safetensors"), "--tile",
                    128, "--batch", 3, "--runs", 1, "--precision", precision, "--tta", "identity,flip_x,flip_y,flip_xy", "--save",
                    saved)
            tensors = load_file(saved)
            expected = 0
            with torch.inference_mode():
                for flip in ((), (3,), (2,), (2, 3)):
                    x = torch.cat([loader.normalised(p.numpy(), about) for p in tensors["images"]])
                    expected = expected + model(x.flip(flip)).sigmoid().flip(flip) / 4
            difference = (tensors["probabilities"] - expected).abs()
            if precision == "fp32":
                self.assertLess(difference.max().item(), 1e-4)
            else:
                self.assertLess(difference.mean().item(), 1e-3)

    def check_onnx(self, out, x, theirs):
        """Whoever takes the model elsewhere: the loader's ONNX, asked by ONNX Runtime, for any number of pictures."""
        try:
            import onnx
            import onnxruntime
        except ImportError:
            self.skipTest("the packages onnx and onnxruntime are not installed; all else was compared")
        file = os.path.join(self.folder, "model.onnx")
        subprocess.run([sys.executable, os.path.join(out, "loader.py"), "--onnx", file], check=True)
        onnx.checker.check_model(onnx.load(file))
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        self.assertEqual([i.name for i in session.get_inputs()] + [o.name for o in session.get_outputs()], ["input", "logits"])
        bound = ONNX_TOLERANCE * (1 + theirs.abs().max().item())
        for pictures in (x, x[:1], torch.cat([x, x.flip(3)])):
            logits, = session.run(None, {"input": pictures.contiguous().numpy()})
            self.assertEqual(logits.shape[0], pictures.shape[0])
            some = min(len(pictures), len(theirs))
            self.assertLess((torch.from_numpy(logits[:some]) - theirs[:some]).abs().max().item(), bound)

    def test_unet_and_what_predict_runs(self):
        self.check('{ type = "resnet34" }', '{ type = "unet" }', onnx=True)

    def test_efficientnet_and_what_predict_runs(self):
        self.check('{ type = "efficientnet-b1" }', '{ type = "unet" }')

    def test_unet_of_an_efficientnet(self):
        self.check('{ type = "efficientnet-b0" }', '{ type = "unet", channels = [64, 48, 32, 16, 16], attention = "scse" }', onnx=True)

    def test_unet_with_supervision(self):
        self.check('{ type = "resnet18" }', '{ type = "unet++", channels = [64, 48, 32, 16, 16], supervision = true }')

    def test_padding_of_2021(self):
        self.check('{ type = "efficientnet-b0", compat = "smp-2021" }', '{ type = "fpn" }')

    def test_deeplab_and_what_is_there_stays(self):
        out, run = self.check('{ type = "resnet18" }', '{ type = "deeplabv3+", output_stride = 16 }')
        with open(os.path.join(out, "model.json")) as file:
            before = file.read()
        done = subprocess.run([a.nephron, "export", run, "--out", out, "--checkpoint", "last"], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--overwrite", done.stderr)
        with open(os.path.join(out, "model.json")) as file:
            self.assertEqual(file.read(), before)
        nephron("export", run, "--out", out, "--checkpoint", "last", "--overwrite", "--no-torchscript")
        self.assertEqual(json.loads(before)["smp"]["class"], "DeepLabV3Plus")

    def test_what_smp_does_not_have_is_said(self):
        _, run = self.train('{ type = "efficientnet-lite0" }', '{ type = "unet", channels = [64, 48, 32, 16, 16] }')
        out = os.path.join(self.folder, "out")
        said = nephron("export", run, "--out", out, "--checkpoint", "last")
        self.assertIn("efficientnet-lite0", said)
        with self.assertRaises(SystemExit):
            loader_of(out).load()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
