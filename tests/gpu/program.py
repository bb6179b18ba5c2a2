"""Runs nephron and reads what it leaves behind. The standard library alone: a GPU machine may have nothing else."""
import array
import json
import os
import re
import signal
import struct
import subprocess
import time
import zlib


class Failed(Exception):
    """A promise that does not hold, in words."""


def expect(holds, text):
    if not holds:
        raise Failed(text)


class Program:
    """The built program. Every run's output goes to LOGS/NAME.txt."""

    def __init__(self, path, logs):
        self.path, self.logs = path, logs
        os.makedirs(logs, exist_ok=True)

    def start(self, name, *arguments):
        log = open(os.path.join(self.logs, name + ".txt"), "w+b")
        process = subprocess.Popen([self.path, *map(str, arguments)], stdout=log, stderr=subprocess.STDOUT)
        process.log = log
        return process

    def wait(self, process, seconds=240):
        """(exit code, everything that was said)"""
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"{' '.join(process.args[:4])} ... took over {seconds} s") from None
        process.log.seek(0)
        said = process.log.read().decode(errors="replace")
        process.log.close()
        return code, said

    def run(self, name, *arguments, code=0, seconds=240):
        given, said = self.wait(self.start(name, *arguments), seconds)
        expect(given == code, f"{name}: exit code {given} in place of {code}: {said.strip()[-600:]}")
        return said


def interrupt_after(process, file, text, seconds=120):
    """Ctrl-C as soon as `text` stands in `file`."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            with open(file) as lines:
                if text in lines.read():
                    break
        except FileNotFoundError:
            pass
        time.sleep(0.02)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)


def only_run(runs):
    """The folder of the one run below RUNS/EXPERIMENT."""
    found = [entry.path for name in os.scandir(runs)
             if name.is_dir() and not name.name.startswith(".") for entry in os.scandir(name.path)
             if entry.is_dir() and not entry.is_symlink()]
    expect(len(found) == 1, f"{runs} holds {len(found)} runs; one was expected")
    return found[0]


def losses(run, fold=0):
    """Loss of each step that was logged: {step: loss}."""
    out = {}
    with open(os.path.join(run, f"fold-{fold}", "metrics.jsonl")) as lines:
        for line in lines:
            entry = json.loads(line)
            if "loss" in entry and "lr" in entry:
                out[entry["step"]] = entry["loss"]
    expect(out, f"{run} has logged no step")
    return out


def last_weights(run, fold=0):
    with open(os.path.join(run, f"fold-{fold}", "checkpoints", "last", "weights.safetensors"), "rb") as file:
        return file.read()


def float_tensors(data):
    """Tensors of float32 of a .safetensors file, by name."""
    length = struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            out[name] = array.array("f", data[begin:end])
    return out


def weights_apart(run, other):
    """Of two runs' last weights: the norm of their difference, as a share of that of the second."""
    ours, theirs = (float_tensors(last_weights(r)) for r in (run, other))
    expect(ours.keys() == theirs.keys(), "two runs have tensors of other names")
    apart = sum((a - b) ** 2 for name in ours for a, b in zip(ours[name], theirs[name]))
    return (apart / sum(b * b for name in theirs for b in theirs[name])) ** 0.5


def replays(run):
    """(batches that were replayed from a CUDA graph, all batches)"""
    with open(os.path.join(run, "log.txt")) as log:
        said = re.findall(r"(\d+) of (\d+) batch(?:es)? were replayed from a CUDA graph", log.read())
    expect(said, f"{run} says nothing of a CUDA graph")
    return tuple(int(number) for number in said[-1])


def pixels(path):
    """Rows of an 8-bit grey PNG."""
    with open(path, "rb") as file:
        data = file.read()
    expect(data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG")
    at, packed, header = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    width, height, depth, colour, _, _, interlaced = header
    expect((depth, colour, interlaced) == (8, 0, 0), f"{path} is not 8-bit grey")
    raw, rows, above = zlib.decompress(packed), [], bytearray(width)
    for y in range(height):
        start = y * (width + 1)
        above = unfiltered(raw[start], bytearray(raw[start + 1:start + 1 + width]), above)
        rows.append(bytes(above))
    return rows


def unfiltered(kind, row, above):
    """PNG specification, section 9, for one byte a pixel."""
    for x in range(len(row)):
        left, up = row[x - 1] if x else 0, above[x]
        corner = above[x - 1] if x else 0
        if kind == 1:
            add = left
        elif kind == 2:
            add = up
        elif kind == 3:
            add = (left + up) // 2
        elif kind == 4:
            guess = left + up - corner
            add = min((left, up, corner), key=lambda v: abs(guess - v))
        else:
            add = 0
        row[x] = (row[x] + add) & 255
    return row
