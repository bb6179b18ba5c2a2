#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nephron/dataset.hpp>
#include <nephron/dataset_check.hpp>
#include <nephron/ignored.hpp>
#include <nephron/object_classes.hpp>
#include <nephron/parameter_check.hpp>
#include <nephron/room.hpp>
#include <nephron/schema.hpp>
#include <nephron/target_rules.hpp>

namespace nephron {

/// Parameters of datasets that are a folder of slide files with annotations of the same names. A plugin's own struct
/// derives from it and calls describe_folder() in its describe().
struct NEPHRON_API AnnotatedFolderParams {
  std::filesystem::path root;
  std::filesystem::path annotations;
  std::string slides;
  std::vector<ObjectRule> objects;
  std::vector<TargetRule> targets;
  std::string donor;
  std::string group;
  double mpp = 0;
  std::string reader;
  std::vector<std::string> ignore;
  Room room{};

  template <class T>
  static void describe_folder(Schema<T>& s) {
    const auto of = []<class M>(M AnnotatedFolderParams::*member) -> M T::* { return member; };
    s.field("root", of(&AnnotatedFolderParams::root), "folder of the slides; folders inside are searched too")
        .required();
    s.field("annotations", of(&AnnotatedFolderParams::annotations),
            "folder of QuPath exports ID.json; empty: annotations/ under root, and beside the slides");
    s.field("slides", of(&AnnotatedFolderParams::slides), "regular expression that the ids of wanted slides hold");
    s.field(
        "objects", of(&AnnotatedFolderParams::objects),
        "classes of the objects: [{ name = \"G\", class = \"healthy\" }]; empty: G and those without a name are the "
        "first class, FC the second, where there is one");
    describe_ignore(s, of(&AnnotatedFolderParams::ignore));
    s.field("targets", of(&AnnotatedFolderParams::targets), "how labels become targets; without it as they are drawn");
    s.field("donor", of(&AnnotatedFolderParams::donor), "regular expression on the id; its first bracket is the donor");
    s.field("group", of(&AnnotatedFolderParams::group), "sampling group; empty: the dataset's name");
    s.field("mpp", of(&AnnotatedFolderParams::mpp), "size of a pixel; 0: as the slide's header says")
        .at_least(0)
        .unit("um");
    s.field("reader", of(&AnnotatedFolderParams::reader), "name of the reader that opens the slides; empty: the best");
  }
  void validate() const;  ///< Throws Error for what is no regular expression.
};

/// A folder of slide files, each with a GeoJSON file ID.json, or without one: then it is a target of predictions only.
/// Tells of folders that are not there, slides without annotation and annotations without slide.
class NEPHRON_API AnnotatedFolder : public Dataset, public ParameterCheck, public DatasetCheck {
 public:
  struct Layout {
    std::vector<std::string> endings;  ///< of slide files: {".svs"}
    std::string expected;              ///< "SESCAM_*.svs, ... and annotations/ID.json": for errors
    std::string source;                ///< where a user gets the data
    Room room{};
  };
  AnnotatedFolder(AnnotatedFolderParams params, Layout layout, Context& context);
  ~AnnotatedFolder() override;

  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override;
  std::unique_ptr<SlideReader> open(const SlideInfo& slide) const override;
  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes, AnnotationSink& sink) const override;
  bool annotated(const SlideInfo& slide) const override;
  std::vector<ChannelRule> targets(const std::vector<std::string>& classes) const override;

  void check_parameters(const std::vector<std::string>& classes, ParameterFaults& faults) const override;
  void check_files(const std::vector<std::string>& classes, DatasetFindings& findings) const override;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace nephron
