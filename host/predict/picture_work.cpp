#include <host/predict/picture_work.hpp>

#include <filesystem>
#include <utility>

#include <nephron/error.hpp>

#include <host/device/device.hpp>
#include <host/metrics/kept_measures.hpp>
#include <host/predict/joined_rows.hpp>
#include <host/predict/rows_behind.hpp>
#include <host/predict/unmeasured_rows.hpp>
#include <host/tiling/tiled.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

PictureWork::PictureWork(const PredictRequest& request, const std::vector<std::unique_ptr<Member>>& members,
                         const OutputFolder& output, const PictureMetrics* metrics)
    : request_(request),
      members_(members),
      output_(output),
      settings_(members.front()->settings),
      classes_(members.front()->experiment.classes),
      metrics_(metrics),
      device_(parse_device(request.device).is_cpu() ? "cpu" : "cuda"),
      origin_(members, settings_text(members, request, metrics == nullptr ? "" : metrics->set.str()), device_),
      planes_(static_cast<int>(classes_.size() * (1 + settings_.kept.flips.size()))) {}

LoadedPicture PictureWork::load(const PictureFile& picture) const {
  LoadedPicture out = members_.front()->loader->load(picture);
  require_room(out);
  return out;
}

/// Said before hours are spent. Maps of tissue pack four times at least.
void PictureWork::require_room(const LoadedPicture& loaded) const {
  const std::int64_t bytes = settings_.kept.format == MapFormat::halves ? 2 : 1;
  const auto classes = static_cast<std::int64_t>(classes_.size());
  const std::int64_t maps =
      classes * ((settings_.kept.maps ? 1 : 0) + static_cast<std::int64_t>(settings_.kept.flips.size()));
  std::int64_t need = loaded.size.area() * maps * bytes / 4;
  const Size reduced = loaded.reduced->size();
  if (members_.size() > 1 || has_many_tiles(reduced, settings_))
    need += static_cast<std::int64_t>(members_.size()) * KeptRows::bytes_of(reduced, planes_);
  if (metrics_ != nullptr && settings_.search && loaded.truth != nullptr)
    need +=
        RowsToMeasure::bytes_of(members_.size() > 1 ? loaded.size : reduced, classes_.size(), loaded.truth->ignores());
  std::error_code unknown;
  const std::filesystem::space_info disk = std::filesystem::space(output_.folder(), unknown);
  if (!unknown && disk.available < static_cast<std::uintmax_t>(need))
    throw Error(
        "the maps of a picture of " + std::to_string(loaded.size.width) + " x " + std::to_string(loaded.size.height) +
            " px need up to " + std::to_string((need >> 20) + 1) + " MB, and " + output_.folder().string() + " has " +
            std::to_string(disk.available >> 20) + " MB left",
        std::string(maps > 0 ? "Without \"maps\" and \"tta\" in --save, masks and runs take a small part of it; "
                             : "") +
            "Name another folder, or make room.");
}

/// Opens the rows of a picture that a member computed before; what they depend on is their key.
KeptRows PictureWork::rows_of(const PictureFile& picture, std::size_t member, const LoadedPicture& loaded) const {
  const Member& own = *members_[member];
  const std::string key = own.settings.str() + " by " + own.network_sha256 + " of " + loaded.fingerprint +
                          " in batches of " + std::to_string(own.settings.batch) + " on " + device_;
  KeptRows rows(output_.under_way(picture.id, member), key, loaded.reduced->size(), planes_);
  if (rows.rows_there() > 0)
    log().info("\"" + picture.id + "\" goes on below row " + std::to_string(rows.rows_there()) + " of " +
               std::to_string(rows.size().height));
  return rows;
}

namespace {

std::string text_of_weights(const PredictSettings& settings) {
  std::string out;
  for (const std::filesystem::path& file : settings.weights) out += (out.empty() ? "" : ", ") + file.string();
  return out;
}

}  // namespace

