#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include <nephron/experiment_keys.hpp>

#include <host/config/fake_components.hpp>
#include <host/util/files.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using LoadTest = ConfigTest;

TEST_F(LoadTest, AGoodFileBecomesAnExperiment) {
  write("good.toml", good);
  const Experiment e = load("good.toml");
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.name, "good");
  EXPECT_EQ(e.datasets[0].name, "made");
  EXPECT_EQ(e.datasets[1].share, 0.25);
  ASSERT_EQ(e.augmentations[0].of.size(), 2u);
  EXPECT_EQ(e.augmentations[0].of[1].component.type, "blur");
  EXPECT_EQ(e.augmentations[0].of[1].p, 0.25);
  EXPECT_EQ(e.loss.terms[0].component.params.find("gamma")->integer(), 3);
  EXPECT_EQ(e.loss.terms[1].weight, 0.5);
  EXPECT_EQ(e.validation_sampler.type, "grid");
  EXPECT_EQ(e.train.batch, 16);
}

TEST_F(LoadTest, EveryFaultIsReportedWithItsPlace) {
  write("bad.toml", R"(clases = ["a"]
[[dataset]]
type = "fodler"
[[dataset]]
type = "folder"
root = "nowhere"
[sampler]
type = "uniform"
[model]
encoder = { type = "net18", depth = 3 }
[loss]
terms = [ { type = "focal", gamma = 11 }, { type = "broken" }, { type = "mix", losses = [{ type = "bec" }] } ]
[train]
batch = "16"
)");
  load("bad.toml");
  EXPECT_THAT(
      messages(),
      UnorderedElementsAre(
          "bad.toml:1:1: unknown key \"clases\"", "bad.toml:1:1: \"classes\" is missing",
          "bad.toml:3:8: unknown dataset \"fodler\"",
          "bad.toml:6:8: \"root\" names a file or folder that is not there: " + (folder / "nowhere").string(),
          "bad.toml:10:29: unknown key \"depth\"", "bad.toml:9:1: \"decoder\" is missing",
          "bad.toml:12:37: \"gamma\" must be in 0 to 10, not 11", "bad.toml:12:52: plugin broken.so cannot be loaded",
          "bad.toml:12:99: unknown loss \"bec\"", "bad.toml:14:9: \"batch\" must be an integer, not a string"));
}

/// Keys of the table, which the host reads, would be taken from the component without a word.
TEST_F(LoadTest, AParameterWithTheNameOfAKeyOfTheTableIsRefused) {
  std::string text = good;
  const std::size_t terms = text.find("terms = ");
  ASSERT_NE(terms, std::string::npos);
  text.replace(terms, text.find('\n', terms) - terms, "terms = [ { type = \"heavy\", weight = 7 } ]");
  write("heavy.toml", text);
  load("heavy.toml");
  ASSERT_EQ(messages().size(), 1u);
  EXPECT_THAT(messages()[0], HasSubstr("parameter \"weight\" of loss \"heavy\" has the name of a key"));
}

void add_keys(const std::vector<FieldInfo>& fields, std::map<std::string, std::set<std::string>>& keys) {
  for (const FieldInfo& f : fields) {
    const FieldInfo& table = f.type == "array" && f.element != nullptr ? *f.element : f;
    if (!table.shared_kind.empty())
      for (const FieldInfo& m : table.members) keys[table.shared_kind].insert(m.name);
    add_keys(table.members, keys);
  }
}

/// What the SDK tells authors is what the host reads.
TEST(ExperimentKeys, AreThoseOfTheTables) {
  std::map<std::string, std::set<std::string>> read, told;
  add_keys(schema_of<Experiment>().fields(), read);
  read["augmentation"].insert("preset");  // replaced before the table is read
  for (auto& [kind, names] : read) names.insert("type");
  for (const auto& [kind, names] : read)
    for (const ExperimentKey& key : experiment_keys)
      if (key.kind.empty() || key.kind == kind) told[kind].insert(std::string(key.name));
  EXPECT_EQ(told, read);
  for (const ExperimentKey& key : experiment_keys)
    EXPECT_TRUE(key.kind.empty() || read.contains(std::string(key.kind)));
}

