#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/labels/bench_rle.hpp>
#include <host/labels/label_file.hpp>
#include <host/labels/trace.hpp>
#include <host/plugins/registry.hpp>
#include <host/slides/opener.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

struct InputRequest {
  fs::path file, slide;
  std::string size, reader;
  std::vector<std::string> classes;
  std::vector<fs::path> plugins;
  LabelReading reading;
};

struct ConvertRequest {
  InputRequest input;
  std::string to, compat = "parts";
  fs::path out;
  std::string id;
  bool overwrite = false;
};

struct StatsRequest {
  InputRequest input;
  double mpp = 0;
  bool json = false;
};

struct FormatName {
  const char* name;
  const char* extension;
  LabelFormat format;
};
constexpr FormatName formats[] = {{"rle", ".csv", LabelFormat::rle},
                                  {"geojson", ".geojson", LabelFormat::geojson},
                                  {"png", ".png", LabelFormat::png},
                                  {"tiff", ".tiff", LabelFormat::tiff},
                                  {"coco", ".coco.json", LabelFormat::coco}};

/// A command line that cannot be carried out; main() ends with Exit::usage.
[[noreturn]] void wrong_usage(const std::string& message) { throw CLI::ValidationError(message); }

Size parse_size(const std::string& text) {
  long long width = 0, height = 0;
  char more = 0;
  if (std::sscanf(text.c_str(), "%lldx%lld%c", &width, &height, &more) != 2 || width < 1 || height < 1 ||
      width > 1'000'000 || height > 1'000'000)
    wrong_usage("--size " + text + " is not WIDTHxHEIGHT in pixels, such as 50000x38000");
  return {width, height};
}

/// Size and, where the slide's file tells it, microns per pixel.
LabelSet read_input(const InputRequest& input, double* mpp = nullptr) {
  LabelReading reading = input.reading;
  reading.classes = input.classes;
  if (!input.size.empty()) reading.size = parse_size(input.size);
  if (!input.slide.empty()) {
    PluginSearch search;
    search.command_line = input.plugins;
    const Registry registry(search);
    const auto slide = ReaderOpener(registry).open(input.slide, input.reader);
    reading.size = slide->size();
    if (mpp != nullptr && *mpp <= 0) *mpp = slide->header().mpp;
  }
  LabelSet labels = read_labels(input.file, reading);
  for (const std::string& note : labels.notes) std::fprintf(stderr, "note: %s: %s\n", input.file.c_str(), note.c_str());
  return labels;
}

int convert(const ConvertRequest& request) {
  const auto* const format =
      std::find_if(std::begin(formats), std::end(formats), [&](const FormatName& f) { return f.name == request.to; });
  fs::path out = request.out;
  if (out.empty()) out = request.input.file.stem().string() + format->extension;
  std::error_code error;
  if (fs::equivalent(out, request.input.file, error))
    wrong_usage("the file would be written over itself; give another --out");
  if (fs::exists(out, error) && !request.overwrite)
    wrong_usage(out.string() + " exists already; --overwrite replaces it");
  const LabelSet labels = read_input(request.input);
  LabelWriting writing;
  writing.format = format->format;
  writing.id = !request.id.empty()            ? request.id
               : !request.input.slide.empty() ? request.input.slide.stem().string()
                                              : request.input.file.stem().string();
  writing.reference_compat = request.compat == "reference";
  write_labels(labels, out, writing);
  std::printf("%s: %lld x %lld px, %zu classes\n", out.c_str(), static_cast<long long>(labels.size.width),
              static_cast<long long>(labels.size.height), labels.classes.size());
  return Exit::done;
}

nlohmann::ordered_json stats_of(const LabelSet& labels, double mpp) {
  using Json = nlohmann::ordered_json;
  const std::vector<Runs> masks = masks_of(labels);
  std::vector<std::vector<std::int64_t>> areas(labels.classes.size());
  for (const AnnotatedObject& object : objects_of(labels))
    areas[static_cast<std::size_t>(labels.class_index(object.class_name))].push_back(
        area_of(runs_of_object(object, labels.size)));
  Json classes = Json::array();
  for (std::size_t c = 0; c < masks.size(); ++c) {
    std::sort(areas[c].begin(), areas[c].end());
    const std::int64_t area = area_of(masks[c]);
    const Region box = box_of(masks[c], labels.size);
    Json one{{"class", labels.classes[c]},
             {"objects", areas[c].size()},
             {"area_px", area},
             {"share", static_cast<double>(area) / static_cast<double>(labels.size.area())}};
    if (mpp > 0) one["area_um2"] = static_cast<double>(area) * mpp * mpp;
    if (!areas[c].empty())
      one["object_area_px"] = {
          {"least", areas[c].front()}, {"median", areas[c][areas[c].size() / 2]}, {"most", areas[c].back()}};
    one["runs"] = masks[c].size();
    one["box"] = {box.x, box.y, box.width, box.height};
    classes.push_back(std::move(one));
  }
  return {{"width", labels.size.width},
          {"height", labels.size.height},
          {"classes", std::move(classes)},
          {"notes", labels.notes}};
}

