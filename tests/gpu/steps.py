"""What has to hold on a GPU. Each function is one step: it raises Failed, or says in a sentence what it saw."""
import glob
import json
import os
import shutil
import subprocess
import sys

from program import Failed, expect, interrupt_after, last_weights, losses, only_run, pixels, replays, weights_apart

EXPERIMENT = """
name = "gpu"
seed = 7
classes = ["healthy", "unhealthy"]
data = {{ factor = 2, tile = {tile}, folds = {{ count = 2, by = "index" }} }}
dataset = [{{ type = "synthetic", slides = 4, size = [640, 640], radius = 40, glomeruli = 6, donors = 4 }}]
sampler = {{ type = "balanced" }}
augmentation = [{{ type = "flip" }}, {{ type = "brightness_contrast" }}]
batch_augmentation = [{{ type = "cutmix", p = 0.5 }}]
model = {{ encoder = {{ type = "resnet18" }}, decoder = {{ type = "unet", channels = [64, 32, 16, 16, 8] }} }}
loss = {{ terms = [{{ type = "bce" }}, {{ type = "dice" }}, {{ type = "boundary", weight = 0.01 }}] }}
train = {{ epochs = 3, steps_per_epoch = 4, batch = 4, deterministic = true }}
"""


class Bench:
    """What the steps share: the program, the device, a folder, and runs that several look at."""

    def __init__(self, program, device, folder, tile=64):
        self.program, self.device, self.folder = program, device, folder
        self.experiment = os.path.join(folder, "gpu.toml")
        self.runs_made = {}
        with open(self.experiment, "w") as file:
            file.write(EXPERIMENT.format(tile=tile))

    def fresh(self, name):
        folder = os.path.join(self.folder, name)
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def arguments(self, runs, device, *more):
        return "train", self.experiment, "--runs", runs, "--device", device, *more

    def trained(self, name, device=None, precision="fp32", more=()):
        """The folder of a run; made once."""
        if name not in self.runs_made:
            runs = self.fresh(name)
            self.program.run("train-" + name, *self.arguments(runs, device or self.device),
                             "--set", f'train.precision="{precision}"', *more)
            self.runs_made[name] = only_run(runs)
        return self.runs_made[name]


def worst(a, b):
    """Greatest relative difference of the losses of two runs, and that of the first step."""
    expect(a.keys() == b.keys(), f"other steps were logged: {sorted(a)} and {sorted(b)}")
    apart = {step: abs(a[step] - b[step]) / max(abs(a[step]), 1e-6) for step in a}
    return max(apart.values()), apart[min(apart)]


def kernels(bench):
    said = bench.program.run("doctor", "doctor", "--json", "--kernels", bench.device, code=None or 0)
    results = json.loads(said)["kernels"]
    bad = [f"{k['name']}: differs by {k['difference']}" for k in results if k["difference"] > k["allowed"]]
    expect(results and not bad, "kernels differ from their bodies on the CPU: " + "; ".join(bad))
    return ", ".join(f"{k['name']} ({k['elements']} elements)" for k in results)


def fp32_losses(bench):
    # Sums are made in another order on each device, and Adam's first steps divide small gradients by their own size.
    every, first = worst(losses(bench.trained("cpu", "cpu")), losses(bench.trained("fp32")))
    expect(first < 1e-4, f"the first loss differs from the CPU's by {first:.2g}; at most 1e-4 was expected")
    expect(every < 2e-2, f"a later loss differs from the CPU's by {every:.2g}; at most 2e-2 was expected")
    return f"first step {first:.1e}, all steps {every:.1e} from the CPU"


def bf16_losses(bench):
    every, first = worst(losses(bench.trained("fp32")), losses(bench.trained("bf16", precision="bf16")))
    expect(first < 2e-2 and every < 0.15, f"bf16 differs from fp32 by {first:.2g} at first, {every:.2g} at most")
    return f"first step {first:.1e}, all steps {every:.1e} from fp32"


def fp16_losses(bench):
    if bench.device == "cpu":
        return "not on a CPU"
    every, first = worst(losses(bench.trained("fp32")), losses(bench.trained("fp16", precision="fp16")))
    expect(first < 5e-3 and every < 0.15, f"fp16 differs from fp32 by {first:.2g} at first, {every:.2g} at most")
    return f"first step {first:.1e}, all steps {every:.1e} from fp32"


def augmented_on_device(bench):
    """Windows and plans go to the device: the same samples, but for the rounding of moves that are joined."""
    runs, more = [], ("--set", "data.augment_on=device")
    for name, device in (("programs-cpu", "cpu"), ("programs", bench.device)):
        runs.append(bench.fresh(name))
        bench.program.run("train-" + name, *bench.arguments(runs[-1], device, *more))
    every, first = worst(*(losses(only_run(r)) for r in runs))
    expect(first < 1e-4 and every < 2e-2,
           f"plans that the device carries out give losses that differ by {first:.2g} at first, {every:.2g} at most")
    return f"first step {first:.1e}, all steps {every:.1e} from the loops on the CPU"


def deterministic(bench):
    same = last_weights(bench.trained("fp32")) == last_weights(bench.trained("again"))
    expect(same, "two runs with train.deterministic = true gave other weights")
    return "two runs, equal weights to the bit"


