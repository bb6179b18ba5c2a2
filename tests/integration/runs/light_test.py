"""bin/nephron is small and quick to start, and is for a person the same program as the one that computes."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../support"))
from given import arguments  # noqa: E402

a, rest = arguments()
COMPUTE = os.path.join(os.path.dirname(a.nephron), "../libexec/nephron-compute")


def run(*words, program=a.nephron, **more):
    return subprocess.run([program, *words], capture_output=True, text=True, **more)


def commands_in(text):
    return re.findall(r"^  (\S+)  +\S", text[text.index("Subcommands:"):], re.MULTILINE)


class Light(unittest.TestCase):
    def test_needs_neither_libtorch_nor_opencv(self):
        needed = subprocess.run(["ldd", a.nephron], capture_output=True, text=True).stdout
        self.assertIn("libnephron_sdk", needed)
        self.assertEqual(re.findall(r"lib(?:torch|c10|nephron_torch|opencv|gomp|cu)\S*", needed), [])

    def test_help_names_the_commands_of_both_programs(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        listed = commands_in(done.stdout)
        computing = commands_in(run("--help", program=COMPUTE).stdout)
        self.assertIn("train", computing)
        self.assertEqual([c for c in listed if c in computing], computing, "their order, or one that is missing")
        self.assertIn("runs", listed)
        self.assertNotIn("runs", computing)
        for word in ("__probe", "bench-feed", "__commands"):
            self.assertNotIn(word, done.stdout)
        self.assertEqual(run("help").stdout, done.stdout)

    def test_help_of_a_command(self):
        for command in ("train", "runs"):
            text = run(command, "--help")
            self.assertEqual((text.returncode, text.stderr), (0, ""))
            self.assertIn(f"Usage: nephron {command}", text.stdout)
            self.assertEqual(run("help", command).stdout, text.stdout)
            self.assertEqual(run("--help", command).stdout, text.stdout)
        self.assertIn("--resume", run("help", "train").stdout)

    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^nephron \d+\.\d+\.\d+\n$")
        self.assertEqual(done.stdout, run("--version", program=COMPUTE).stdout)

    def test_mistakes_are_told_as_one_program_would(self):
        for word, meant in (("trian", "train"), ("rusn", "runs"), ("plugin", "plugins")):
            done = run(word, "x.toml", "--fold", "1")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f'unknown command "{word}"; did you mean "{meant}"?', done.stderr)
        self.assertIn('unknown option "--fodl"; did you mean "--fold"?', run("train", "x.toml", "--fodl", "1").stderr)
        self.assertIn('unknown command "lsit"; did you mean "list"?', run("runs", "lsit").stderr)
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("torch").returncode, 2)

    def test_arguments_environment_and_exit_codes_go_through(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("-v", "config", "check", "a b.toml", cwd=folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn("a b.toml", done.stderr)
            done = run("plugins", "list", "--json", env={**os.environ, "NEPHRON_PLUGIN_PATH": folder}, cwd=folder)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(run("report", "nothing", "--out", "x.html", cwd=folder).returncode, 1)

    def test_a_signal_reaches_the_computing_program(self):
        with tempfile.TemporaryDirectory() as folder:
            child = subprocess.Popen([a.nephron, "synth", "--slides", "4", "--size", "8192x8192", "--out", folder + "/x"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for _ in range(600):  # until it is the other program, under the same number
                with open(f"/proc/{child.pid}/status") as f:
                    caught = int(f.read().split("SigCgt:")[1].split()[0], 16)
                if os.path.basename(os.readlink(f"/proc/{child.pid}/exe")) == "nephron-compute" and caught & 2:
                    break
                time.sleep(0.05)
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(timeout=120), 130, child.stderr.read())
            child.stderr.close()

    def test_works_by_way_of_a_link(self):
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(a.nephron, f"{folder}/nephron")
            self.assertEqual(run("plugins", "--help", program=f"{folder}/nephron").returncode, 0)

    def test_half_an_installation_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(folder + "/bin")
            subprocess.run(["cp", a.nephron, folder + "/bin/nephron"], check=True)
            os.symlink(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(a.nephron))), "lib"), folder + "/lib")
            done = run("train", "x.toml", program=folder + "/bin/nephron")
            self.assertEqual(done.returncode, 1)
            self.assertIn("nephron-compute.commands", done.stderr)
            self.assertIn("install", done.stderr)
            self.assertEqual(run("runs", "list", program=folder + "/bin/nephron", cwd=folder,
                                 env={**os.environ, "XDG_CACHE_HOME": folder}).returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *rest])
