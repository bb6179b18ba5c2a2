"""nephron queue enable and disable, beside a systemctl, a loginctl and a crontab that write down what they are told."""
import os
import unittest

from queue_fixture import QueueTest, a, main

# Each is told by files of FAKE how to answer; `crontab` keeps its lines there, as cron does.
FAKES = {
    "systemctl": """#!/bin/sh
echo "systemctl $*" >>"$FAKE/told"
if [ "$2" = show-environment ]; then [ -e "$FAKE/manager" ]; exit; fi
[ ! -e "$FAKE/refuses" ] || { echo "no, says systemd" >&2; exit 1; }
""",
    "loginctl": """#!/bin/sh
echo "loginctl $*" >>"$FAKE/told"
test -e "$FAKE/lingers"
""",
    "crontab": """#!/bin/sh
[ ! -e "$FAKE/refuses" ] || { echo "you may not use cron" >&2; exit 1; }
if [ "$1" = - ]; then echo "crontab -" >>"$FAKE/told"; while IFS= read -r line; do printf '%s\\n' "$line"; done >"$FAKE/cron"; exit; fi
[ -e "$FAKE/cron" ] || { echo "no crontab for you" >&2; exit 1; }
while IFS= read -r line; do printf '%s\\n' "$line"; done <"$FAKE/cron"
""",
}
MINE = "5 4 * * * mine 100\\% # nephron queue is my hobby\n"


class Enable(QueueTest):
    def setUp(self):
        super().setUp()
        self.fake = self.folder + "/fake"
        self.home = self.folder + "/home"
        os.makedirs(self.fake + "/bin")
        os.mkdir(self.home)
        for name in FAKES:
            self.make(name)
        self.environment.update(HOME=self.home, FAKE=self.fake, PATH=self.fake + "/bin")
        self.environment.pop("XDG_CONFIG_HOME", None)
        os.symlink("/bin/sh", self.fake + "/bin/sh")

    def make(self, name):
        with open(f"{self.fake}/bin/{name}", "w") as f:
            f.write(FAKES[name])
        os.chmod(f"{self.fake}/bin/{name}", 0o755)

    def put(self, name, text=""):
        with open(f"{self.fake}/{name}", "w") as f:
            f.write(text)

    def text(self, path):
        with open(path) as f:
            return f.read()

    def told(self):
        """Since it was asked last."""
        lines = self.text(self.fake + "/told").splitlines() if os.path.exists(self.fake + "/told") else []
        self.put("told")
        return [line for line in lines if line != "systemctl --user show-environment"]

    def unit(self):
        return self.home + "/.config/systemd/user/nephron-queue.service"

    def test_a_unit_of_systemd(self):
        self.put("manager")
        self.put("lingers")
        for _ in range(2):
            self.assertEqual(self.good("queue", "enable"), f"enabled: {self.unit()}\n")
            enable, linger = self.told()
            self.assertEqual(enable, "systemctl --user enable nephron-queue.service")
            self.assertRegex(linger, "^loginctl enable-linger .+")
        lines = self.text(self.unit()).splitlines()
        self.assertIn(f'Environment="NEPHRON_SPOOL={self.spool}"', lines)
        self.assertIn(f'ExecStart="{os.path.realpath(a.nephron)}" queue agent', lines)
        self.assertIn("KillMode=process", lines)
        self.assertIn("WantedBy=default.target", lines)
        self.assertFalse(os.path.exists(self.fake + "/cron"))
        self.good("queue", "disable")
        self.assertEqual(self.told(), ["systemctl --user disable nephron-queue.service"])
        self.assertFalse(os.path.exists(self.unit()))
        self.assertIn("disabled", self.good("queue", "disable"))
        self.assertEqual(self.told(), [])
        # Without lingering it starts at the login, which is said.
        os.remove(self.fake + "/lingers")
        self.assertIn("starts when you log in", self.good("queue", "enable"))

    def test_names_that_systemd_and_cron_take_for_their_own_are_written_so_that_they_do_not(self):
        self.environment["NEPHRON_SPOOL"] = self.folder + '/a 100% "spool"'
        self.put("manager")
        self.good("queue", "enable")
        self.assertIn(f'Environment="NEPHRON_SPOOL={self.folder}/a 100%% \\"spool\\""', self.text(self.unit()))
        os.remove(self.fake + "/manager")
        self.good("queue", "enable")
        self.assertIn(f"NEPHRON_SPOOL='{self.folder}/a 100\\% \"spool\"' ", self.text(self.fake + "/cron"))

    def test_a_line_of_the_crontab_where_there_is_no_manager(self):
        self.put("cron", MINE)
        for _ in range(2):
            self.assertIn("a line @reboot", self.good("queue", "enable"))
            self.assertEqual(self.text(self.fake + "/cron"),
                             MINE + f"@reboot NEPHRON_SPOOL={self.spool} {os.path.realpath(a.nephron)} queue agent # nephron queue\n")
        self.assertFalse(os.path.exists(self.unit()))
        self.told()
        for times in (1, 0):
            self.good("queue", "disable")
            self.assertEqual(self.text(self.fake + "/cron"), MINE)
            self.assertEqual(self.told(), ["crontab -"] * times)

    def test_the_first_line_of_a_crontab(self):
        self.good("queue", "enable")
        self.assertEqual(self.text(self.fake + "/cron").count("\n"), 1)

    def test_refusals_leave_all_as_it_was(self):
        self.put("cron", MINE)
        self.put("refuses")
        said = self.refused("queue", "enable", code=1)
        self.assertIn("crontab -l failed: you may not use cron", said)
        self.assertIn("Your crontab is as it was", said)
        self.put("manager")
        said = self.refused("queue", "enable", code=1)
        self.assertIn("no, says systemd", said)
        self.assertIn("systemctl --user enable nephron-queue.service failed", said)
        self.assertFalse(os.path.exists(self.unit()))
        os.remove(self.fake + "/refuses")
        self.good("queue", "enable")
        self.put("refuses")
        self.assertIn("disable nephron-queue.service failed", self.refused("queue", "disable", code=1))
        self.assertTrue(os.path.exists(self.unit()))
        os.remove(self.fake + "/refuses")
        # No manager answers, as in a session without a bus: the unit goes all the same.
        os.remove(self.fake + "/manager")
        wanted = os.path.dirname(self.unit()) + "/default.target.wants"
        os.mkdir(wanted)
        os.symlink(self.unit(), wanted + "/nephron-queue.service")
        self.good("queue", "disable")
        self.assertFalse(os.path.exists(self.unit()) or os.listdir(wanted))
        for name in ("crontab", "systemctl"):
            os.remove(f"{self.fake}/bin/{name}")
        self.assertIn("neither a systemd user manager nor crontab", self.refused("queue", "enable", code=1))
        self.assertIn("disabled", self.good("queue", "disable"))
        self.assertEqual(self.text(self.fake + "/cron"), MINE)


if __name__ == "__main__":
    main()
