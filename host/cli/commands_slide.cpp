#include <array>
#include <charconv>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/pictures/png.hpp>
#include <host/slides/opener.hpp>
#include <host/slides/reduced.hpp>
#include <host/util/command_output.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct SlideRequest {
  std::vector<fs::path> files;
  fs::path file, out;
  std::string reader, region;
  std::vector<fs::path> plugins;
  int factor = 1;
  std::int64_t size = 0;
  bool json = false, overwrite = false;
};

std::string text_of(Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

/// A slide with the reader that opened it.
struct Opened {
  std::string reader;
  std::unique_ptr<SlideFile> slide;
};

Opened open(ReaderOpener& opener, const fs::path& file, const std::string& reader) {
  Opened out;
  out.slide = opener.open(file, reader);
  out.reader = reader.empty() ? opener.rank(file).front().reader : reader;
  return out;
}

ordered_json as_json(const fs::path& file, const Opened& opened) {
  const SlideHeader& h = opened.slide->header();
  const Size size = opened.slide->size();
  ordered_json out{{"file", file.string()}, {"reader", opened.reader}, {"format", h.format}};
  out["width"] = size.width;
  out["height"] = size.height;
  out["mpp"] = h.mpp > 0 ? ordered_json(h.mpp) : ordered_json(nullptr);
  out["channels"] = h.channels;
  out["bits"] = 8 * static_cast<int>(bytes_of(h.depth));
  out["tile"] = {h.tile.width, h.tile.height};
  out["levels"] = ordered_json::array();
  for (const SlideLevel& l : h.levels)
    out["levels"].push_back({{"width", l.size.width}, {"height", l.size.height}, {"downsample", l.downsample}});
  return out;
}

std::string as_text(const fs::path& file, const Opened& opened) {
  const SlideHeader& h = opened.slide->header();
  std::string out = printable_name(file.string()) + "\n";
  const auto line = [&](const char* name, const std::string& value) {
    out += "  " + std::string(name) + std::string(10 - std::string(name).size(), ' ') + value + "\n";
  };
  line("reader", opened.reader);
  line("format", h.format);
  line("size", text_of(opened.slide->size()) + " pixels, " + std::to_string(h.channels) +
                   (h.channels == 1 ? " channel of " : " channels of ") + std::to_string(8 * bytes_of(h.depth)) +
                   " bits");
  line("tiles", text_of(h.tile));
  line("pixel", h.mpp > 0 ? short_number(h.mpp) + " microns" : "size unknown");
  for (std::size_t l = 0; l < h.levels.size(); ++l)
    line(("level " + std::to_string(l)).c_str(),
         text_of(h.levels[l].size) + ", downsampled by " + short_number(h.levels[l].downsample));
  return out;
}

int info(const SlideRequest& request, ReaderOpener& opener) {
  ordered_json slides = ordered_json::array();
  bool failed = false;
  for (const fs::path& file : request.files) {
    if (interrupted()) throw Cancelled();
    try {
      const Opened opened = open(opener, file, request.reader);
      if (request.json) slides.push_back(as_json(file, opened));
      else print(as_text(file, opened));
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& e) {  // the others go on
      failed = true;
      log().error(e.what() + (e.hint().empty() ? "" : "\n  " + e.hint()));
      if (request.json) slides.push_back({{"file", file.string()}, {"error", e.what()}});
    }
  }
  if (request.json)
    std::printf("%s\n",
                ordered_json{{"slides", slides}}.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  return failed ? Exit::failed : Exit::done;
}

/// "X,Y,W,H"; false when it is something else.
bool parse_region(const std::string& text, Region& out) {
  std::array<std::int64_t, 4> numbers{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [next, failed] = std::from_chars(at, end, numbers[i]);
    if (failed != std::errc() || (i < 3 ? next == end || *next != ',' : next != end)) return false;
    at = next + 1;
  }
  out = {numbers[0], numbers[1], numbers[2], numbers[3]};
  return out.x >= 0 && out.y >= 0 && out.width > 0 && out.height > 0;
}

std::string check_region(const std::string& text) {
  Region region;
  return parse_region(text, region) ? "" : "\"" + text + "\" is no region X,Y,W,H of whole pixels with a size";
}

CommandOutput output_of(const SlideRequest& request) { return {request.out, request.overwrite, {request.file}}; }

void save(const SlideRequest& request, const Opened& opened, const Image& picture) {
  output_of(request).prepare();
  write_png(request.out, picture.view());
  std::printf("%s: %s pixels of %s, reader %s\n", request.out.c_str(), text_of(picture.size()).c_str(),
              request.file.c_str(), opened.reader.c_str());
}

void read(const SlideRequest& request, ReaderOpener& opener) {
  Region region;
  parse_region(request.region, region);
  output_of(request);
  const Opened opened = open(opener, request.file, request.reader);
  const Size size = opened.slide->size();
  if (region.clipped({0, 0, size.width, size.height}) != region)
    throw Error(
        "region " + request.region + " leaves " + request.file.string() + ", which has " + text_of(size) + " pixels",
        "expected X + W and Y + H within them");
  Progress progress("reading", region.height / request.factor);
  const Image picture = read_reduced(*opened.slide, 0, region, request.factor,
                                     [&](std::int64_t done, std::int64_t) { progress.update(done); });
  progress.finish();
  save(request, opened, picture);
}

void thumbnail(const SlideRequest& request, ReaderOpener& opener) {
  output_of(request);
  const Opened opened = open(opener, request.file, request.reader);
  std::unique_ptr<Progress> progress;
  const Image picture = read_thumbnail(*opened.slide, request.size, [&](std::int64_t done, std::int64_t total) {
    if (progress == nullptr) progress = std::make_unique<Progress>("reading", total);
    progress->update(done);
  });
  if (progress != nullptr) progress->finish();
  save(request, opened, picture);
}

CLI::App* add_command(CLI::App& slide, const std::shared_ptr<SlideRequest>& request, const char* name,
                      const char* doc) {
  CLI::App* command = slide.add_subcommand(name, doc);
  command->add_option("--reader", request->reader, "Reader to open with, whatever the others say of the file")
      ->type_name("NAME");
  command->add_option("--plugin", request->plugins, "Plugin file to use besides those that are found")
      ->type_name("FILE")
      ->allow_extra_args(false);
  return command;
}

void add_slide(CLI::App& app, int& exit) {
  CLI::App* slide = app.add_subcommand("slide", "Look into slide files");
  slide->require_subcommand(1);
  const auto request = std::make_shared<SlideRequest>();
  const auto run = [request, &exit](auto&& body) {
    PluginSearch search;
    search.command_line = request->plugins;
    const Registry registry(search);
    ReaderOpener opener(registry);
    exit = body(opener);
  };

  const auto add_output = [request](CLI::App& command) {
    command.add_option("--out", request->out, "PNG to write")->required()->type_name("PNG");
    command.add_flag("--overwrite", request->overwrite, "Replace a file that exists");
  };

  CLI::App* command =
      add_command(*slide, request, "info", "Size, levels, pixel size, format, and the reader that is chosen");
  command->add_option("FILE", request->files, "Slide files")->required();
  command->add_flag("--json", request->json, "Print JSON");
  command->callback([=] { run([&](ReaderOpener& opener) { return info(*request, opener); }); });

  command = add_command(*slide, request, "read", "Write a region as PNG");
  command->add_option("FILE", request->file, "Slide file")->required();
  command->add_option("--region", request->region, "Left, top, width, height in pixels of level 0")
      ->required()
      ->type_name("X,Y,W,H")
      ->check(CLI::Validator(check_region, "", "region"));
  command->add_option("--factor", request->factor, "Reduce both sides by this, by area means")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  add_output(*command);
  command->callback([=] { run([&](ReaderOpener& opener) { return read(*request, opener), Exit::done; }); });

  command = add_command(*slide, request, "thumbnail", "Write the whole slide, small, as PNG");
  command->add_option("FILE", request->file, "Slide file")->required();
  command->add_option("--size", request->size, "Pixels of the longer side")->required()->check(CLI::Range(1, 16384));
  add_output(*command);
  command->callback([=] { run([&](ReaderOpener& opener) { return thumbnail(*request, opener), Exit::done; }); });
}

}  // namespace

NEPHRON_COMMAND("slide", 44, add_slide)

}  // namespace nephron::host