TEST_F(LoadTest, TheReportShowsLineCaretAndHint) {
  const auto file = write("bad.toml", "a = 1\n\t[train]\n  epoch = 40  # \xc3\xbc\n");
  resolve_experiment(file, {}, faults);
  const auto name = std::make_shared<const std::string>(file.string());
  const auto told = [](Source source, const char* message, const char* hint) {
    Diagnostics one;
    one.push_back({std::move(source), message, hint});
    return report(one);
  };
  EXPECT_EQ(
      told({name, 3, 3}, "unknown key \"epoch\"", "did you mean \"epochs\"?"),
      file.string() +
          ":3:3: error: unknown key \"epoch\"\n      epoch = 40  # \xc3\xbc\n      ^\n    did you mean \"epochs\"?");
  EXPECT_EQ(told({name, 2, 2}, "x", ""), file.string() + ":2:2: error: x\n    \t[train]\n    \t^");
  EXPECT_EQ(told({}, "x\x1b[31m\n", ""), "error: x?[31m?");  // nothing for the terminal to obey
}

TEST_F(LoadTest, LongLinesAreCutAroundTheFault) {
  const auto file = write("long.toml", "x = \"" + std::string(1 << 20, 'a') + "\" oops\n");
  try {
    parse_toml(file);
    FAIL() << "no error";
  } catch (const ConfigError& e) {
    EXPECT_LT(std::string(e.what()).size(), 800u);
    EXPECT_THAT(e.what(), HasSubstr("oops"));
  }
}

