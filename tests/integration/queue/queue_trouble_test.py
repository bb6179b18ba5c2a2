"""A spool that is full, read-only, forged, torn: one clear error each, and jobs that are right go on."""
import json
import os
import unittest

from queue_fixture import QueueTest, main, result_of

ROOT = os.geteuid() == 0
OTHER = 12001


class Trouble(QueueTest):
    def setUp(self):
        super().setUp()
        self.own = os.path.join(self.spool, str(os.geteuid()))

    def held_job(self, name="a"):
        """A job that stays, with nobody who serves it."""
        self.make_host(gpus=1)
        job = self.count(name, 3)
        self.good("hold", job) if self.jobs().get(job, {}).get("state") == "waiting" else None
        return job

    def problems(self):
        return json.loads(self.good("queue", "--json"))["problems"]

    def put(self, name, content, folder=None):
        folder = folder or self.own
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w") as f:
            f.write(content)

    def ticket(self, job):
        for folder in (self.own, self.own + "/ended"):
            if os.path.exists(f"{folder}/{job}.ticket.json"):
                with open(f"{folder}/{job}.ticket.json") as f:
                    return json.load(f)
        self.fail("no ticket")

    def test_damaged_tickets_are_told_by_name_and_no_other_job_minds(self):
        self.count("a", 3)
        self.wait_for_result("a")
        job = self.wait_until(lambda: next(iter(self.jobs("--ended")), None))
        good = json.dumps(self.ticket(job))
        for name, content, said in (
                ("aaaaa1", "", "is empty"),
                ("aaaaa2", good[:100], "is damaged"),
                ("aaaaa3", good.replace(job, "ffffff"), "an id stands for one job alone"),
                ("aaaaa4", "[" * 100000, "is damaged"),
                ("aaaaa5", good.replace('"cores": ', '"cores": -').replace(job, "aaaaa5"), "cores is -"),
                ("aaaaa6", good.replace(job, "aaaaa6"), "is gone: nobody knows what its job is at"),
                ("aaaaa7", json.dumps({"version": 99}), "version is 99"),
                ("aaaaa8", json.dumps({**json.loads(good), "id": "../../x"}), "is no id")):
            self.put(name + ".ticket.json", content)
            (problem,) = self.problems()
            self.assertIn(said, problem)
            self.assertIn(name + ".", problem)
            os.remove(f"{self.own}/{name}.ticket.json")
        self.count("b", 3)
        self.wait_for_result("b")
        self.assertEqual(self.result("b"), result_of("b", 3))

    def test_a_ticket_of_a_gigabyte_is_not_read(self):
        self.submit("--", "true")
        with open(f"{self.own}/aaaaaa.ticket.json", "wb") as f:
            f.truncate(1 << 30)
        (problem,) = self.problems()
        self.assertIn("has 1073741824 bytes", problem)

    def test_links_are_not_followed(self):
        self.submit("--", "true")
        self.put("other.json", "{}", self.folder)
        os.symlink(self.folder + "/other.json", f"{self.own}/aaaaaa.ticket.json")
        self.assertIn("is a link", self.problems()[0])
        os.remove(f"{self.own}/aaaaaa.ticket.json")
        os.link(self.folder + "/other.json", f"{self.own}/aaaaaa.ticket.json")
        self.assertIn("has 2 names", self.problems()[0])
        os.remove(f"{self.own}/aaaaaa.ticket.json")
        os.mkfifo(f"{self.own}/aaaaaa.ticket.json")
        self.assertIn("is no plain file", self.problems()[0])

    def test_a_spool_that_is_none(self):
        self.put("file", "", self.folder)
        here = {**self.environment, "NEPHRON_SPOOL": self.folder + "/file"}
        self.assertIn("is no folder", self.refused("queue", code=1, env=here))
        os.mkdir(self.folder + "/open")
        os.chmod(self.folder + "/open", 0o777)
        here["NEPHRON_SPOOL"] = self.folder + "/open"
        self.assertIn("chmod +t", self.refused("submit", "--", "true", code=1, env=here))

    def test_a_host_file_with_faults_tells_them_by_place(self):
        for text, said in (("cores = 0", ":1:9: error: cores: a whole number from 1 to 1024"),
                           ("gpus = 1", "unknown key \"gpus\""),
                           ("[[gpu]]\nname = \"a\"", "a [[gpu]] without memory"),
                           ("[[gpu]]\nmemory = \"much\"", "a size such as \"16G\" was expected"),
                           ("slice_minutes = -1", "a number from 0"),
                           ("spool = \"/elsewhere\"", "cannot say where that is"),
                           ("rest_seconds = 0", "a number from 1.0 to"),
                           ("cores = ", "error")):
            with open(self.spool + "/host.toml", "w") as f:
                f.write(text + "\n")
            self.assertIn(said, self.refused("queue"))

    @unittest.skipUnless(ROOT, "forging needs root")
    def test_what_is_forged_does_not_count(self):
        os.makedirs(self.spool + "/12345", exist_ok=True)  # root's folder under another's number
        self.assertIn("belongs to root, not to 12345; nothing in it counts", self.problems()[0])
        os.rmdir(self.spool + "/12345")
        job = self.submit("--gpus", "0", "--cpus", "1", "--", "sleep", "1000", user=OTHER)
        folder = f"{self.spool}/{OTHER}"
        os.chmod(folder, 0o777)
        self.assertIn("others than its owner may write", self.problems()[0])
        self.assertNotIn(job, self.jobs())
        os.chmod(folder, 0o755)
        self.assertIn(job, self.jobs())
        os.chown(f"{folder}/{job}.state.json", 0, 0)
        self.assertIn(f"belongs to root, not to {OTHER}", self.problems()[0])
        os.chown(f"{folder}/{job}.state.json", OTHER, OTHER)
        with open(self.spool + "/host.toml") as f:
            text = f.read()
        os.remove(self.spool + "/host.toml")
        self.put("host.toml", text, self.spool)
        os.chown(self.spool + "/host.toml", OTHER, OTHER)
        self.assertIn("must be root's or the spool's owner's", self.refused("queue", code=1))
        os.chown(self.spool + "/host.toml", 0, 0)
        self.good("cancel", job, user=OTHER)

    @unittest.skipUnless(ROOT, "several users need root")
    def test_parts_that_are_claimed_and_not_held_are_free(self):
        self.make_host(gpus=1)
        job = self.submit("--", "sleep", "1000", user=OTHER)
        self.wait_until(lambda: self.jobs()[job]["state"] == "running")
        state = f"{self.spool}/{OTHER}/{job}.state.json"
        with open(state) as f:
            said = json.load(f)
        self.good("cancel", job, user=OTHER)
        self.wait_until(lambda: job not in self.jobs())
        # A job that says of itself that it runs on everything, for ever.
        for name, content in ((".state.json", said), (".ticket.json", None)):
            if content is None:
                with open(f"{self.spool}/{OTHER}/ended/{job}.ticket.json") as f:
                    content = json.load(f)
            with open(f"{self.spool}/{OTHER}/{job}{name}", "w") as f:
                json.dump(content, f)
            os.chown(f"{self.spool}/{OTHER}/{job}{name}", OTHER, OTHER)
        self.count("mine", 3)
        self.wait_for_result("mine")

    @unittest.skipUnless(ROOT, "a disk of a test's own needs root")
    def test_a_full_spool_is_told_and_jobs_that_run_go_on(self):
        if os.system(f"mount -t tmpfs -o size=300k,nr_inodes=10000,mode=1777 none {self.spool} 2>/dev/null") != 0:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(os.system, f"umount -l {self.spool}")
        self.make_host(gpus=1)
        self.count("a", 20)
        self.wait_until(lambda: os.path.exists(self.work + "/a.state"))
        with open(self.spool + "/fill", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        said = self.refused("submit", "--", "true", code=1)
        self.assertIn("No space left on device", said)
        self.assertIn("The spool needs room", said)
        self.wait_for_result("a")
        os.remove(self.spool + "/fill")
        self.wait_until(lambda: [j["state"] for j in self.jobs("--ended").values()] == ["finished"], self.agent_log)
        # Read-only.
        self.wait_until(lambda: not self.processes())
        os.system(f"mount -o remount,ro {self.spool}")
        self.assertIn("Read-only file system", self.refused("submit", "--", "true", code=1))


if __name__ == "__main__":
    main()
