#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/ignored.hpp>
#include <nephron/object_classes.hpp>
#include <nephron/schema.hpp>
#include <nephron/target_rules.hpp>

namespace hubmap_kaggle {

struct Params {
  std::filesystem::path root;
  std::string part = "train";
  std::string metadata = "HuBMAP-20-dataset_information.csv";
  std::string truth = "rle";
  std::filesystem::path extra;
  bool add_fc = false;
  bool only_fc = false;
  std::string healthy_class;
  std::string unhealthy_class;
  std::vector<nephron::ObjectRule> structures;
  std::vector<std::string> ignore;
  std::vector<nephron::TargetRule> targets;
  std::string group;
  double mpp = 0;
  std::string reader;

  static void describe(nephron::Schema<Params>& s) {
    s.field("root", &Params::root, "folder that holds train/, test/ and train.csv").required();
    s.field("part", &Params::part, "which slides; those of test/ have no masks").choices({"train", "test", "all"});
    s.field("metadata", &Params::metadata, "CSV under root that knows the donors; it may be missing");
    s.field("truth", &Params::truth, "healthy glomeruli: the runs of train.csv, or the polygons of train/ID.json")
        .choices({"rle", "polygons"});
    s.field("extra", &Params::extra,
            "folder of QuPath exports ID.json drawn besides: G (healthy) is added to the truth, FC is unhealthy");
    s.field("add_fc", &Params::add_fc, "objects FC get the healthy class too");
    s.field("only_fc", &Params::only_fc, "objects FC are the only labels: no truth, no G");
    s.field("healthy_class", &Params::healthy_class, "class of healthy glomeruli; empty: the first");
    s.field("unhealthy_class", &Params::unhealthy_class,
            "class of unhealthy ones; empty: the second; of one class: none, or the first with only_fc");
    s.field("structures", &Params::structures,
            "classes of train/ID-anatomical-structure.json: [{ name = \"Cortex\", class = \"cortex\" }]");
    describe_ignore(s, &Params::ignore);
    s.field(
        "targets", &Params::targets,
        "how labels become targets; without it healthy is 1 where nothing is unhealthy, other classes are as drawn");
    s.field("group", &Params::group, "sampling group; empty: the dataset's name");
    s.field("mpp", &Params::mpp, "size of a pixel; 0: as the slide's header says").at_least(0).unit("um");
    s.field("reader", &Params::reader, "name of the reader that opens the slides; empty: the best");
  }

  void validate() const {
    if (add_fc && only_fc) throw nephron::Error("add_fc and only_fc exclude each other");
    if ((add_fc || only_fc) && extra.empty())
      throw nephron::Error(
          std::string(add_fc ? "add_fc" : "only_fc") + " needs the objects FC of a folder of QuPath exports",
          "name it with extra");
  }
};

}  // namespace hubmap_kaggle