int stats(const StatsRequest& request) {
  double mpp = request.mpp;
  const LabelSet labels = read_input(request.input, &mpp);
  const auto report = stats_of(labels, mpp);
  if (request.json) {
    std::printf("%s\n", report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    return Exit::done;
  }
  std::printf("%s: %lld x %lld px\n%-20s %8s %14s %8s %12s %12s %12s\n", request.input.file.c_str(),
              static_cast<long long>(labels.size.width), static_cast<long long>(labels.size.height), "class", "objects",
              "pixels", "share", "least px", "median px", "most px");
  for (const auto& c : report["classes"]) {
    std::printf("%-20s %8lld %14lld %7.3f%%", c["class"].get<std::string>().c_str(), c["objects"].get<long long>(),
                c["area_px"].get<long long>(), 100 * c["share"].get<double>());
    for (const char* key : {"least", "median", "most"})
      if (c.contains("object_area_px")) std::printf(" %12lld", c["object_area_px"][key].get<long long>());
    std::printf("\n");
  }
  return Exit::done;
}

void add_input(CLI::App& command, InputRequest& input) {
  command
      .add_option("labels", input.file,
                  "Labels: .csv (Kaggle run lengths), .geojson or .json (QuPath, COCO), .png, .tif")
      ->required()
      ->check(CLI::ExistingFile);
  auto* const slide = command.add_option("--slide", input.slide, "The slide, for its size")->check(CLI::ExistingFile);
  command.add_option("--size", input.size, "WIDTHxHEIGHT of the slide in pixels, in place of --slide")->excludes(slide);
  command.add_option("--reader", input.reader, "Reader to open the slide with; the best one when not named");
  command.add_option("--classes", input.classes, "Names of the classes in the order of their bits, with commas")
      ->delimiter(',');
  command.add_option("--unclassified", input.reading.unclassified, "Class of objects that have none");
  command.add_option("--id", input.reading.id, "Row of a CSV file, image of a COCO file; the only one when not named");
  command
      .add_option("--values", input.reading.values,
                  "What a picture's numbers are: one bit a class, the class's number from 1, or a mask of one class")
      ->check(CLI::IsMember({"auto", "bits", "index", "mask"}))
      ->capture_default_str();
  command.add_option("--plugin", input.plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
}

void add_labels(CLI::App& app, int& exit) {
  auto* const labels = app.add_subcommand("labels", "Convert and count annotation files");
  labels->require_subcommand(1);
  const auto asked = std::make_shared<ConvertRequest>();
  auto* const to = labels->add_subcommand(
      "convert", "Write labels in another format; objects stay objects where both formats have them");
  add_input(*to, asked->input);
  to->add_option("--to", asked->to, "Format to write")
      ->required()
      ->check(CLI::IsMember({"rle", "geojson", "png", "tiff", "coco"}));
  to->add_option("--out", asked->out, "File to write; the input's name in the current folder when not named");
  to->add_option("--out-id", asked->id, "Id of the slide to write; its file's name when not given");
  to->add_option(
        "--compat", asked->compat,
        "How polygons are filled: each part with its holes, or all rings joined as the reference pipeline does")
      ->check(CLI::IsMember({"parts", "reference"}))
      ->capture_default_str();
  to->add_flag("--overwrite", asked->overwrite, "Replace a file that exists");
  to->callback([asked, &exit] { exit = convert(*asked); });
  const auto counted = std::make_shared<StatsRequest>();
  auto* const count = labels->add_subcommand("stats", "Objects and pixels of each class");
  add_input(*count, counted->input);
  count->add_option("--mpp", counted->mpp, "Microns per pixel; the slide's when it tells them");
  count->add_flag("--json", counted->json, "As JSON");
  count->callback([counted, &exit] { exit = stats(*counted); });
}
NEPHRON_COMMAND("labels", 47, add_labels)

void add_bench_rle(CLI::App& app, int& exit) {
  auto* const command = app.add_subcommand("bench-rle", "Time run lengths of two square masks of raw bytes")->group("");
  const auto request = std::make_shared<BenchRleRequest>();
  command->add_option("truth", request->truth)->required()->check(CLI::ExistingFile);
  command->add_option("found", request->found)->required()->check(CLI::ExistingFile);
  command->add_option("--repeats", request->repeats)->check(CLI::Range(1, 1000));
  command->callback([request, &exit] {
    std::printf("%s\n", bench_rle(*request).c_str());
    exit = Exit::done;
  });
}
NEPHRON_COMMAND("bench-rle", 901, add_bench_rle)

}  // namespace

}  // namespace nephron::host
