#include <host/labels/label_file.hpp>

#include <algorithm>
#include <limits>
#include <map>

#include <nephron/csv.hpp>
#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/labels/coco.hpp>
#include <host/labels/geojson_text.hpp>
#include <host/labels/label_image.hpp>
#include <host/util/counted.hpp>
#include <host/util/csv_field.hpp>
#include <host/util/files.hpp>
#include <host/util/free_memory.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_json = std::size_t{1} << 30;  // a parsed file takes ten times its size

std::vector<std::string> classes_or(const LabelReading& reading, const std::string& otherwise) {
  return reading.classes.empty() ? std::vector<std::string>{otherwise} : reading.classes;
}

[[noreturn]] void refuse_class(const std::string& where, const std::string& name,
                               const std::vector<std::string>& classes) {
  std::string known;
  for (const std::string& one : classes) known += (known.empty() ? "\"" : ", \"") + one + "\"";
  throw Error(where + ": class \"" + name + "\" is none of " + known, "name it with --classes");
}

Size need_size(const LabelReading& reading, const fs::path& file) {
  if (reading.size.empty())
    throw Error(file.string() + " does not say how large the slide is", "give --slide FILE or --size WIDTHxHEIGHT");
  return reading.size;
}

LabelSet read_csv(const fs::path& file, const LabelReading& reading) {
  const CsvTable table = CsvTable::read(file);
  const auto id = table.column("id");
  std::size_t encoding = 0;
  bool submission = false;  // of which every slide has one row
  if (const auto found = table.find_column("encoding")) encoding = *found;
  else if (const auto predicted = table.find_column("predicted")) encoding = *predicted, submission = true;
  else table.require_columns({"encoding"});
  const auto named = table.find_column("class");
  LabelSet out;
  out.size = need_size(reading, file);
  if (named && reading.classes.empty()) {
    for (std::size_t row = 0; row < table.rows(); ++row)
      if (const std::string& name = table.cell(row, *named); out.class_index(name) < 0) out.classes.push_back(name);
  } else {
    out.classes = classes_or(reading, "label");
  }
  out.masks.resize(out.classes.size());
  std::string wanted = reading.id, known;
  bool found = false;
  std::map<int, std::size_t> rows;  // of the slide, by class
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string& here = table.cell(row, id);
    if (known.size() < 200 && known.find("\"" + here + "\"") == std::string::npos)
      known += (known.empty() ? "\"" : ", \"") + here + "\"";
    if (wanted.empty()) wanted = here;
    if (reading.id.empty() && here != wanted)
      throw Error(file.string() + " has rows of several slides: " + known + ", ...", "say which with --id");
    if (here != wanted) continue;
    const std::string name = named ? table.cell(row, *named) : out.classes.front();
    const int c = out.class_index(name);
    if (c < 0) refuse_class(table.where(row), name, out.classes);
    if (const auto [other, first] = rows.emplace(c, row); !first && submission)
      throw Error(table.where(row) + ": slide \"" + here + "\" has a row already, " + table.where(other->second) +
                      "; a submission has one a slide",
                  "take one of them out");
    Runs& mask = out.masks[static_cast<std::size_t>(c)];
    mask = union_of(mask, parse_rle(table.cell(row, encoding), out.size, table.where(row)));
    found = true;
  }
  if (!found)
    throw Error(file.string() + " has no row \"" + wanted + "\"; it has " + (known.empty() ? "no rows" : known));
  return out;
}

/// Gives objects their class, or leaves them out.
void classify(LabelSet& labels, const LabelReading& reading, const fs::path& file) {
  const bool given = !reading.classes.empty();
  labels.classes = reading.classes;
  std::size_t left_out = 0;
  std::erase_if(labels.objects, [&](AnnotatedObject& object) {
    if (object.class_name.empty()) object.class_name = reading.unclassified;
    left_out += object.class_name.empty();
    return object.class_name.empty();
  });
  if (left_out > 0)
    labels.notes.push_back(std::to_string(left_out) +
                           " objects without a class are left out; --unclassified NAME gives them one");
  for (const AnnotatedObject& object : labels.objects) {
    if (labels.class_index(object.class_name) >= 0) continue;
    if (given) refuse_class(file.string(), object.class_name, labels.classes);
    labels.classes.push_back(object.class_name);
  }
  if (labels.classes.empty()) labels.classes = {"label"};
}

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

Box box_of(const AnnotatedObject& object) {
  constexpr double far = std::numeric_limits<double>::infinity();
  Box box{far, far, -far, -far};
  for (const Polygon& part : object.parts)
    for (const auto& ring : part)
      for (const Point& p : ring) {
        box.left = std::min(box.left, p.x), box.right = std::max(box.right, p.x);
        box.top = std::min(box.top, p.y), box.bottom = std::max(box.bottom, p.y);
      }
  return box;
}

