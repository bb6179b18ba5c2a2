#include <host/predict/going_on.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>

#include <host/predict/begun_to_save.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string words_of(const TruthPlace& truth) {
  if (!truth.dataset.empty()) return "the annotations of dataset \"" + truth.dataset + "\"";
  if (truth.masks.empty()) return "no masks";
  return "the masks of " + truth.masks.string() +
         (truth.masks_as.empty() ? "" : " (--masks-as " + truth.masks_as + ")");
}

}  // namespace

void require_equal_settings(const PredictionRecord& before, const fs::path& folder, const std::string& settings,
                            bool measures) {
  Json wanted = Json::parse(settings);
  if (!measures) wanted["metrics"] = nullptr;  // none must have been asked for then, either
  for (const auto& [key, value] : wanted.items()) {
    const auto other = std::find_if(before.settings.begin(), before.settings.end(),
                                    [&, &name = key](const auto& setting) { return setting.first == name; });
    const bool there = other != before.settings.end();
    if (value.is_null() ? there : !there || other->second != value.dump())
      throw Error(folder.string() + " was predicted with another " + key + ": " + (there ? other->second : "none") +
                      " there, " + (value.is_null() ? "none" : value.dump()) + " now",
                  "Use the same settings to continue, --overwrite to start anew, or name another folder.");
  }
}

void require_equal_truth(const PredictionRecord& before, const fs::path& folder, const TruthPlace& now) {
  if (before.scores.pictures.empty()) return;
  const std::string was = words_of({before.masks, before.masks_as, before.dataset}), is = words_of(now);
  if (was != is)
    throw Error("what " + folder.string() + " holds was compared with " + was + "; now it is " + is,
                "Use the same to continue, --overwrite to start anew, or name another folder.");
}

std::vector<std::string> saved_of_both(const fs::path& folder, const std::vector<std::string>& now) {
  const std::vector<std::string> before = begun_to_save(folder);
  std::vector<std::string> out = before, missing, more;
  for (const std::string& word : before)
    if (!holds(now, word)) missing.push_back(word);
  for (const std::string& word : now)
    if (!holds(before, word)) more.push_back(word), out.push_back(word);
  if (!missing.empty())
    throw Error(folder.string() + " was begun with " + names_of(missing, missing.size()) +
                    " in --save, which this command leaves out",
                "Give --save " + joined(out) + " to continue, --overwrite to start anew, or name another folder.");
  if (!before.empty() && !more.empty())
    log().info(folder.string() + " was begun without " + names_of(more, more.size()) +
               " in --save: finished pictures that lack them are predicted again");
  return out;
}

}  // namespace nephron::host
