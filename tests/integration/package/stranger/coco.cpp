#include <nephron/coco_rle.hpp>
#include <nephron/dataset.hpp>
#include <nephron/json.hpp>
#include <nephron/object_classes.hpp>

using Type = nephron::Value::Type;

struct CocoParams {
  std::filesystem::path root;
  static void describe(nephron::Schema<CocoParams>& s) {
    s.field("root", &CocoParams::root, "folder of annotations.json and images/FILE_NAME").required();
  }
};

class Coco final : public nephron::Dataset {
 public:
  Coco(const CocoParams& params, nephron::Context& context)
      : root_(params.root),
        file_(root_ / "annotations.json"),
        opener_(context.slides()),
        json_(nephron::read_json(file_)) {}

  std::vector<nephron::SlideInfo> slides(const std::vector<std::string>&) const override {
    std::vector<nephron::SlideInfo> out;
    for (const nephron::Value& image : list("images")) {
      nephron::SlideInfo info;
      info.id = member(image, "file_name", Type::string).string();
      info.size = {member(image, "width", Type::integer).integer(), member(image, "height", Type::integer).integer()};
      info.source = root_ / "images" / info.id;
      info.annotations = {file_};
      out.push_back(std::move(info));
    }
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const nephron::SlideInfo& slide) const override {
    return opener_.open(slide.source);
  }

  bool annotated(const nephron::SlideInfo&) const override { return true; }

  void annotate(const nephron::SlideInfo& slide, const std::vector<std::string>& classes,
                nephron::AnnotationSink& sink) const override {
    for (const nephron::Value& image : list("images")) {
      if (member(image, "file_name", Type::string).string() != slide.id) continue;
      for (const nephron::Value& object : list("annotations"))
        if (member(object, "image_id", Type::integer) == member(image, "id", Type::integer))
          give(object, slide, nephron::class_number(category(object), classes), sink);
    }
  }

 private:
  const nephron::Value& member(const nephron::Value& object, const char* key, Type type) const {
    return nephron::json_member(object, key, type, file_.string());
  }
  const nephron::Value::Array& list(const char* key) const { return member(json_, key, Type::array).array(); }

  std::string category(const nephron::Value& object) const {
    for (const nephron::Value& category : list("categories"))
      if (member(category, "id", Type::integer) == member(object, "category_id", Type::integer))
        return member(category, "name", Type::string).string();
    throw nephron::Error(file_.string() + ": an annotation is of a category that is not listed");
  }

  // A list of polygons [x, y, x, y, ...], or run lengths.
  void give(const nephron::Value& object, const nephron::SlideInfo& slide, int c, nephron::AnnotationSink& sink) const {
    const nephron::Value* segmentation = object.find("segmentation");
    if (segmentation != nullptr && segmentation->is(Type::table)) {
      std::vector<std::int64_t> counts;
      for (const nephron::Value& count : member(*segmentation, "counts", Type::array).array())
        counts.push_back(count.integer());
      return sink.runs(c, nephron::runs_of_coco_counts(counts, slide.size.area(), file_.string()),
                       /*column_major=*/true);
    }
    for (const nephron::Value& polygon : member(object, "segmentation", Type::array).array()) {
      const auto& numbers = polygon.array();
      std::vector<nephron::Point> ring;
      for (std::size_t i = 0; i + 1 < numbers.size(); i += 2)
        ring.push_back({numbers[i].number(), numbers[i + 1].number()});
      sink.polygon(c, {ring});
    }
  }

  std::filesystem::path root_, file_;
  nephron::SlideOpener& opener_;
  nephron::Value json_;
};

NEPHRON_PLUGIN("outside_coco", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, Coco, "outside_coco", "pictures with one COCO file of instances")
