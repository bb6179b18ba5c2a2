"""Agents and jobs are killed again and again, one and all at once: nothing is lost or run twice, no part is given to two
jobs, results are those of jobs that nobody killed. NEPHRON_QUEUE_KILLS says how often, NEPHRON_QUEUE_JOBS how many jobs
there are; of three users where root runs it."""
import os
import random
import time

from queue_fixture import QueueTest, main, result_of

KILLS = int(os.environ.get("NEPHRON_QUEUE_KILLS", "6"))
JOBS = int(os.environ.get("NEPHRON_QUEUE_JOBS", "6"))
USERS = [12001, 12002, 12003] if os.geteuid() == 0 else [None]


class Kills(QueueTest):
    def test_kills(self):
        self.make_host(gpus=3, cores=6, slice_minutes=0.03)
        seed = int(os.environ.get("NEPHRON_QUEUE_SEED", "1"))
        dice = random.Random(seed)
        owner, steps = {}, {}
        for i in range(JOBS):
            name, user = f"j{i}", USERS[i % len(USERS)]
            steps[name] = dice.randrange(10, 60)
            options = dice.choice([(), ("--gpu-memory", "5G", "--cpus", "1"), ("--gpus", "2")])
            owner[self.count(name, steps[name], *options, pace=0.05, user=user)] = (name, user)
        kills = 0
        until = time.monotonic() + 30 + 5 * KILLS
        while kills < KILLS and time.monotonic() < until:
            time.sleep(dice.random() * 0.5)
            agents, all_of_them = self.processes(keepers=False), self.processes()
            what = dice.choice(["agent", "run", "run", "all"])
            chosen = all_of_them if what == "all" else agents if what == "agent" else sorted(
                set(all_of_them) - set(agents))
            kills += self.kill(chosen if what == "all" else dice.sample(chosen, min(1, len(chosen))))
            if not self.left(owner) and kills < KILLS:  # a look starts agents again
                name, user = f"more{kills}", dice.choice(USERS)
                steps[name] = 30
                owner[self.count(name, 30, user=user)] = (name, user)
        print(f"{kills} kills, {len(owner)} jobs, seed {seed}")
        self.wait_until(lambda: self.over(owner), lambda: f"jobs that do not end: {self.left(owner)}\n" + self.agent_log())
        self.expect_nothing_wrong()
        for user in USERS:
            ended = self.jobs("--ended", user=user)
            mine = {job: name for job, (name, of) in owner.items() if of == user}
            self.assertEqual({job for job in ended if job in mine}, set(mine), "a job is lost")
            for job, name in mine.items():
                self.assertEqual(ended[job]["state"], "finished", (name, ended[job]))
                self.assertEqual(self.result(name), result_of(name, steps[name]))
        self.wait_until(lambda: not self.processes(), "something stays behind")

    def left(self, owner):
        out = {}
        for user in USERS:
            jobs = self.jobs("--ended", user=user)
            for job in list(jobs):
                # What was killed too often without coming further is a person's to release.
                if job in owner and owner[job][1] == user and jobs[job]["state"] in ("killed", "held"):
                    self.good("release", job, user=user)
            out.update({job: j["state"] for job, j in jobs.items() if job in owner})
        return {job: out.get(job, "lost") for job in owner if out.get(job) != "finished"}

    def over(self, owner):
        return not self.left(owner)


if __name__ == "__main__":
    main()