TEST_F(LoadTest, KeysThatConcernEachOtherAreChecked) {
  const auto fault = [&](std::vector<std::string> set) {
    load("good.toml", set);
    return faults.size() == 1 ? faults[0].message : "faults: " + std::to_string(faults.size());
  };
  write("good.toml", good);
  EXPECT_THAT(fault({"loss.class_weights=[1]"}), HasSubstr("one number a class: 2, not 1"));
  EXPECT_THAT(fault({"loss.class_weights=[0, 0]"}), HasSubstr("every class has weight 0"));
  EXPECT_THAT(fault({"data.tile=250"}), HasSubstr("multiple of 32"));
  EXPECT_THAT(fault({"data.mpp=0.5", "data.factor=2"}), HasSubstr("\"mpp\" and \"factor\" exclude each other"));
  EXPECT_THAT(fault({"data.mpp=0.5", "data.factor=1"}), "faults: 0") << "as a resolved file says it";
  EXPECT_THAT(fault({"dataset.0.share=0.9"}), HasSubstr("add up to 1.15"));
  EXPECT_THAT(fault({"dataset.second.share=1.0"}), HasSubstr("nothing is left"));
  EXPECT_THAT(fault({"dataset.0.share=0.5"}), HasSubstr("add up to 0.75, not 1"));
  EXPECT_THAT(fault({"dataset.0.name=second"}), HasSubstr("two datasets are called \"second\""));
  EXPECT_THAT(fault({"classes=[\"a\", \"a\"]"}), HasSubstr("names one class twice"));
  EXPECT_THAT(fault({"exclusive=true", "predict.threshold=0.4"}), HasSubstr("exclusive classes have no \"threshold\""));
  std::string many;
  for (int c = 0; c < 32; ++c) many += (c == 0 ? "\"" : ", \"") + std::to_string(c) + "\"";
  EXPECT_THAT(fault({"classes=[" + many + ", \"one too many\"]", "loss.class_weights=[]"}),
              HasSubstr("must name 1 to 32 classes, not 33"));
  EXPECT_THAT(fault({"classes=[" + many + "]", "data.ignore_outside=true", "loss.class_weights=[]"}),
              HasSubstr("\"ignore_outside\" takes a bit beside those of 32 classes"));
  EXPECT_THAT(fault({"predict.threshold=find"}), HasSubstr("or \"search\", not \"find\""));
  EXPECT_THAT(fault({"predict.threshold=1.5"}), HasSubstr("in 0 to 1"));
  EXPECT_THAT(fault({"predict.tta=[\"flip_x\", \"flip_x\"]"}), HasSubstr("one flip twice"));
  EXPECT_THAT(fault({"augmentation=[{type=\"flip\", of=[]}]"}),
              HasSubstr("only one_of, some_of, sequence and normalise"));
  EXPECT_THAT(fault({"augmentation=[{type=\"one_of\"}]"}), HasSubstr("one_of needs augmentations"));
  EXPECT_THAT(fault({"augmentation=[{type=\"some_of\", count=2, of=[{type=\"flip\"}]}]"}),
              HasSubstr("1 augmentations to choose 2 from"));
  EXPECT_THAT(fault({"augmentation=[{type=\"some_of\", count=0, of=[{type=\"flip\"}]}]"}), HasSubstr("count"));
  EXPECT_EQ(fault({"augmentation=[{type=\"some_of\", count=1, of=[{type=\"flip\"}]}]"}), "faults: 0");
  EXPECT_THAT(fault({"augmentation=[{type=\"flip\"}, {type=\"normalise\", of=[{type=\"blur\"}]}]"}),
              HasSubstr("before all else"));
  EXPECT_THAT(fault({"augmentation=[{type=\"normalise\", p=0.5, of=[{type=\"blur\"}]}]"}), HasSubstr("has no \"p\""));
  EXPECT_THAT(fault({"augmentation=[{type=\"normalise\", of=[{type=\"blur\", p=0.5}]}]"}), HasSubstr("draws nothing"));
  EXPECT_THAT(fault({"batch_augmentation=[{type=\"normalise\", of=[{type=\"mix-batches\"}]}]"}),
              HasSubstr("unknown batch_augmentation \"normalise\""));
  EXPECT_EQ(fault({"augmentation=[{type=\"normalise\", of=[{type=\"blur\"}]}, {type=\"flip\"}]"}), "faults: 0");
  EXPECT_THAT(fault({"augmentation.0.of.0.type=flop"}), HasSubstr("unknown augmentation \"flop\""));
  EXPECT_THAT(fault({"augmentation=[{type=\"mix-batches\"}]"}), HasSubstr("unknown augmentation \"mix-batches\""));
  EXPECT_THAT(fault({"batch_augmentation=[{type=\"one_of\"}]"}), HasSubstr("one_of needs augmentations"));
  EXPECT_EQ(fault({"batch_augmentation=[{type=\"one_of\", of=[{type=\"mix-batches\"}]}]"}), "faults: 0");
  EXPECT_THAT(fault({"train.optimizer.betas=[0.9, 1.0]"}), HasSubstr("below 1"));
  EXPECT_THAT(fault({"train.accumulate=1000"}), HasSubstr("no epoch would have a step"));
  EXPECT_THAT(fault({"train.cuda_graph=true", "model.checkpointing=true"}), HasSubstr("cannot record blocks"));
  EXPECT_EQ(fault({"train.cuda_graph=true"}), "faults: 0");
  EXPECT_THAT(fault({"train.optimizer.nesterov=true"}), HasSubstr("\"nesterov\" is of sgd, not of adam"));
  EXPECT_THAT(fault({"train.optimizer={type=\"sgd\", nesterov=true, momentum=0}"}), HasSubstr("\"momentum\" is 0"));
  EXPECT_THAT(fault({"train.optimizer.layer_decay=0"}), HasSubstr("must be more than 0"));
  EXPECT_THAT(fault({"train.schedule.type=plateau", "train.patience=10"}), HasSubstr("it never would"));
  EXPECT_THAT(fault({"train.schedule.type=plateau", "train.epochs=11"}), HasSubstr("the rate would never fall"));
  EXPECT_EQ(fault({"train.schedule.type=plateau", "train.epochs=12"}), "faults: 0");
  EXPECT_THAT(fault({"train.schedule={type=\"plateau\", factor=1}"}), HasSubstr("the rate never falls"));
  EXPECT_THAT(fault({"train.average={type=\"swa\", start=40}"}), HasSubstr("after 40 epochs, and training has 40"));
  EXPECT_THAT(fault({"train.average={type=\"ema\", decay=1}"}), HasSubstr("the average never changes"));
  EXPECT_THAT(fault({"train.hard_examples.share=0.5", "train.epochs=1"}), HasSubstr("from the second epoch on"));
  EXPECT_THAT(fault({"train.hard_examples.share=1"}), HasSubstr("\"share\" must be in 0"));
  EXPECT_THAT(fault({"train.group=[{match=\"encoder\"}, {match=\"encoder\"}]"}), HasSubstr("two groups match"));
  EXPECT_THAT(fault({"train.freeze=[{match=\"encoder\", from=2, until=2}]"}), HasSubstr("is never"));
  EXPECT_THAT(fault({"train.freeze=[{match=\"encoder\", from=40}]"}), HasSubstr("freeze after 40 epochs"));
  EXPECT_THAT(fault({"loss.terms=[]"}), HasSubstr("at least one loss"));
  EXPECT_THAT(fault({"loss.terms.0.weight=0", "loss.terms.1.weight=0"}), HasSubstr("weight 0 in epoch 0"));
  EXPECT_THAT(fault({"loss.terms.1.weight=0", "loss.terms.0.schedule={begin=2, end=3}"}),
              HasSubstr("weight 0 in epoch 0"));
  EXPECT_THAT(fault({"loss.terms.0.weight=0", "loss.terms.0.schedule={from=1, begin=2, end=4}",
                     "loss.terms.1.schedule={begin=5, end=6}"}),
              HasSubstr("weight 0 in epoch 4"));
  EXPECT_EQ(fault({"loss.terms.0.weight=0", "loss.terms.0.schedule={from=1, begin=2, end=4}",
                   "loss.terms.1.schedule={begin=3, end=6}"}),
            "faults: 0");
  EXPECT_THAT(fault({"loss.terms.0.schedule={begin=3, end=2}"}), HasSubstr("must not come before \"begin\" (3)"));
  EXPECT_THAT(fault({"loss.terms.0.schedule={from=1}"}), HasSubstr("\"end\" is missing"));
  EXPECT_THAT(fault({"name=\"a/b\""}), HasSubstr("name of a folder"));
  EXPECT_EQ(fault({"predict.threshold=search", "data.tile=320"}), "faults: 0");
}

