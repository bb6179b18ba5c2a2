#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/labels/bench_rle.hpp>
#include <host/labels/label_file.hpp>
#include <host/labels/label_stats.hpp>
#include <host/plugins/registry.hpp>
#include <host/slides/opener.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

struct InputRequest {
  fs::path slide;
  std::string size, reader;
  std::vector<std::string> classes;
  std::vector<fs::path> plugins;
  LabelReading reading;
};

struct ConvertRequest {
  InputRequest input;
  fs::path file;
  std::string to, compat = "parts";
  fs::path out;
  std::string id;
  bool overwrite = false;
};

struct StatsRequest {
  InputRequest input;
  std::vector<fs::path> files;
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

Size parse_size(const std::string& text) {
  long long width = 0, height = 0;
  char more = 0;
  if (std::sscanf(text.c_str(), "%lldx%lld%c", &width, &height, &more) != 2 || width < 1 || height < 1 ||
      width > 1'000'000 || height > 1'000'000)
    throw UsageError("--size " + text + " is not WIDTHxHEIGHT in pixels, such as 50000x38000");
  return {width, height};
}

/// How all files of a command are read: the slide's size, and microns per pixel where its file tells them.
LabelReading reading_of(const InputRequest& input, double* mpp = nullptr) {
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
  return reading;
}

LabelSet read_input(const fs::path& file, const LabelReading& reading) {
  LabelSet labels = read_labels(file, reading);
  for (const std::string& note : labels.notes) print_error("note: " + file.string() + ": " + note + "\n");
  return labels;
}

int convert(const ConvertRequest& request) {
  const auto* const format =
      std::find_if(std::begin(formats), std::end(formats), [&](const FormatName& f) { return f.name == request.to; });
  fs::path out = request.out;
  if (out.empty()) out = request.file.stem().string() + format->extension;
  const CommandOutput output(out, request.overwrite, {request.file, request.input.slide});
  const LabelSet labels = read_input(request.file, reading_of(request.input));
  LabelWriting writing;
  writing.format = format->format;
  writing.id = !request.id.empty()            ? request.id
               : !request.input.slide.empty() ? request.input.slide.stem().string()
                                              : request.file.stem().string();
  writing.reference_compat = request.compat == "reference";
  output.prepare();
  write_labels(labels, out, writing);
  if (writing.format == LabelFormat::rle && labels.classes.size() == 1 && labels.classes.front() != "label")
    print_error("note: run lengths of one class do not tell its name; to read them again: --classes \"" +
                labels.classes.front() + "\"\n");
  std::printf("%s: %lld x %lld px, %s\n", out.c_str(), static_cast<long long>(labels.size.width),
              static_cast<long long>(labels.size.height), counted(labels.classes.size(), "class", "classes").c_str());
  return Exit::done;
}

nlohmann::ordered_json list_of(const std::vector<ClassStats>& classes) {
  auto out = nlohmann::ordered_json::array();
  for (const ClassStats& one : classes) out.push_back(json_of(one));
  return out;
}

void print_stats(const std::string& name, const std::vector<ClassStats>& classes) {
  for (const ClassStats& c : classes) {
    std::printf("%-30s %-12s %8zu %14lld", printable_name(name).c_str(), printable_name(c.name).c_str(),
                c.objects.size(), static_cast<long long>(c.area));
    if (c.slide_pixels == 0) std::printf(" %9s", "-");  // the slide's size is not known
    else std::printf(" %8.3f%%", 100 * static_cast<double>(c.area) / static_cast<double>(c.slide_pixels));
    if (!c.objects.empty())
      std::printf(" %12lld %12.10g %12lld", static_cast<long long>(c.objects.front()), c.median(),
                  static_cast<long long>(c.objects.back()));
    std::printf("\n");
  }
}

/// A file that cannot be read is told of, and the rest go on.
int stats(const StatsRequest& request) {
  double mpp = request.mpp;
  LabelReading reading = reading_of(request.input, &mpp);
  reading.needs_size = false;
  auto files = nlohmann::ordered_json::array();
  std::vector<ClassStats> total;
  std::size_t failed = 0;
  if (!request.json)
    std::printf("%-30s %-12s %8s %14s %9s %12s %12s %12s\n", "file", "class", "objects", "pixels", "share", "least px",
                "median px", "most px");
  for (const fs::path& file : request.files) {
    try {
      const LabelSet labels = read_input(file, reading);
      const std::vector<ClassStats> classes = stats_of(labels, mpp);
      add_stats(total, classes);
      nlohmann::ordered_json one{{"file", file.string()}};
      if (labels.size_known) one["width"] = labels.size.width, one["height"] = labels.size.height;
      one["classes"] = list_of(classes);
      one["notes"] = labels.notes;
      files.push_back(std::move(one));
      if (!request.json) print_stats(file.filename().string(), classes);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& e) {
      ++failed;
      files.push_back({{"file", file.string()}, {"error", e.what()}});
      log().error(e.what() + (e.hint().empty() ? "" : "\n  " + e.hint()));
    }
  }
  if (request.json)
    std::printf("%s\n", nlohmann::ordered_json{{"files", files}, {"total", list_of(total)}}
                            .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
                            .c_str());
  else if (request.files.size() > 1) print_stats("total of " + counted(request.files.size() - failed, "file"), total);
  return failed == 0 ? Exit::done : Exit::failed;
}

constexpr const char* about_files = "Labels: .csv (Kaggle run lengths), .geojson or .json (QuPath, COCO), .png, .tif";

void add_input(CLI::App& command, InputRequest& input) {
  auto* const slide = command.add_option("--slide", input.slide, "The slide, for its size and its microns per pixel")
                          ->check(CLI::ExistingFile);
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
  to->add_option("labels", asked->file, about_files)->required()->check(CLI::ExistingFile);
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
  auto* const count = labels->add_subcommand("stats", "Objects and pixels of each class, of each file and in all");
  count->add_option("labels", counted->files, about_files)->required();
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
