"""nephron as a person calls it, for tests of whole commands: a mixin of unittest.TestCase."""
import subprocess
import time


class WholeCommands:
    """Of the test: `program`, nephron; `work`, the folder in which it runs; `environment`."""
    program = None
    patience = 120

    def nephron(self, *words, user=None, **more):
        """As another `user`, where root runs the test."""
        more = {"cwd": self.work, "env": self.environment, **more}
        if user:
            more.update(user=user, group=user, extra_groups=[])
        return subprocess.run([self.program, *words], capture_output=True, text=True, timeout=self.patience, **more)

    def good(self, *words, **more):
        done = self.nephron(*words, **more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def refused(self, *words, code=2, **more):
        done = self.nephron(*words, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr

    def wait_until(self, what, message="what was waited for did not come"):
        until = time.monotonic() + self.patience
        while not (found := what()):
            self.assertLess(time.monotonic(), until, message() if callable(message) else message)
            time.sleep(0.05)
        return found
