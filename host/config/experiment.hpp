#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nephron/schema.hpp>

namespace nephron::host {

// The experiment file, section by section. Each struct declares its keys once (describe, in experiment.cpp); decoding,
// validation, `config schema` and docs/experiment.md come from that.

struct FoldsConfig {
  int count = 5;
  std::string by = "index";    ///< "index", "donor"
  std::filesystem::path file;  ///< splits.json: folds that were written down; it says count and by
  static void describe(Schema<FoldsConfig>& s);
};

struct DataConfig {
  std::filesystem::path store;  ///< folder of prepared slides; empty: slides are held in memory
  int factor = 1;               ///< reduction of slides before anything else
  double mpp = 0;               ///< microns per pixel that each slide is reduced to, in place of factor; 0: by factor
  std::vector<int> factors;     ///< that are prepared in the store; data.factor is always among them
  std::int64_t tile = 256;      ///< side of a training tile, px at the reduced level
  double window = 1.5;          ///< side of the raw window, in tiles
  bool join_geometry = true;    ///< neighbouring geometric augmentations interpolate once
  bool ignore_outside = false;  ///< what lies beyond a slide's edge is ignored, not background
  FoldsConfig folds;
  double most_lost = 0.1;          ///< share of the listed slides that may fail to be read
  std::string when_lost = "stop";  ///< "stop", "go_on": where a stored slide is cut short while it is trained on
  std::string augment_on = "cpu";  ///< "cpu", "device": where plans of augmentations are carried out
  std::array<double, 3> mean{0.66437738, 0.50478148, 0.70114894};  ///< of 0..1, RGB
  std::array<double, 3> std{0.15825711, 0.24371008, 0.13832686};
  int workers = 0;   ///< threads that make samples; 0: as many as cores leave
  int prefetch = 4;  ///< batches made ahead
  static void describe(Schema<DataConfig>& s);
};

struct DatasetConfig {
  ComponentSpec component;
  std::string name;      ///< of the sampling group; default: the type
  double share = 0;      ///< share of samples; what is left over goes to the datasets without one
  bool hold_out = true;  ///< its slides are validated on in their turn
  static void describe(Schema<DatasetConfig>& s);
};

/// The parameters of "some_of".
struct SomeOfParams {
  std::int64_t count = 1;
  static void describe(Schema<SomeOfParams>& s);
  /// Of a table that was checked.
  static std::int64_t count_of(const Value& params);
};

/// A link of a chain of random changes; `Kind` says of which kind its components are.
template <class Kind>
struct ChainLink {
  ComponentSpec component;  ///< "one_of", "sequence" and "some_of" belong to the host and hold `of`
  double p = 1;             ///< inside one_of: relative weight
  std::vector<ChainLink> of;
  static void describe(Schema<ChainLink>& s);
  Value of_table;  ///< as written; load_experiment makes `of` of it
};
struct OfSamples {
  static constexpr std::string_view kind = "augmentation";
};
struct OfBatches {
  static constexpr std::string_view kind = "batch_augmentation";
};
using AugmentationConfig = ChainLink<OfSamples>;
using BatchAugmentationConfig = ChainLink<OfBatches>;

struct ValidationConfig {
  std::string how = "slides";  ///< "slides": whole ones, as predict does; "tiles": windows of the sampler
  ComponentSpec sampler{"grid", Value(Value::Table{}), {}};
  static void describe(Schema<ValidationConfig>& s);
};

struct EncoderConfig {
  ComponentSpec component;
  std::filesystem::path weights;  ///< .safetensors or .pth with the encoder's own names; "" starts from random
  bool strict = true;
  static void describe(Schema<EncoderConfig>& s);
};

struct ModelConfig {
  EncoderConfig encoder;
  ComponentSpec decoder;
  std::filesystem::path weights;  ///< of the whole model
  bool strict = true;
  std::int64_t in_channels = 3;
  bool checkpointing = false;  ///< blocks are run again for their gradients
  static void describe(Schema<ModelConfig>& s);
};

/// How the weight of a term comes to be what it is. Epochs are those that are done: 0 in the first.
struct LossSchedule {
  double from = 0;  ///< weight before
  std::int64_t begin = 0;
  std::int64_t end = 0;
  static void describe(Schema<LossSchedule>& s);
  void validate() const;
};

struct LossTerm {
  ComponentSpec component;
  double weight = 1;
  std::optional<LossSchedule> schedule = {};
  static void describe(Schema<LossTerm>& s);
  /// What it counts when `epoch` epochs are done.
  double weight_at(std::int64_t epoch) const;
};

struct LossConfig {
  std::vector<double> class_weights;  ///< one a class; empty: all 1
  std::vector<LossTerm> terms;
  double auxiliary = 0.5;  ///< of the decoder's auxiliary maps; nothing where it gives none
  static void describe(Schema<LossConfig>& s);
};

struct OptimizerConfig {
  std::string type = "adam";  ///< "adam", "adamw", "sgd", "radam", "lion"
  double lr = 1e-3;
  double weight_decay = 0;
  bool decay_norms_and_biases = true;
  double layer_decay = 1;  ///< factor of the rate from each layer of the encoder to the one before it
  double momentum = 0.9;   ///< sgd
  bool nesterov = false;   ///< sgd
  std::optional<std::array<double, 2>> betas;
  double eps = 1e-8;
  /// What was written, or what the authors of the rule propose.
  std::array<double, 2> betas_in_use() const;
  static void describe(Schema<OptimizerConfig>& s);
};

/// Parameters that are trained otherwise than the rest.
struct GroupConfig {
  std::string match;                   ///< as names_part() reads it
  double lr_factor = 1;                ///< of the optimiser's rate
  std::optional<double> weight_decay;  ///< none: the optimiser's
  static void describe(Schema<GroupConfig>& s);
};

/// Parameters that stay as they are for some epochs.
struct FreezeConfig {
  std::string match;         ///< as names_part() reads it
  int from = 0;              ///< epochs that are done before
  std::optional<int> until;  ///< epochs that are done when it is trained again; none: never
  static void describe(Schema<FreezeConfig>& s);
};

/// Averages of the weights over the training, kept beside them.
struct AverageConfig {
  std::string type = "none";  ///< "none", "ema", "swa"
  double decay = 0.999;       ///< ema
  bool ramp = true;           ///< ema: a smaller decay for the first steps
  int start = 0;              ///< epochs that are done before it begins
  int batches = 50;           ///< swa: that the statistics of normalisations are made of
  static void describe(Schema<AverageConfig>& s);
};

/// Windows whose loss was high come again.
struct HardExamplesConfig {
  double share = 0;   ///< of the samples of an epoch; 0: none
  int memory = 1024;  ///< windows that are remembered
  static void describe(Schema<HardExamplesConfig>& s);
};

struct ScheduleConfig {
  std::string type = "linear";  ///< "linear", "cosine", "one_cycle", "poly", "plateau", "constant"
  double warmup = 0.05;         ///< share of all steps
  std::optional<double> start;  ///< share of the rate at the first step of the warm-up
  std::optional<double> end;    ///< share of the rate at the end; of plateau, the lowest
  double power = 0.9;           ///< poly
  double factor = 0.1;          ///< plateau
  int patience = 10;            ///< plateau: validations
  double threshold = 1e-4;      ///< plateau: of the Dice, relative
  int cooldown = 0;             ///< plateau: validations
  static void describe(Schema<ScheduleConfig>& s);
};

struct TrainConfig {
  int epochs = 40;
  int steps_per_epoch = 312;
  int batch = 16;
  int accumulate = 1;  ///< batches an optimiser step
  OptimizerConfig optimizer;
  std::vector<GroupConfig> groups;   ///< [[train.group]]
  std::vector<FreezeConfig> freeze;  ///< [[train.freeze]]
  ScheduleConfig schedule;
  AverageConfig average;
  HardExamplesConfig hard_examples;
  std::string precision = "fp32";  ///< "fp32", "bf16", "fp16"
  bool channels_last = true;
  double clip_norm = 0;          ///< 0: off
  int validate_every = 1;        ///< epochs
  int patience = 0;              ///< epochs without a better Dice before stopping; 0: never
  int checkpoint_minutes = 10;   ///< a checkpoint at least that often, besides one an epoch
  int threads = 0;               ///< of the CPU backend; 0: all cores
  bool deterministic = false;    ///< on CUDA
  bool sync_batch_norm = false;  ///< with several ranks
  bool cuda_graph = false;       ///< on CUDA: batches are recorded and replayed
  static void describe(Schema<TrainConfig>& s);
};

struct PredictConfig {
  double overlap = 1.5;
  std::vector<std::string> tta{"identity"};  ///< identity, flip_x, flip_y, flip_xy
  Value threshold = Value(0.5);              ///< number, or "search"
  int batch = 0;                             ///< 0: twice the training batch
  static void describe(Schema<PredictConfig>& s);
};

struct Experiment {
  std::string name;
  std::string description;
  std::int64_t seed = 42;
  std::vector<std::string> classes;
  bool exclusive = false;  ///< a pixel has one class at most
  std::vector<std::filesystem::path> plugins;
  DataConfig data;
  std::vector<DatasetConfig> datasets;  ///< [[dataset]]
  ComponentSpec sampler;
  ValidationConfig validation;
  ComponentSpec validation_sampler;                          ///< [validation] sampler; default: grid
  std::vector<AugmentationConfig> augmentations;             ///< [[augmentation]]
  std::vector<BatchAugmentationConfig> batch_augmentations;  ///< [[batch_augmentation]]
  ModelConfig model;
  LossConfig loss;
  TrainConfig train;
  PredictConfig predict;
  static void describe(Schema<Experiment>& s);

  /// Tiles that a prediction gives to the network together.
  int prediction_batch() const noexcept { return predict.batch > 0 ? predict.batch : 2 * train.batch; }

  std::filesystem::path file;  ///< the leaf file; empty for one made in code
  Value resolved;              ///< everything after extends, --set and ${ENV}, paths absolute; to_toml() writes it
};

}  // namespace nephron::host