TEST(LossTerm, ItsWeightFollowsTheSchedule) {
  LossTerm term{{}, 0.5, LossSchedule{2, 3, 6}};
  const auto at = [&](std::int64_t epoch) { return term.weight_at(epoch); };
  EXPECT_EQ(at(0), 2);
  EXPECT_EQ(at(3), 2);
  EXPECT_DOUBLE_EQ(at(4), 1.5);
  EXPECT_DOUBLE_EQ(at(5), 1);
  EXPECT_EQ(at(6), 0.5);
  EXPECT_EQ(at(100), 0.5);
  term.schedule = LossSchedule{2, 3, 3};
  EXPECT_EQ(at(2), 2);
  EXPECT_EQ(at(3), 0.5) << "at once";
  term.schedule.reset();
  EXPECT_EQ(at(0), 0.5);
}

TEST_F(LoadTest, OneFaultHidesNoOther) {
  write("bad.toml", R"(classes = ["a", "b"]
[data]
tile = 100
factor = "two"
windw = 2
[[dataset]]
type = "made"
share = "x"
[[dataset]]
type = "made"
[sampler]
type = "uniform"
[model]
encoder = { type = "net18" }
in_channels = 5
[loss]
class_weights = [1]
terms = [ { type = "focal", gamma = "x" } ]
[train]
epochs = "x"
accumulate = 500
)");
  load("bad.toml");
  EXPECT_THAT(messages(),
              testing::UnorderedElementsAre(
                  HasSubstr("\"tile\" must be a multiple of 32"), HasSubstr("\"factor\" must be an integer"),
                  HasSubstr("unknown key \"windw\""), HasSubstr("\"share\" must be a number"),
                  HasSubstr("two datasets are called \"made\""), HasSubstr("\"decoder\" is missing"),
                  HasSubstr("\"in_channels\" is 5, but slides give 3 channels"),
                  HasSubstr("one number a class: 2, not 1"), HasSubstr("\"gamma\" must be a number"),
                  HasSubstr("\"epochs\" must be an integer"), HasSubstr("\"accumulate\" must not be more")));
  // What cannot be judged is not: each is told once.
  write("few.toml", "[data]\ntile = \"x\"\n");
  load("few.toml");
  EXPECT_THAT(messages(), testing::UnorderedElementsAre(
                              HasSubstr("\"classes\" is missing"), HasSubstr("\"tile\" must be an integer"),
                              HasSubstr("\"dataset\" is missing"), HasSubstr("\"sampler\" is missing"),
                              HasSubstr("\"model\" is missing"), HasSubstr("\"loss\" is missing")));
}