/// What one member says of a picture, into `sink`.
void PictureWork::ask(std::size_t member, const PictureFile& picture, const LoadedPicture& loaded,
                      std::int64_t from_row, const Told& told, ProbabilitySink& sink) const {
  const PredictSettings& settings = members_[member]->settings;
  TilingOptions tiling{settings.cut(), settings.overlap, settings.batch, {}};
  tiling.blending = settings.blending;
  tiling.as_reference = settings.as_reference;
  tiling.from_row = from_row;
  tiling.picture = "\"" + picture.id + "\"";
  tiling.network = text_of_weights(settings);
  tiling.wanted = [&](const Region& tile) { return !loaded.glass.only(tile); };
  tiling.progress = [&](std::int64_t tiles, std::int64_t total) {
    std::string doing = total > 1 ? ", tile " + std::to_string(tiles) + "/" + std::to_string(total) : "";
    if (members_.size() > 1) doing += " of run " + std::to_string(member + 1) + "/" + std::to_string(members_.size());
    const double part = static_cast<double>(member) + static_cast<double>(tiles) / static_cast<double>(total);
    told(part / static_cast<double>(members_.size()), doing);
  };
  predict_tiled(*loaded.reduced, *members_[member]->model, tiling, sink);
}

/// Votes are masks already: what is joined of them is the share of runs that say so.
std::vector<double> PictureWork::mask_thresholds() const {
  return request_.vote ? std::vector<double>(classes_.size(), 0.5) : settings_.thresholds;
}

PictureWork::Computed PictureWork::compute(const PictureFile& picture, std::shared_ptr<const LoadedPicture> loaded,
                                           const Told& told) const {
  const bool several = members_.size() > 1;
  const bool exclusive = members_.front()->experiment.exclusive;
  Computed out{picture, loaded, nullptr, {}};
  out.outputs = std::make_shared<PictureOutputs>(
      output_, settings_.kept, MaskRule{exclusive, settings_.search, mask_thresholds()}, classes_,
      OutputPicture{picture.id, picture.file.filename().string(), loaded->size, loaded->mpp, loaded->truth,
                    several ? Reduction(1) : loaded->reduction, request_.dataset},
      metrics_ == nullptr ? nullptr : &metrics_->set);
  RowsBehind behind(*out.outputs);
  if (several) {
    std::vector<SaidRows> said;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      const LoadedPicture own = m == 0 ? LoadedPicture() : members_[m]->loader->load(picture);
      const LoadedPicture& seen = m == 0 ? *loaded : own;
      KeptRows& rows = *out.kept.emplace_back(std::make_unique<KeptRows>(rows_of(picture, m, seen)));
      if (rows.rows_there() < rows.size().height) ask(m, picture, seen, rows.rows_there(), told, rows);
      said.push_back({&rows, members_[m]->share});
    }
    // Of several runs all classes have one threshold.
    join_rows(std::move(said), loaded->size, planes_,
              request_.vote ? std::optional(settings_.thresholds.front()) : std::nullopt, behind);
  } else if (has_many_tiles(loaded->reduced->size(), settings_)) {
    KeptRows& rows = *out.kept.emplace_back(std::make_unique<KeptRows>(rows_of(picture, 0, *loaded)));
    behind.begin(rows.size(), planes_);
    rows.give_to(behind);
    ask(0, picture, *loaded, rows.rows_there(), told, rows);
  } else {
    ask(0, picture, *loaded, 0, told, behind);
  }
  behind.finish();
  return out;
}

PictureResult PictureWork::write(Computed& computed) const {
  const LoadedPicture& loaded = *computed.loaded;
  const std::string& id = computed.picture.id;
  PictureResult out{computed.picture, {loaded.reduction, loaded.reduced->digest()}};
  const std::string origin = origin_.of(out.seen.digest);
  if (std::optional<ComparedPicture> compared = computed.outputs->finish(origin)) {
    out.score = std::move(compared->score);
    out.score->picture = out.seen.digest;
    if (compared->measures)
      keep(SlideRow{*std::move(compared->measures), -1, out.score->picture, out.score->masks}, out);
  }
  // Last: it says that all is there.
  write_picture_facts(output_.picture(id), {loaded.size, loaded.mpp, loaded.fingerprint, out.seen, origin});
  for (const auto& rows : computed.kept) rows->remove();
  return out;
}

/// Measures go into a file; where that cannot be, with the result.
void PictureWork::keep(SlideRow row, PictureResult& result) const {
  if (metrics_->kept)
    write_measures(output_.measures(result.picture.id), metrics_->key(settings_.thresholds), {std::move(row), {}},
                   metrics_->set);
  else result.measured = std::move(row);
}

}  // namespace nephron::host