def resume(bench):
    runs = bench.fresh("broken")
    process = bench.program.start("train-broken", *bench.arguments(runs, bench.device))
    while process.poll() is None and not glob.glob(os.path.join(runs, "*", "*", "fold-0")):
        pass
    run = only_run(runs) if process.poll() is None else None
    expect(run, "the run to interrupt ended by itself")
    interrupt_after(process, os.path.join(run, "fold-0", "metrics.jsonl"), '"step":5')
    code, said = bench.program.wait(process)
    if code == 0:
        return "not tried: the run was done before it could be interrupted"
    expect(code == 130, f"Ctrl-C gave exit code {code}: {said[-400:]}")
    bench.program.run("train-resumed", "train", "--resume", run, "--device", bench.device)
    expect(last_weights(run) == last_weights(bench.trained("fp32")), "a resumed run gave other weights than an unbroken one")
    return f"interrupted after step {min(5, max(losses(run)))}, resumed, equal to the unbroken run to the bit"


# What a recording has to bear: two forms of batches (CutMix gives pixels weights), batches that are added up, a part that
# is frozen at first, averages that are validated between, random numbers of the device, every loss (some of which have
# no deterministic form). With how far weights may be from those without it.
RECORDED = {
    "plain": ([], 1e-4),
    "added-up": (["train.accumulate=2", 'train.freeze=[{match="encoder", until=1}]', 'train.average={type="ema"}'], 1e-4),
    "dropping": (['model.encoder={type="efficientnet-b0"}', "batch_augmentation=[]"], 1e-4),
    "all-losses": (["train.deterministic=false", "batch_augmentation=[]",
                    'loss.terms=[{type="boundary", over=0, weight=0.01}, %s]' % ", ".join(
                        '{type="%s", weight=0.1}' % name for name in ("bce", "dice", "jaccard", "tversky", "focal",
                                                                      "focal_tversky", "lovasz", "hausdorff", "mcc"))], 1e-2),
}


def cuda_graph(bench):
    """What is replayed gives the weights of what is launched kernel by kernel."""
    if bench.device == "cpu":
        return "not on a CPU"
    seen = []
    for precision in ("fp32", "bf16", "fp16"):
        for name, (settings, most) in RECORDED.items():
            if precision != "fp32" and name != "plain":
                continue
            more = [word for setting in ['loss.terms=[{type="bce"}, {type="dice"}]', "train.steps_per_epoch=12", *settings]
                    for word in ("--set", setting)]
            as_ever = bench.trained(f"as-ever-{name}-{precision}", precision=precision, more=more)
            recorded = bench.trained(f"recorded-{name}-{precision}", precision=precision,
                                     more=[*more, "--set", "train.cuda_graph=true"])
            replayed, batches = replays(recorded)
            expect(2 * replayed > batches, f"{name}, {precision}: {replayed} of {batches} batches were replayed")
            off = weights_apart(recorded, as_ever)
            most = most if precision == "fp32" else 1e-2
            expect(off <= most, f"{name}, {precision}: weights are {off:.2g} of their norm from those without a graph; "
                                f"at most {most:g} was expected")
            seen.append(f"{name} {precision} {replayed} of {batches} replayed, "
                        + ("equal to the bit" if off == 0 else f"{off:.1e} of the weights' norm away"))
    return "; ".join(seen)


def predict(bench):
    run = bench.trained("fp32")
    pictures = bench.fresh("pictures")
    bench.program.run("export", "data", "export", bench.experiment, "--out", pictures)
    for device in dict.fromkeys(["cpu", bench.device]):
        bench.program.run("predict-" + device.replace(":", ""), "predict", run, "--images",
                          os.path.join(pictures, "images"), "--out", bench.fresh("maps-" + device.replace(":", "")),
                          "--device", device)
    most, count = 0, 0
    for path in glob.glob(os.path.join(bench.folder, "maps-cpu", "probabilities", "*", "*.png")):
        other = path.replace("maps-cpu", "maps-" + bench.device.replace(":", ""))
        for a, b in zip(pixels(path), pixels(other)):
            most = max(most, max(abs(x - y) for x, y in zip(a, b)))
        count += 1
    expect(count > 0, "nothing was predicted")
    expect(most <= 2, f"probabilities differ from the CPU's by {most} of 255; at most 2 were expected")
    return f"{count} maps, at most {most} of 255 from the CPU's"


def two_processes(bench):
    started = [bench.program.start(f"train-pair-{i}", *bench.arguments(bench.fresh(f"pair-{i}"), bench.device))
               for i in range(2)]
    ends = [bench.program.wait(p) for p in started]
    for code, said in ends:
        expect(code == 0, f"one of two trainings on one device ended with {code}: {said[-400:]}")
    same = last_weights(only_run(os.path.join(bench.folder, "pair-0"))) == last_weights(bench.trained("fp32"))
    expect(same, "a training beside another gave other weights than alone")
    return "two trainings at a time, equal to one alone"


def out_of_memory(bench):
    """Another program has nearly all of the device's memory."""
    if bench.device == "cpu":
        return "not on a CPU"
    filler = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "fill_memory.py"), bench.device],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        expect(filler.stdout.readline().startswith("full"), "the device's memory could not be filled")
        code, said = bench.program.wait(bench.program.start("train-full", *bench.arguments(
            bench.fresh("full"), bench.device, "--set", "train.batch=64", "--set", "data.tile=512")))
    finally:
        filler.stdin.close()
        filler.wait(30)
    expect(code in (1, 2), f"exit code {code} in place of 1: {said[-400:]}")
    expect("memory" in said and "batch" in said, f"the message does not speak of memory and batch: {said[-400:]}")
    expect("terminate called" not in said and "Traceback" not in said, "it crashed")
    return "refused in words: " + next(line for line in said.splitlines() if "memory" in line).strip()[:160]


STEPS = [kernels, fp32_losses, bf16_losses, fp16_losses, augmented_on_device, deterministic, resume,
         cuda_graph, predict, two_processes, out_of_memory]

__all__ = ["Bench", "Failed", "STEPS"]