TEST_F(LoadTest, NamesOfClassesCanBeNamesOfFolders) {
  write("good.toml", good);
  const auto fault = [&](const std::string& name) {
    load("good.toml", {"classes=[\"a\", \"" + name + "\"]"});
    return faults.size() == 1 ? faults[0].message : "faults: " + std::to_string(faults.size());
  };
  EXPECT_THAT(fault(""), HasSubstr("a class needs a name"));
  EXPECT_THAT(fault("b\\nc"), HasSubstr("holds a control character"));
  EXPECT_THAT(fault("b\\u0007"), HasSubstr("holds a control character"));
  EXPECT_THAT(fault("b "), HasSubstr("begins or ends with a space"));
  EXPECT_THAT(fault(std::string(101, 'x')), HasSubstr("has 101 bytes; expected 100 at most"));
  EXPECT_EQ(fault("glom\u00e9rule sain"), "faults: 0");
}

TEST_F(LoadTest, ExtendsMergesDeeply) {
  write("base/a.toml", good + "[train]\nbatch = 4\noptimizer = { lr = 0.5, eps = 1e-6 }\n");
  write("base/b.toml", "[train]\nbatch = 8\nepochs = 3\n");
  write("leaf.toml",
        "extends = [\"base/a.toml\", \"base/b.toml\"]\nclasses = [\"x\", \"y\"]\n[train.optimizer]\nlr = 0.25\n");
  const Experiment e = load("leaf.toml");
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.train.batch, 8);
  EXPECT_EQ(e.train.epochs, 3);
  EXPECT_EQ(e.train.optimizer.lr, 0.25);
  EXPECT_EQ(e.train.optimizer.eps, 1e-6);
  EXPECT_THAT(e.classes, ElementsAre("x", "y"));  // lists are replaced
  EXPECT_EQ(e.resolved.find("extends"), nullptr);
  EXPECT_THAT(e.resolved.find("train")->find("batch")->source.str(), HasSubstr("base/b.toml:2:9"));
}

TEST_F(LoadTest, AComponentOfAnotherTypeReplacesTheOld) {
  write("base.toml", good + "[train.optimizer]\nlr = 0.5\n");
  write("leaf.toml",
        "extends = \"base.toml\"\n[model.encoder]\ntype = \"net34\"\n[loss]\nterms = [ { type = \"bce\" } ]\n");
  Experiment e = load("leaf.toml", {"train.optimizer.type=sgd", "loss.terms.0.type=focal"});
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.model.encoder.component.type, "net34");
  EXPECT_EQ(e.loss.terms[0].component.params.find("gamma"), nullptr);
  EXPECT_EQ(e.train.optimizer.lr, 0.5);  // a section is no component
}

TEST_F(LoadTest, ListsArePatchedByNameTypeOrNumber) {
  write("base.toml", good);
  write("leaf.toml",
        "extends = \"base.toml\"\n[dataset.second]\nshare = 0.5\n[augmentation.one_of]\np = "
        "0.75\n[loss.terms.0]\ngamma = 9\n");
  const Experiment e = load("leaf.toml");
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.datasets[1].share, 0.5);
  EXPECT_EQ(e.augmentations[0].p, 0.75);
  EXPECT_EQ(e.augmentations[0].of.size(), 2u);
  EXPECT_EQ(e.loss.terms[0].component.params.find("gamma")->integer(), 9);
  write("typo.toml",
        "extends = \"base.toml\"\n[dataset.third]\nshare = 0.5\n[loss.terms.7]\nweight = 1\n[dataset.made]\nshare = "
        "0.1\n");
  load("typo.toml");
  EXPECT_THAT(messages(), UnorderedElementsAre("typo.toml:2:10: the list has no entry \"third\" to change",
                                               "typo.toml:4:13: the list has no entry \"7\" to change",
                                               "typo.toml:6:10: \"made\" names more than one entry of the list"));
}

