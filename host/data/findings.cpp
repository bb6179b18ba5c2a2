#include <host/data/findings.hpp>

#include <algorithm>

#include <nephron/dataset_check.hpp>

#include <host/slides/make_component.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

std::string name_of(const Experiment& experiment, std::size_t dataset) {
  const DatasetConfig& config = experiment.datasets.at(dataset);
  return config.name.empty() ? config.component.type : config.name;
}

/// Keeps what a dataset says under its name.
class Collector final : public DatasetFindings {
 public:
  Collector(Findings& out, std::string dataset) : out_(out), dataset_(std::move(dataset)) {}
  void finding(const std::string& text) override { out_.findings.push_back(named(text)); }
  void note(const std::string& text) override { out_.notes.push_back(named(text)); }

 private:
  std::string named(const std::string& text) const { return "dataset \"" + dataset_ + "\": " + text; }
  Findings& out_;
  std::string dataset_;
};

void note_unannotated(const Experiment& experiment, const PreparedData& data, std::size_t dataset, Findings& out) {
  std::vector<std::string> ids;
  for (const auto& slide : data.slides)
    if (slide->dataset() == dataset && !slide->annotated()) ids.push_back(slide->info().id);
  if (ids.empty()) return;
  Collector(out, name_of(experiment, dataset))
      .note(counted(ids.size(), "slide") + " without annotation, which nothing is learnt from: " + names_of(ids));
}

/// Annotated slides whose annotation labels nothing.
void find_empty(const Experiment& experiment, const PreparedData& data, std::size_t dataset, Findings& out) {
  std::vector<std::string> ids;
  std::size_t annotated = 0;
  for (const auto& slide : data.slides) {
    if (slide->dataset() != dataset || !slide->annotated()) continue;
    ++annotated;
    const auto& foreground = slide->catalog().foreground;
    if (std::all_of(foreground.begin(), foreground.end(), [](std::int64_t n) { return n == 0; }))
      ids.push_back(slide->info().id);
  }
  if (ids.empty()) return;
  Collector said(out, name_of(experiment, dataset));
  const std::string text = std::to_string(ids.size()) + " of " + std::to_string(annotated) +
                           (annotated == 1 ? " annotation" : " annotations") +
                           (ids.size() == 1 ? " labels" : " label") + " no pixel: " + names_of(ids);
  if (ids.size() == annotated) said.finding(text);
  else said.note(text + "; right where the slide holds none of the classes");
}

}  // namespace

Findings file_findings(const Experiment& experiment, const Registry& registry,
                       const std::vector<std::shared_ptr<Dataset>>& datasets) {
  Findings out;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const auto* check = dynamic_cast<const DatasetCheck*>(datasets[i].get());
    if (check == nullptr) continue;
    Collector said(out, name_of(experiment, i));
    guarded(origin_of(registry, Dataset::kind, experiment.datasets.at(i).component, "checking its files"),
            [&] { check->check_files(experiment.classes, said); });
  }
  return out;
}

Findings label_findings(const Experiment& experiment, const PreparedData& data) {
  Findings out;
  for (std::size_t i = 0; i < data.datasets.size(); ++i) {
    if (dynamic_cast<const DatasetCheck*>(data.datasets[i].get()) == nullptr)
      note_unannotated(experiment, data, i, out);
    find_empty(experiment, data, i, out);
  }
  const bool any = std::any_of(data.slides.begin(), data.slides.end(), [](const auto& s) { return s->annotated(); });
  if (!any) {
    out.findings.emplace_back("no slide has an annotation: there is nothing to train on");
    return out;
  }
  std::vector<std::string> absent;
  for (std::size_t c = 0; c < experiment.classes.size(); ++c) {
    const auto has = [&](const auto& s) { return s->annotated() && s->catalog().foreground.at(c) > 0; };
    if (std::none_of(data.slides.begin(), data.slides.end(), has)) absent.push_back(experiment.classes[c]);
  }
  if (absent.size() == experiment.classes.size()) return out;  // said: no annotation labels a pixel
  for (const std::string& name : absent)
    out.findings.push_back("class \"" + name + "\" has no labelled pixel in any slide: it cannot be learnt");
  return out;
}

void require_annotated(const Listing& listing, const Registry& registry) {
  const auto annotated = [&](const Listing::Entry& entry) {
    try {
      return listing.datasets()[entry.dataset]->annotated(entry.info);
    } catch (const std::exception&) {
      return true;  // preparing the slide will tell what is wrong
    }
  };
  if (listing.slides().empty() || std::any_of(listing.slides().begin(), listing.slides().end(), annotated)) return;
  std::string hint;
  const Findings files = file_findings(listing.experiment(), registry, listing.datasets());
  for (const auto& list : {files.findings, files.notes})
    for (const std::string& text : list) hint += (hint.empty() ? "" : "\n  ") + text;
  throw Error("no slide has an annotation: nothing can be learnt from " + counted(listing.slides().size(), "slide"),
              hint);
}

}  // namespace nephron::host