/// The least slide that holds all objects.
Size size_around(const std::vector<AnnotatedObject>& objects) {
  constexpr double longest = 1'000'000;
  double right = 0, bottom = 0;
  for (const AnnotatedObject& object : objects) {
    const Box box = box_of(object);
    right = std::max(right, box.right), bottom = std::max(bottom, box.bottom);
  }
  return {static_cast<std::int64_t>(std::min(right, longest)) + 1,
          static_cast<std::int64_t>(std::min(bottom, longest)) + 1};
}

/// Objects that a slide of this size cuts, and those that it does not hold at all. Drawing leaves a pixel or two.
struct Outside {
  std::size_t cut = 0, lost = 0;
  std::size_t count() const { return cut + lost; }
  Outside(const std::vector<AnnotatedObject>& objects, Size size) {
    constexpr double slack = 2;
    const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height);
    for (const AnnotatedObject& object : objects) {
      const Box b = box_of(object);
      if (b.left >= width || b.top >= height || b.right < 0 || b.bottom < 0) ++lost;
      else if (b.left < -slack || b.top < -slack || b.right > width + slack || b.bottom > height + slack) ++cut;
    }
  }
};

/// A wrong size loses objects without a word otherwise.
void note_objects_outside(LabelSet& labels) {
  const Outside outside(labels.objects, labels.size);
  if (outside.count() == 0) return;
  const auto size_text = [](Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height) + " px"; };
  std::string note = std::to_string(outside.lost) + " of " + counted(labels.objects.size(), "object") +
                     (outside.lost == 1 ? " lies" : " lie") + " outside of the slide's " + size_text(labels.size) +
                     ", and " + std::to_string(outside.cut) + (outside.cut == 1 ? " is" : " are") + " cut by its edge";
  const Size swapped{labels.size.height, labels.size.width};
  if (Outside(labels.objects, swapped).count() == 0)
    note += "; all fit into " + size_text(swapped) + ": are width and height swapped?";
  labels.notes.push_back(note);
}

/// Better told than ended by the kernel halfway.
void require_memory(const fs::path& file) {
  constexpr std::int64_t small = std::int64_t{1} << 26, times = 11;
  std::error_code failed;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(file, failed));
  if (failed || bytes < small) return;
  if (const std::int64_t free = free_memory(); bytes > free / times)
    throw Error(file.string() + " has " + std::to_string(bytes >> 20) + " MiB; to read it takes " +
                    std::to_string(times) + " times as much memory, and " + std::to_string(free >> 20) +
                    " MiB are free",
                "divide it, or write masks or run lengths in its place: nephron labels convert, on a larger machine");
}

LabelSet read_json(const fs::path& file, const LabelReading& reading) {
  require_memory(file);
  const std::string text = read_file(file, most_json);
  if (looks_like_coco(text)) {
    LabelSet out = parse_coco(text, file.string(), reading.id, reading.size);
    if (!reading.classes.empty()) classify(out, reading, file);
    return out;
  }
  AnnotatedObjects found = parse_geojson(text, file.string());
  LabelSet out;
  out.size_known = reading.needs_size || !reading.size.empty();
  out.size = out.size_known ? need_size(reading, file) : size_around(found.objects);
  out.holds_objects = true;
  out.objects = std::move(found.objects);
  for (const SkippedFeature& skipped : found.skipped)
    out.notes.push_back("feature " + std::to_string(skipped.number) + " skipped: " + skipped.why);
  classify(out, reading, file);
  if (out.size_known) note_objects_outside(out);
  return out;
}

/// Runs of values along the rows, of one class.
class RowCollector {
 public:
  explicit RowCollector(std::size_t classes) : runs_(classes) {}
  void add(std::size_t c, std::int64_t start, std::int64_t length) { runs_[c].push_back({start, length}); }
  std::vector<Runs> columns(Size size) {
    for (Runs& runs : runs_) runs = turned(runs, size, false);
    return std::move(runs_);
  }

 private:
  std::vector<Runs> runs_;
};

/// Calls visit(value, x, y, length) for each stretch of one value in a row.
template <class Visit>
void for_each_stretch(const ImageView& labels, const Visit& visit) {
  with_label_type(labels.depth, [&](auto zero) {
    for (std::int64_t y = 0; y < labels.height; ++y) {
      const auto* row = labels.row<const decltype(zero)>(y);
      for (std::int64_t x = 0; x < labels.width;) {
        const auto value = row[x];
        const std::int64_t start = x;
        while (x < labels.width && row[x] == value) ++x;
        visit(value, start, y, x - start);
      }
    }
  });
}

