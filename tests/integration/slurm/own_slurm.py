"""A Slurm of one node for one test program: munged, slurmctld and slurmd on ports of their own, with made-up GPUs."""
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "srun", "sinfo")
PATIENCE = 180
# Slurm's daemons lie where only root's PATH may lead.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
CONFIGURATION = """
ClusterName=nephron
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
MessageTimeout=10
SlurmdTimeout=12
KillWait=60
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=120
PartitionName=urgent Nodes={host} PriorityTier=10 PreemptMode=OFF
"""


def missing():
    """Why there can be no Slurm here; "" where there can."""
    if os.geteuid() != 0:
        return "slurmd needs root"
    away = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    return f"no {', '.join(away)} (Debian: slurm-wlm, munge)" if away else ""


def skip_without_slurm():
    if why := missing():
        print("skipped: no Slurm for the test: " + why)
        sys.exit(77)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class OwnSlurm:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="nephron-slurm-")
        os.chmod(self.folder, 0o755)
        for name in ("munge", "state", "spool"):
            os.mkdir(os.path.join(self.folder, name))
        self.configuration = os.path.join(self.folder, "slurm.conf")
        self.host = socket.gethostname().split(".")[0]
        controller_port, node_port = free_ports(2)
        self.write("slurm.conf", CONFIGURATION.format(host=self.host, folder=self.folder,
                                                      controller_port=controller_port, node_port=node_port))
        self.write("gres.conf", "Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
        self.write("cgroup.conf", "CgroupPlugin=cgroup/v1\n")  # none is made: neither tracking nor binding is by cgroups
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH"))}
        self.environment.update(PATH=PATH, SLURM_CONF=self.configuration)
        self.daemons = {}
        try:
            self.start_all()
        except BaseException:
            self.stop()
            raise

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text)

    def start(self, name, *words):
        out = open(os.path.join(self.folder, name + ".out"), "a")
        self.daemons[name] = subprocess.Popen([shutil.which(name, path=PATH), *words], env=self.environment, stdout=out,
                                              stderr=out, stdin=subprocess.DEVNULL, cwd=self.folder)
        out.close()

    def start_all(self):
        munge = os.path.join(self.folder, "munge")
        with open(munge + "/key", "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(os.urandom(128))
        self.start("munged", "--foreground", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket",
                   f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        self.wait_until(lambda: os.path.exists(munge + "/socket"))
        self.start("slurmctld", "-D", "-f", self.configuration)
        self.start_node()

    def start_node(self):
        self.start("slurmd", "-D", "-f", self.configuration)
        self.wait_until(lambda: self.tool("sinfo", "-h", "-o", "%T", check=False).split() in
                        (["idle"], ["idle", "idle"], ["mixed"], ["mixed", "mixed"]))

    def kill_node(self, with_jobs):
        """kill -9 of slurmd, and of whatever it has started, as of a machine that loses its power."""
        self.daemons["slurmd"].kill()
        self.daemons["slurmd"].wait()
        if with_jobs:
            self.kill_left()

    def left(self):
        """Processes of jobs, and the daemons that keep them, which have open what slurmd had."""
        known = {daemon.pid for daemon in self.daemons.values()} | {os.getpid()}
        out = []
        for entry in glob.glob("/proc/[0-9]*"):
            pid = int(entry.split("/")[2])
            try:
                with open(entry + "/environ", "rb") as f:
                    ours = b"SLURM_CONF=" + self.configuration.encode() + b"\0" in f.read() + b"\0"
                with open(entry + "/stat") as f:
                    text = f.read()
                name = text[text.find("(") + 1:text.rfind(")")]
                if name == "slurmstepd":
                    ours = any(os.readlink(fd).startswith(self.folder) for fd in glob.glob(entry + "/fd/*"))
            except OSError:
                continue
            if ours and pid not in known and text[text.rfind(")") + 2] != "Z" and name != "slurmscriptd":
                out.append(pid)
        return out

    def kill_left(self):
        for _ in range(100):
            left = self.left()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not left:
                return
            time.sleep(0.05)

    def tool(self, *words, check=True):
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, env=self.environment)
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: {done.stdout}{done.stderr}\n{self.logs()}")
        return done.stdout

    def job(self, number):
        """What scontrol shows of a job, by key."""
        words = self.tool("scontrol", "show", "job", "--oneliner", number, check=False).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait_until(self, what, message="what was waited for did not come"):
        until = time.monotonic() + PATIENCE
        while not (found := what()):
            if time.monotonic() > until:
                raise AssertionError((message() if callable(message) else message) + "\n" + self.logs())
            time.sleep(0.1)
        return found

    def logs(self):
        out = ""
        for name in sorted(glob.glob(self.folder + "/*.log") + glob.glob(self.folder + "/*.out")):
            with open(name, errors="replace") as f:
                out += f"== {name}\n" + "".join(f.readlines()[-15:])
        return out

    def empty(self):
        """Ends all jobs."""
        self.tool("scancel", "--user=root", check=False)
        self.wait_until(lambda: self.tool("squeue", "-h") == "")

    def stop(self):
        for name in ("slurmd", "slurmctld", "munged"):
            if daemon := self.daemons.get(name):
                daemon.terminate()
                try:
                    daemon.wait(20)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        self.daemons = {}
        self.kill_left()
        shutil.rmtree(self.folder, ignore_errors=True)