TEST_F(LoadTest, AnEntryWithinAnotherIsPointedAt) {
  write("base.toml", good);
  const Experiment e = load("base.toml");
  ASSERT_THAT(e.augmentations, testing::Not(IsEmpty()));
  ASSERT_THAT(e.augmentations[0].of, testing::Not(IsEmpty()));
  const std::string inner = e.augmentations[0].of[0].component.type;
  write("leaf.toml", "extends = \"base.toml\"\n[augmentation." + inner + "]\np = 0.5\n");
  load("leaf.toml");
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(faults[0].hint, HasSubstr("stands within another: 0.of." + inner));
}

TEST_F(LoadTest, ExtendsFaultsHavePlacesAndNoFollowers) {
  write("a.toml", "extends = \"b.toml\"\n");
  write("b.toml", "extends = [\"a.toml\", \"gone.toml\", 3]\n");
  load("a.toml");
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("b.toml:1:12: files name each other in a circle"),
                                      HasSubstr("b.toml:1:22: \"extends\" names a file that is not there"),
                                      HasSubstr("b.toml:1:35: \"extends\" must be a file")));
  write("self.toml", "extends = \"./self.toml\"\n");
  load("self.toml");
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("name each other in a circle")));
  std::string list;
  for (int i = 0; i < 500; ++i) list += "\"b2.toml\", ";
  write("b2.toml", "seed = 1\n");
  write("wide.toml", "extends = [" + list + "]\n");
  load("wide.toml");
  EXPECT_THAT(messages()[0], HasSubstr("more than 64 files"));
}

TEST_F(LoadTest, EnvironmentVariablesAreReplaced) {
  ::setenv("NEPHRON_TEST_NAME", "from-env", 1);
  ::unsetenv("NEPHRON_TEST_UNSET");
  write("env.toml", "name = \"${NEPHRON_TEST_NAME}-${NEPHRON_TEST_UNSET:-x}\"\ndescription = \"$${kept} $5\"\n" + good);
  const Experiment e = load("env.toml");
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.name, "from-env-x");
  EXPECT_EQ(e.description, "${kept} $5");
  write("unset.toml", "extends = \"env.toml\"\n[model.encoder]\nweights = \"${NEPHRON_TEST_UNSET}/a.pth\"\n");
  load("unset.toml");
  EXPECT_THAT(messages(), ElementsAre("unset.toml:3:11: environment variable NEPHRON_TEST_UNSET is not set"));
  ::setenv("NEPHRON_TEST_UNSET", "", 1);
  write("asked.toml", "description = \"${NEPHRON_TEST_UNSET:?the folder with the tiles: see README.md}\"\n" + good);
  load("asked.toml");
  EXPECT_THAT(messages(), ElementsAre("asked.toml:1:15: environment variable NEPHRON_TEST_UNSET is not set"));
  EXPECT_EQ(faults[0].hint, "the folder with the tiles: see README.md");
  ::unsetenv("NEPHRON_TEST_UNSET");
  load("unset.toml", {"model.encoder.weights="});
  EXPECT_THAT(messages(), testing::Contains(HasSubstr("--set model.encoder.weights=: the value is missing")));
  EXPECT_THAT((load("unset.toml", {"model.encoder.weights=\"\""}), messages()),
              IsEmpty());  // what is replaced is not looked up
  for (const char* text : {"${", "${}", "${1A}", "${A B}", "${A:b}", "x${A"}) {
    write("odd.toml", "description = \"" + std::string(text) + "\"\n" + good);
    load("odd.toml");
    EXPECT_EQ(faults.size(), 1u) << text;
  }
}

