#include <host/train/hard_examples.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t batches_read_back_together = 64;

/// [N, columns] of type `T`.
template <class T>
at::Tensor table(std::size_t rows, std::int64_t columns) {
  return at::empty({static_cast<std::int64_t>(rows), columns}, c10::CppTypeToScalarType<T>::value);
}

/// Throws Error unless the state has such a table of that many columns, and of `rows` rows unless it is negative.
template <class T>
const T* rows_of(const TensorMap& state, const std::string& name, std::int64_t columns, std::int64_t rows) {
  const auto found = state.find(name);
  if (found == state.end()) throw Error("the training state lacks \"" + name + "\"");
  const at::Tensor& t = found->second;
  if (t.scalar_type() != c10::CppTypeToScalarType<T>::value || t.dim() != 2 || t.size(1) != columns ||
      (rows >= 0 && t.size(0) != rows) || !t.is_contiguous())
    throw Error("\"" + name + "\" of the training state has an impossible form: " + shape_text(t.sizes()));
  return t.const_data_ptr<T>();
}

}  // namespace

std::shared_ptr<const Repeats> HardExamples::repeats(std::uint64_t seed, std::uint64_t epoch) const {
  if (known_.empty()) return nullptr;
  const auto out = std::make_shared<Repeats>();
  out->share = config_.share;
  for (const Known& k : known_) out->windows.push_back(k.window);
  Rng rng(seed, "hard_examples", epoch);
  for (std::size_t i = out->windows.size() - 1; i > 0; --i)
    std::swap(out->windows[i], out->windows[static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(i)))]);
  return out;
}

void HardExamples::add(std::int64_t first, std::vector<SampleNumber> windows, std::uint64_t epoch,
                       const at::Tensor& losses) {
  pending_.push_back({epoch, first, std::move(windows), losses});
  if (pending_.size() >= batches_read_back_together) read_back();
}

void HardExamples::read_back() {
  if (pending_.empty()) return;
  std::vector<at::Tensor> all;
  for (const Batch& batch : pending_) all.push_back(batch.losses);
  const at::Tensor values = at::cat(all).to(c10::kDouble).cpu();
  const double* value = values.const_data_ptr<double>();
  for (const Batch& batch : std::exchange(pending_, {})) {
    if (const auto epoch = static_cast<double>(batch.epoch); epoch != figures_.epoch) figures_ = {.epoch = epoch};
    for (std::size_t i = 0; i < batch.windows.size(); ++i, ++value)  // what is no number stops the training elsewhere
      note({batch.epoch, batch.first + static_cast<std::int64_t>(i)}, batch.windows[i],
           std::isfinite(*value) ? *value : 0);
  }
}

void HardExamples::note(const SampleNumber& sample, const SampleNumber& window, double loss) {
  if (window == sample) {
    figures_.fresh_sum += loss, ++figures_.fresh;
    fresh_.push_back({window, loss});
    if (fresh_.size() >= 2 * static_cast<std::size_t>(config_.memory)) keep_highest(fresh_);
    return;
  }
  figures_.hard_sum += loss, ++figures_.hard;
  Known& known = known_.at(places_.at(window));
  known.sum += loss, ++known.times;
}

void HardExamples::settle() {
  read_back();
  for (Known& known : known_)
    if (const double times = std::exchange(known.times, 0); times > 0) known.loss = std::exchange(known.sum, 0) / times;
  known_.insert(known_.end(), fresh_.begin(), fresh_.end());
  fresh_.clear();
  keep_highest(known_);
  number_known();
}

/// Which they are does not depend on how often it is done on the way.
void HardExamples::keep_highest(std::vector<Known>& of) const {
  std::sort(of.begin(), of.end(),
            [](const Known& a, const Known& b) { return a.loss != b.loss ? a.loss > b.loss : a.window < b.window; });
  of.resize(std::min(of.size(), static_cast<std::size_t>(config_.memory)));
}

void HardExamples::number_known() {
  places_.clear();
  for (std::size_t i = 0; i < known_.size(); ++i) places_.emplace(known_[i].window, i);
}

void HardExamples::add_figures(MetricsLog::Values& line) const {
  const double all = figures_.hard + figures_.fresh;
  if (all == 0) return;
  line.emplace_back("hard_share", figures_.hard / all);
  if (figures_.hard > 0) line.emplace_back("hard_loss", figures_.hard_sum / figures_.hard);
  if (figures_.fresh > 0) line.emplace_back("fresh_loss", figures_.fresh_sum / figures_.fresh);
}

TensorMap HardExamples::state() const {
  HardExamples now = *this;
  now.read_back();
  now.keep_highest(now.fresh_);
  TensorMap out;
  const auto write = [&out](const std::string& name, const std::vector<Known>& of) {
    const at::Tensor windows = table<std::int64_t>(of.size(), 2), values = table<double>(of.size(), 3);
    auto* window = windows.mutable_data_ptr<std::int64_t>();
    auto* value = values.mutable_data_ptr<double>();
    for (const Known& k : of) {
      *window++ = static_cast<std::int64_t>(k.window.epoch), *window++ = k.window.index;
      *value++ = k.loss, *value++ = k.sum, *value++ = k.times;
    }
    out.emplace("hard_examples." + name + ".windows", windows);
    out.emplace("hard_examples." + name + ".values", values);
  };
  write("known", now.known_);
  write("fresh", now.fresh_);
  const at::Tensor figures = table<double>(1, 5);
  const Figures& f = now.figures_;
  std::copy_n(std::vector<double>{f.epoch, f.hard_sum, f.hard, f.fresh_sum, f.fresh}.data(), 5,
              figures.mutable_data_ptr<double>());
  out.emplace("hard_examples.figures", figures);
  return out;
}

void HardExamples::load(const TensorMap& state) {
  HardExamples fresh(config_);
  if (state.find("hard_examples.figures") != state.end()) {
    const auto read = [&](const std::string& name, std::vector<Known>& to) {
      const std::string windows_name = "hard_examples." + name + ".windows";
      const auto* window = rows_of<std::int64_t>(state, windows_name, 2, -1);
      const std::int64_t rows = state.at(windows_name).size(0);
      const auto* value = rows_of<double>(state, "hard_examples." + name + ".values", 3, rows);
      for (std::int64_t i = 0; i < rows; ++i, window += 2, value += 3) {
        if (rows > config_.memory || window[0] < 0 || window[1] < 0 || !std::isfinite(value[0]) ||
            !std::isfinite(value[1]) || !(value[2] >= 0))
          throw Error("\"" + windows_name + "\" of the training state names windows that cannot be");
        to.push_back({{static_cast<std::uint64_t>(window[0]), window[1]}, value[0], value[1], value[2]});
      }
    };
    read("known", fresh.known_);
    read("fresh", fresh.fresh_);
    const double* f = rows_of<double>(state, "hard_examples.figures", 5, 1);
    fresh.figures_ = {f[0], f[1], f[2], f[3], f[4]};
    fresh.number_known();
    if (fresh.places_.size() != fresh.known_.size())
      throw Error("\"hard_examples.known.windows\" of the training state names a window twice");
  }
  *this = std::move(fresh);
}

}  // namespace nephron::host
