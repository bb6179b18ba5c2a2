"""Arrays over slides in Slurm: what several tasks prepare and predict is what one process does."""
from slurm_fixture import SlurmTest, main
from tiny_training import EXPERIMENT, files_of_prediction, write_experiment, write_training

SHORT = EXPERIMENT.replace("epochs = 4", "epochs = 1").replace("steps_per_epoch = 3", "steps_per_epoch = 2")


class Slides(SlurmTest):
    def setUp(self):
        super().setUp()
        write_training(self.work, pictures=5)
        write_experiment(self.work, SHORT)

    def hand_over(self, *words):
        job = self.submit("--over-slides", "2", "--gpus", "0", "--", "nephron", *words)
        self.wait_for_end(job)
        return job

    def test_slides_are_prepared_by_several_tasks(self):
        job = self.hand_over("prepare", "tiny.toml", "--store", "store")
        said = self.good("logs", job)
        self.assertIn("3 slides prepared", said)
        self.assertIn("2 slides prepared", said)
        self.assertIn("0 slides prepared, 5 up to date, 0 failed", self.good("prepare", "tiny.toml", "--store", "store"))

    def test_what_several_tasks_predict_is_what_one_process_predicts(self):
        self.good("train", "tiny.toml", "--device", "cpu")
        with open(f"{self.work}/data/images/s6.png", "wb") as f:
            f.write(b"no picture")
        words = ("predict", "runs/tiny", "--images", "data/images", "--masks", "data/masks", "--device", "cpu",
                 "--checkpoint", "last", "--threshold", "search", "--save", "maps,masks,coco,submission")
        self.assertEqual(self.nephron(*words, "--out", "one").returncode, 1, "one picture is none")
        job = self.hand_over(*words, "--out", "several")
        self.wait_until(lambda: self.rows() == {}, self.said(job))  # the job that puts it together
        several, one = files_of_prediction(self.work + "/several"), files_of_prediction(self.work + "/one")
        self.assertEqual(sorted(several), sorted(one), self.good("logs", job))
        for name in one:
            self.assertEqual(several[name], one[name], name)


if __name__ == "__main__":
    main()
