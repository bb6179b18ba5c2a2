"""The jobs of runs_list.toml and runs_export.toml, for either side; prints one line of JSON.

Both sides hold the same runs of 100 keys, made once and kept in the cache: ours as folders, mlflow's as the rows of its
SQLite store. Ours is a whole process, and 20 runs write meanwhile; mlflow's is one call in a process that has imported
everything, and nobody writes.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
import made_runs  # noqa: E402

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("job", choices=["list", "export", "rebuild"])
p.add_argument("--nephron", help="run ours with this program; without it the peer runs")
p.add_argument("--runs", type=int, default=10000)
p.add_argument("--repeats", type=int, default=7)
a = p.parse_args()
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nephron", "bench")
WRITERS = 20


def values_of(number):
    rng = random.Random(number)
    return {"dice": round(rng.uniform(0.5, 0.95), 6), "encoder": rng.choice(["resnet34", "resnet18", "efficientnet-b1"]),
            "lr": 10 ** rng.uniform(-5, -2), "seed": number}


def finished_whole(folder, make):
    """A folder that is made under another name first, so that one that is there is whole."""
    if not os.path.exists(folder):
        partial = f"{folder}.tmp.{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        make(partial)
        os.rename(partial, folder)
    return folder


def our_runs():
    def make(folder):
        for number in range(a.runs):
            made_runs.make_run(folder, f"experiment-{number % 20:02d}", number, finished=number >= WRITERS, **values_of(number))

    return finished_whole(os.path.join(cache, f"runs-{a.runs}"), make)


class Writers:
    """20 runs that train: their locks are held, and each writes ten lines a second."""

    def __enter__(self):
        import fcntl
        import struct
        self.over = threading.Event()
        root = our_runs()
        self.files, self.locks = [], []
        for number in range(WRITERS):
            folder = os.path.join(root, f"experiment-{number % 20:02d}")
            run = os.path.join(folder, next(n for n in os.listdir(folder) if n.endswith(f"-{number:06x}")))
            lock = open(run + "/.lock", "r+")
            fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
            self.locks.append(lock)
            path = run + "/fold-0/metrics.jsonl"
            made_runs.write(path, made_runs.metrics(20, values_of(number)["dice"]))
            self.files.append(open(path, "a"))
        self.thread = threading.Thread(target=self.write)
        self.thread.start()
        return self

    def write(self):
        step = 20
        while not self.over.wait(0.1):
            step += 1
            for file in self.files:
                file.write(json.dumps({"step": step, "epoch": 2, "loss": 0.1, "lr": 1e-3, "tiles_per_s": 20.0, "waited": 0.0}) + "\n")
                file.flush()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for file in self.files + self.locks:
            file.close()


def nephron(*words, index):
    started = time.perf_counter()
    done = subprocess.run([a.nephron, "runs", "list", "--runs", our_runs(), *words], capture_output=True,
                          env={**os.environ, "XDG_CACHE_HOME": index, "NEPHRON_RUNS": ""})
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"runs_jobs.py: nephron ended with {done.returncode}: {done.stderr.decode()}")
    return seconds, json.loads(done.stdout)


LIST = ("dice > 0.85 and model.encoder.type = resnet34", "--sort", "dice", "--desc", "--json")


def ours():
    index = os.path.join(cache, f"index-{a.runs}")
    our_runs()
    if a.job == "rebuild":
        with tempfile.TemporaryDirectory() as fresh:
            seconds, rows = nephron(*LIST, index=fresh)
        return {"seconds": seconds, "found": len(rows)}
    nephron(*LIST, index=index)
    if a.job == "export":
        times = [nephron("--columns", "*", "--json", index=index) for _ in range(3)]
        return {"seconds": statistics.median(t for t, _ in times), "values": sum(map(len, times[0][1]))}
    with Writers():
        nephron(*LIST, index=index)
        times = [nephron(*LIST, index=index) for _ in range(a.repeats)]
    return {"seconds": statistics.median(t for t, _ in times), "found": len(times[0][1])}


def mlflow_store():
    """mlflow makes the tables; the rows are put there at once, since its own log_batch would take hours."""
    import sqlite3
    import tomllib

    def make(folder):
        os.makedirs(folder)
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
        store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
        experiment = int(store.create_experiment("bench"))
        store.engine.dispose()
        database = sqlite3.connect(f"{folder}/mlflow.db")
        names = [row[1] for row in database.execute("PRAGMA table_info(runs)")]
        for number in range(a.runs):
            of = values_of(number)
            run = f"{number:032x}"
            row = {"run_uuid": run, "name": run[:8], "source_type": "LOCAL", "source_name": "", "entry_point_name": "",
                   "user_id": "anna", "status": "FINISHED", "start_time": 1_700_000_000_000 + number, "end_time": None,
                   "deleted_time": None, "source_version": "", "lifecycle_stage": "active", "artifact_uri": folder,
                   "experiment_id": experiment}
            database.execute(f"INSERT INTO runs ({','.join(names)}) VALUES ({','.join('?' * len(names))})", [row.get(n) for n in names])
            made = tomllib.loads(made_runs.resolved("x", **of))
            params = {"encoder": of["encoder"], "lr": repr(of["lr"]), **{k: str(v) for k, v in made.items() if not isinstance(v, (dict, list))}}
            params.update({f"{s}.{k}": str(v) for s in ("data", "train", "model") for k, v in made[s].items()})
            database.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", [(k, v, run) for k, v in params.items()])
            metrics = {"dice": of["dice"], "val_loss": 0.2, "seconds": 3600.0, "steps": 12480.0, "epoch": 40.0}
            for table in ("metrics", "latest_metrics"):
                database.executemany(f"INSERT INTO {table} (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, 1, ?, 1, 0)",
                                     [(k, v, run) for k, v in metrics.items()])
        database.commit()
        database.close()

    return finished_whole(os.path.join(cache, f"mlflow-{a.runs}"), make)


def peer():
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow
    folder = mlflow_store()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")

    def search(**more):
        started = time.perf_counter()
        table = mlflow.search_runs(experiment_names=["bench"], **more)
        return time.perf_counter() - started, table

    wanted = {"filter_string": "metrics.dice > 0.85 and params.encoder = 'resnet34'", "order_by": ["metrics.dice DESC"]}
    search(**wanted)
    if a.job == "export":
        seconds, table = search()
        return {"seconds": seconds, "values": int(table.notna().sum().sum())}
    times = [search(**wanted) for _ in range(a.repeats)]
    return {"seconds": statistics.median(t for t, _ in times), "found": len(times[0][1])}


print(json.dumps(ours() if a.nephron else peer()))
