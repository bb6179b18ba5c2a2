"""A job that counts, and can tell whether all is right: it saves each step, goes on where it was, ends with 130 on
SIGTERM, and takes locks of its own for the parts that the queue gave it, so that two jobs with one part fail.

    counting_job.py FOLDER NAME STEPS [SECONDS A STEP]
"""
import fcntl
import hashlib
import os
import signal
import sys
import time

folder, name, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
pace = float(sys.argv[4]) if len(sys.argv) > 4 else 0.05
stopped = False


def stop(*_):
    global stopped
    stopped = True


def wrong(text):
    with open(os.path.join(folder, "wrong"), "a") as f:
        f.write(f"{name}: {text}\n")
    sys.exit(9)


def alone(what):
    """For as long as this process lives. What was killed may take a moment to be gone."""
    file = open(os.path.join(folder, "alone-" + what), "w")
    for _ in range(20):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            time.sleep(0.1)
    wrong(what + " is another's too")


os.umask(0)  # users of a test share its files
signal.signal(signal.SIGTERM, stop)
held = [alone("job-" + name)]
for gpu in filter(None, os.environ["NEPHRON_QUEUE_GPUS"].split(",")):
    number, mask = gpu.split(":")
    held += [alone(f"gpu-{number}-{k}") for k in range(16) if int(mask, 16) >> k & 1]
held += [alone("core-" + core) for core in os.environ["NEPHRON_QUEUE_CORES"].split(",")]
saved = os.path.join(folder, name + ".state")
done, digest = 0, name
if os.path.exists(saved):
    with open(saved) as f:
        words = f.read().split()
    done, digest = int(words[0]), words[1]
while done < steps and not stopped:
    time.sleep(pace)
    digest = hashlib.sha256(f"{digest} {done}".encode()).hexdigest()
    done += 1
    with open(saved + ".new", "w") as f:
        f.write(f"{done} {digest}\n")
    os.replace(saved + ".new", saved)
    print("step", done, flush=True)
if done < steps:
    sys.exit(130)
try:
    with open(os.path.join(folder, name + ".result"), "x") as f:
        f.write(digest)
except FileExistsError:  # killed between the result and its end
    with open(os.path.join(folder, name + ".result")) as f:
        if f.read() not in ("", digest):
            wrong("another result")