TEST_F(LoadTest, PathsBecomeAbsoluteInTheResolvedFile) {
  write("data/x.txt", "");
  write("sub/base.toml", good);
  write("leaf.toml",
        "extends = \"sub/base.toml\"\n[[dataset]]\ntype = \"folder\"\nroot = \"data\"\n[model]\nencoder = { type = "
        "\"net18\", weights = \"pypi:net\" }\n");
  const Experiment e = load("leaf.toml");
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.resolved.find("dataset")->array()[0].find("root")->string(), (folder / "data").string());
  EXPECT_EQ(e.model.encoder.weights, "pypi:net");
  EXPECT_EQ(e.resolved.find("model")->find("encoder")->find("weights")->string(), "pypi:net");
}

TEST_F(LoadTest, FoldsThatWereWrittenDownAreReadAndCompared) {
  const auto with_folds = [&](const std::string& folds) {
    write("folds.toml", good + "[data]\nfolds = " + folds + "\n");
    return load("folds.toml");
  };
  const auto place = [&](const std::string& key) {
    const std::string text = read_file(folder / "folds.toml");
    const std::size_t at = text.rfind(key);
    return "folds.toml:" + std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<long>(at), '\n')) +
           ":";
  };
  with_folds("{ file = \"splits.json\" }");
  EXPECT_THAT(messages(), ElementsAre(AllOf(HasSubstr(place("folds = ")), HasSubstr("that is not there"))));

  const std::string a = R"({"id": "a", "dataset": "d", "donor": "x", "fold": 0})";
  const auto splits = [](const std::string& slides) {
    return R"({"count": 3, "by": "donor", "slides": [)" + slides + "]}";
  };
  write("splits.json", splits(a));
  const Experiment e = with_folds("{ file = \"splits.json\" }");
  EXPECT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.data.folds.count, 3);
  EXPECT_EQ(e.data.folds.by, "donor");
  EXPECT_EQ(e.resolved.find("data")->find("folds")->find("count")->integer(), 3);
  with_folds("{ count = 4, by = \"index\", file = \"splits.json\" }");
  EXPECT_THAT(messages(),
              ElementsAre(HasSubstr("\"count\" is 4, but the folds of "), HasSubstr("\"by\" is \"index\"")));

  for (const auto& [slides, says] : std::map<std::string, std::string>{
           {R"({"id": "b", "dataset": "d", "donor": "", "fold": 3})", "slides[1].fold"},
           {R"({"id": "b", "dataset": "d", "fold": 1})", "slides[1] has no \"donor\""},
           {a, "slides[1] names slide \"a\" of \"d\" a second time"},
           {R"({"id": "b", "dataset": "d", "donor": "x", "fold": 1})", "slides[1] puts donor \"x\" into fold 1"}}) {
    write("splits.json", splits(a + ", " + slides));
    with_folds("{ file = \"splits.json\" }");
    EXPECT_THAT(messages(), ElementsAre(AllOf(HasSubstr(place("folds = ")), HasSubstr("splits.json: " + says))));
  }
}

TEST_F(LoadTest, SettingsAreTomlOrBareWords) {
  write("good.toml", good);
  const Experiment e = load("good.toml", {"train.optimizer.lr=1e-4", "train.precision=bf16", "name=a-1.5x",
                                          "loss.class_weights=[2, 3]", "model.encoder={type=\"net34\"}",
                                          "train.deterministic=true", "data.mean=[0, 0, 0]", "data.mean.1=0.25"});
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_EQ(e.train.optimizer.lr, 1e-4);
  EXPECT_EQ(e.train.precision, "bf16");
  EXPECT_EQ(e.name, "a-1.5x");
  EXPECT_EQ(e.loss.class_weights[1], 3);
  EXPECT_EQ(e.model.encoder.component.type, "net34");
  EXPECT_TRUE(e.train.deterministic);
  EXPECT_EQ(e.data.mean[1], 0.25);
  load("good.toml", {"nonsense", "=3", "a..b=3", "x=[1,", "train.batch=0"});
  EXPECT_THAT(messages(), ElementsAre("--set nonsense: a setting is KEY=VALUE", "--set =3: a setting is KEY=VALUE",
                                      "--set a..b=3: a setting is KEY=VALUE", "--set x=[1,: the value is not TOML",
                                      "--set train.batch=0: \"batch\" must be in 1 to 4096, not 0"));
}

}  // namespace
}  // namespace nephron::host