LabelSet read_picture(const fs::path& file, const LabelReading& reading) {
  const auto picture = open_label_image(file);
  LabelSet out;
  out.size = picture->size();
  out.classes = reading.classes.empty() ? picture->classes() : reading.classes;
  const bool told = reading.classes.empty() && !out.classes.empty();  // as it was written: one bit a class
  if (out.classes.empty()) out.classes = {"label"};
  if (!reading.size.empty() && !(reading.size == out.size))
    throw Error(file.string() + " has " + std::to_string(out.size.width) + " x " + std::to_string(out.size.height) +
                " px, the slide " + std::to_string(reading.size.width) + " x " + std::to_string(reading.size.height));
  const std::size_t n = out.classes.size();
  const std::string values = reading.values != "auto"        ? reading.values
                             : told                          ? "bits"
                             : n == 1 || picture->coloured() ? "mask"
                                                             : "bits";
  const auto has = [&](std::uint32_t value, std::size_t c) {
    if (values == "mask") return value != 0 && c == 0;
    return values == "index" ? value == c + 1 : c < most_classes && (value >> c & 1U) != 0;
  };
  const std::uint32_t most = values == "mask"    ? ~std::uint32_t{0}
                             : values == "index" ? static_cast<std::uint32_t>(n)
                                                 : first_bits(static_cast<int>(n));
  RowCollector rows(n);
  const std::int64_t width = out.size.width,
                     band_rows = std::clamp<std::int64_t>((1 << 24) / width, 1, out.size.height);
  const Image band({width, band_rows}, 1, picture->depth());
  Progress progress("reading " + file.filename().string(), out.size.height);
  for (std::int64_t y0 = 0; y0 < out.size.height; y0 += band_rows) {
    if (interrupted()) throw Cancelled();
    const ImageView view = band.view().crop({0, 0, width, std::min(band_rows, out.size.height - y0)});
    picture->read(view);
    for_each_stretch(view, [&](std::uint32_t value, std::int64_t start, std::int64_t y, std::int64_t length) {
      if (value > most)
        throw Error(file.string() + " holds " + std::to_string(value) + " at (" + std::to_string(start) + ", " +
                        std::to_string(y0 + y) + "); " + std::to_string(n) + " classes as " + values + " end at " +
                        std::to_string(most),
                    "name all classes with --classes, or say what numbers mean with --values");
      for (std::size_t c = 0; value != 0 && c < n; ++c)
        if (has(value, c)) rows.add(c, (y0 + y) * width + start, length);
    });
    progress.update(y0);
  }
  progress.finish();
  out.masks = rows.columns(out.size);
  return out;
}

std::string csv_text(const LabelSet& labels, const LabelWriting& writing) {
  const std::vector<Runs> masks = masks_of(labels, writing.reference_compat);
  const bool one = masks.size() == 1;
  std::string out = one ? "id,encoding\n" : "id,class,encoding\n";
  for (std::size_t c = 0; c < masks.size(); ++c)
    out += csv_field(writing.id) + (one ? "" : "," + csv_field(labels.classes[c])) + "," + rle_text(masks[c]) + "\n";
  return out;
}

void write_picture(const LabelSet& labels, const fs::path& file, bool reference_compat) {
  const LabelPainter painter = painter_of(labels, reference_compat);
  const auto writer = make_label_image(file, labels.size, labels.classes);
  const std::int64_t rows = std::min(writer->rows_at_once(), labels.size.height);
  const Image band({labels.size.width, rows}, 1, painter.depth());
  Progress progress("writing " + file.filename().string(), labels.size.height);
  for (std::int64_t y = 0; y < labels.size.height; y += rows) {
    if (interrupted()) throw Cancelled();
    const Region window{0, y, labels.size.width, std::min(rows, labels.size.height - y)};
    const ImageView view = band.view().crop({0, 0, window.width, window.height});
    painter.paint(1, window, view);
    writer->write(view);
    progress.update(y);
  }
  writer->finish();
  progress.finish();
}

}  // namespace

LabelSet read_labels(const fs::path& file, const LabelReading& reading) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  LabelSet out;
  if (extension == ".csv") out = read_csv(file, reading);
  else if (extension == ".json" || extension == ".geojson") out = read_json(file, reading);
  else if (extension == ".png" || extension == ".tif" || extension == ".tiff") out = read_picture(file, reading);
  else
    throw Error(file.string() + " is no label file by its name; expected .csv, .json, .geojson, .png, .tif or .tiff");
  if (out.classes.size() > most_classes)
    throw Error(file.string() + " has " + std::to_string(out.classes.size()) +
                " classes; labels have one bit a class, so " + std::to_string(most_classes) + " at most");
  return out;
}

void write_labels(const LabelSet& labels, const fs::path& file, const LabelWriting& writing) {
  switch (writing.format) {
    case LabelFormat::rle:
      return write_file_atomically(file, csv_text(labels, writing));
    case LabelFormat::geojson:
      return write_file_atomically(file, geojson_text(objects_of(labels), labels.classes));
    case LabelFormat::coco:
      return write_file_atomically(file, coco_text(labels, writing.id));
    case LabelFormat::png:
    case LabelFormat::tiff:
      return write_picture(labels, file, writing.reference_compat);
  }
}

}  // namespace nephron::host
