#include <host/config/experiment.hpp>

#include <nephron/error.hpp>

namespace nephron::host {

void FoldsConfig::describe(Schema<FoldsConfig>& s) {
  s.field("count", &FoldsConfig::count, "parts the slides are split into; each is validated on once").range(2, 100);
  s.field("by", &FoldsConfig::by,
          "what is dealt out: slides by their place in the list, or donors, so that no donor stands on both sides")
      .choices({"index", "donor"});
  s.field("file", &FoldsConfig::file,
          "folds that `nephron data split` or a run wrote down; it says \"count\" and \"by\", and no slide changes its "
          "fold")
      .must_exist();
}

void DataConfig::describe(Schema<DataConfig>& s) {
  s.field("store", &DataConfig::store,
          "folder of prepared slides, which experiments share; when empty, each start prepares them in memory");
  s.field("factor", &DataConfig::factor, "reduction of slides before anything else").range(1, 64);
  s.field("mpp", &DataConfig::mpp,
          "size of a pixel that each slide is brought to by a reduction of its own, in place of \"factor\"; 0: by "
          "\"factor\"")
      .range(0, 1000)
      .unit("um");
  s.field("factors", &DataConfig::factors, "reductions that are prepared in the store besides \"factor\"").range(1, 64);
  s.field("tile", &DataConfig::tile, "side of a training tile at the reduced level; a multiple of 32")
      .range(32, 4096)
      .unit("px");
  s.field("window", &DataConfig::window,
          "side of the raw window that is augmented before the tile is cut from its middle")
      .range(1, 4)
      .unit("tiles");
  s.field("join_geometry", &DataConfig::join_geometry,
          "augmentations that move pixels and stand beside one another become one map, which interpolates once: faster "
          "and sharper; false: one after the other, as Albumentations does");
  s.field("ignore_outside", &DataConfig::ignore_outside,
          "what windows show beyond a slide's edge counts in no loss and in no figure; false: it is background");
  s.field("folds", &DataConfig::folds, "cross-validation");
  s.field("most_lost", &DataConfig::most_lost,
          "share of the slides that may fail to be read; when more do, nothing is trained")
      .range(0, 1);
  s.field("when_lost", &DataConfig::when_lost,
          "where the file of a prepared slide is cut short, or its disk fails, while it is trained on: \"stop\", or "
          "\"go_on\" with windows of the other slides")
      .choices({"stop", "go_on"});
  s.field("augment_on", &DataConfig::augment_on,
          "where augmentations are carried out and targets made: \"cpu\", by the threads that make samples, or "
          "\"device\", which is given windows, label bits and plans")
      .choices({"cpu", "device"});
  s.field("mean", &DataConfig::mean, "mean of each colour, subtracted (RGB)").range(0, 1);
  s.field("std", &DataConfig::std, "deviation of each colour, divided by (RGB)").range(1e-6, 10);
  s.field("workers", &DataConfig::workers, "threads that make samples; 0: as many as training leaves").range(0, 256);
  s.field("prefetch", &DataConfig::prefetch, "batches made ahead").range(1, 64);
}

void DatasetConfig::describe(Schema<DatasetConfig>& s) {
  s.component(&DatasetConfig::component, "dataset");
  s.field("name", &DatasetConfig::name, "of the sampling group; when empty, the type");
  s.field("share", &DatasetConfig::share, "share of samples; what is left over goes to the datasets without one")
      .range(0, 1);
  s.field("hold_out", &DatasetConfig::hold_out,
          "its slides are held out for validation in their turn; false: they are only trained on");
}

void SomeOfParams::describe(Schema<SomeOfParams>& s) {
  s.field("count", &SomeOfParams::count, "how many of them").at_least(1);
}

std::int64_t SomeOfParams::count_of(const Value& params) {
  const Value* count = params.find("count");
  return count != nullptr ? count->integer() : SomeOfParams{}.count;
}

template <class Kind>
void ChainLink<Kind>::describe(Schema<ChainLink>& s) {
  s.component(&ChainLink::component, std::string(Kind::kind));
  s.field("p", &ChainLink::p, "probability; inside one_of, relative weight").range(0, 1);
  s.field("of", &ChainLink::of_table, "of one_of, some_of and sequence: the augmentations they choose from or run")
      .of_kind(Kind::kind);
}
template struct ChainLink<OfSamples>;
template struct ChainLink<OfBatches>;

void ValidationConfig::describe(Schema<ValidationConfig>& s) {
  s.field("how", &ValidationConfig::how,
          "slides: whole held-out slides, cut and joined as predict does; tiles: windows of the sampler")
      .choices({"slides", "tiles"});
  s.field("sampler", &ValidationConfig::sampler, "of tiles: which windows are validated on").of_kind("sampler");
}

void EncoderConfig::describe(Schema<EncoderConfig>& s) {
  s.component(&EncoderConfig::component, "encoder");
  s.field("weights", &EncoderConfig::weights,
          "file (.safetensors, .pth) with the encoder's own names; when empty, training starts from random weights")
      .must_exist();
  s.field("strict", &EncoderConfig::strict, "refuse weights with missing or unexpected names");
}

void ModelConfig::describe(Schema<ModelConfig>& s) {
  s.field("encoder", &ModelConfig::encoder, "what turns the image into features").required();
  s.field("decoder", &ModelConfig::decoder, "what turns features into a map").of_kind("decoder").required();
  s.field("weights", &ModelConfig::weights, "file (.safetensors, .pth) for the whole model").must_exist();
  s.field("strict", &ModelConfig::strict, "refuse weights with missing or unexpected names");
  s.field("in_channels", &ModelConfig::in_channels, "channels of the image").range(1, 64);
  s.field("checkpointing", &ModelConfig::checkpointing,
          "training keeps the inputs of blocks alone and runs them again for their gradients: less memory, more time, "
          "the same bits");
}

void LossTerm::describe(Schema<LossTerm>& s) {
  s.component(&LossTerm::component, "loss");
  s.field("weight", &LossTerm::weight, "factor of this term in the sum").at_least(0);
  s.field("schedule", &LossTerm::schedule, "another weight in the first epochs; without it, it is the same in all");
}

double LossTerm::weight_at(std::int64_t epoch) const {
  if (!schedule || epoch >= schedule->end) return weight;
  if (epoch <= schedule->begin) return schedule->from;
  const double risen =
      static_cast<double>(epoch - schedule->begin) / static_cast<double>(schedule->end - schedule->begin);
  return schedule->from + (weight - schedule->from) * risen;
}

void LossSchedule::describe(Schema<LossSchedule>& s) {
  s.field("from", &LossSchedule::from, "weight until `begin`; 0 leaves the term out").at_least(0);
  s.field("begin", &LossSchedule::begin,
          "epochs done when the weight begins to change, epoch by epoch, in a straight line")
      .at_least(0)
      .unit("epochs");
  s.field("end", &LossSchedule::end, "epochs done when it is the term's `weight`; the same as `begin`: at once")
      .at_least(0)
      .unit("epochs")
      .required();
}

void LossSchedule::validate() const {
  if (end < begin)
    throw Error("\"end\" (" + std::to_string(end) + ") must not come before \"begin\" (" + std::to_string(begin) + ")");
}

void LossConfig::describe(Schema<LossConfig>& s) {
  s.field("class_weights", &LossConfig::class_weights, "one weight a class; when empty, all 1").at_least(0);
  s.field("terms", &LossConfig::terms, "losses that are weighed and summed").required();
  s.field(
       "auxiliary", &LossConfig::auxiliary,
       "weight of the same loss of the decoder's auxiliary maps (deep supervision), where it gives any: of their mean")
      .at_least(0);
}

std::array<double, 2> OptimizerConfig::betas_in_use() const {
  return betas.value_or(type == "lion" ? std::array{0.9, 0.99} : std::array{0.9, 0.999});
}

void OptimizerConfig::describe(Schema<OptimizerConfig>& s) {
  s.field("type", &OptimizerConfig::type, "rule of the update").choices({"adam", "adamw", "sgd", "radam", "lion"});
  s.field("lr", &OptimizerConfig::lr, "learning rate at the top of the schedule").range(0, 1000);
  s.field("weight_decay", &OptimizerConfig::weight_decay,
          "adam, sgd, radam: added to the gradient; adamw, lion: decoupled")
      .at_least(0);
  s.field(
      "decay_norms_and_biases", &OptimizerConfig::decay_norms_and_biases,
      "false: no weight decay for parameters of one dimension, which are those of normalisations, biases and scales");
  s.field("layer_decay", &OptimizerConfig::layer_decay,
          "factor of the rate from each layer of the encoder to the one before it; the last layer has it once")
      .range(0, 1);
  s.field("momentum", &OptimizerConfig::momentum, "of sgd").range(0, 1);
  s.field("nesterov", &OptimizerConfig::nesterov, "of sgd: look ahead along the momentum");
  s.field("betas", &OptimizerConfig::betas,
          "decay of the two running means of adam, adamw, radam (unset: [0.9, 0.999]) and lion ([0.9, 0.99])")
      .range(0, 1);
  s.field("eps", &OptimizerConfig::eps, "of adam, adamw and radam: added to the divisor").at_least(0);
}

void GroupConfig::describe(Schema<GroupConfig>& s) {
  s.field("match", &GroupConfig::match,
          "which parameters, by their name or that of a module that holds them: `encoder`, `encoder.layer?`, `*.bias`")
      .required();
  s.field("lr_factor", &GroupConfig::lr_factor, "factor of the learning rate").range(0, 1000);
  s.field("weight_decay", &GroupConfig::weight_decay, "in place of the optimiser's").at_least(0);
}

void FreezeConfig::describe(Schema<FreezeConfig>& s) {
  s.field("match", &FreezeConfig::match, "which parameters, as in [[train.group]]").required();
  s.field("from", &FreezeConfig::from, "epochs that are done before they freeze").at_least(0).unit("epochs");
  s.field("until", &FreezeConfig::until, "epochs that are done when they are trained again; unset: they never are")
      .at_least(1)
      .unit("epochs");
}

void AverageConfig::describe(Schema<AverageConfig>& s) {
  s.field("type", &AverageConfig::type,
          "ema: exponential, after every step; swa: the mean of the weights at the ends of epochs")
      .choices({"none", "ema", "swa"});
  s.field("decay", &AverageConfig::decay, "of ema: what is left of the average at each step").range(0, 1);
  s.field("ramp", &AverageConfig::ramp,
          "of ema: the n-th step has the decay (1 + n) / (10 + n) as long as it is smaller");
  s.field("start", &AverageConfig::start, "epochs that are done before averaging begins").at_least(0).unit("epochs");
  s.field("batches", &AverageConfig::batches,
          "of swa: training batches that the statistics of normalisations are made anew of, each epoch")
      .range(1, 100000);
}

void HardExamplesConfig::describe(Schema<HardExamplesConfig>& s) {
  s.field("share", &HardExamplesConfig::share,
          "share of an epoch's samples that are such windows, augmented anew; from the second epoch on; 0: none")
      .range(0, 0.9);
  s.field("memory", &HardExamplesConfig::memory, "how many are remembered: those with the highest loss")
      .range(1, 100000)
      .unit("windows");
}

void ScheduleConfig::describe(Schema<ScheduleConfig>& s) {
  s.field("type", &ScheduleConfig::type, "how the learning rate falls after the warm-up, a step at a time")
      .choices({"linear", "cosine", "one_cycle", "poly", "plateau", "constant"});
  s.field("warmup", &ScheduleConfig::warmup, "share of all steps in which the rate rises").range(0, 1);
  s.field("start", &ScheduleConfig::start,
          "share of the rate that the warm-up begins with; unset: 0, of one_cycle 0.04")
      .range(0, 1);
  s.field("end", &ScheduleConfig::end,
          "share of the rate that is left at the end; of plateau, the least; unset: 0, of one_cycle 4e-6")
      .range(0, 1);
  s.field("power", &ScheduleConfig::power, "of poly: (share of the steps that is left) to this power").range(0, 100);
  s.field("factor", &ScheduleConfig::factor, "of plateau: what the rate is multiplied with").range(0, 1);
  s.field("patience", &ScheduleConfig::patience, "of plateau: validations without a better Dice that it bears")
      .at_least(0)
      .unit("validations");
  s.field("threshold", &ScheduleConfig::threshold, "of plateau: share by which a Dice has to be better to count")
      .range(0, 1);
  s.field("cooldown", &ScheduleConfig::cooldown, "of plateau: validations after a fall that do not count")
      .at_least(0)
      .unit("validations");
}

void TrainConfig::describe(Schema<TrainConfig>& s) {
  s.field("epochs", &TrainConfig::epochs, "epochs").range(1, 100000);
  s.field("steps_per_epoch", &TrainConfig::steps_per_epoch, "batches an epoch").range(1, 10000000);
  s.field("batch", &TrainConfig::batch, "tiles a batch").range(1, 4096);
  s.field("accumulate", &TrainConfig::accumulate, "batches an optimiser step").range(1, 1024);
  s.field("optimizer", &TrainConfig::optimizer, "optimiser");
  s.field("group", &TrainConfig::groups,
          "parameters with another learning rate or weight decay; the first match counts");
  s.field("freeze", &TrainConfig::freeze, "parts of the network that are not trained for some epochs");
  s.field("schedule", &TrainConfig::schedule, "learning rate over time");
  s.field("average", &TrainConfig::average, "averaged weights, validated and kept beside the others");
  s.field("hard_examples", &TrainConfig::hard_examples, "windows whose loss was high come again");
  s.field("precision", &TrainConfig::precision, "arithmetic of the model; fp16 needs CUDA")
      .choices({"fp32", "bf16", "fp16"});
  s.field("channels_last", &TrainConfig::channels_last, "memory order of images; faster on nearly every machine");
  s.field("clip_norm", &TrainConfig::clip_norm, "largest norm of the gradient; 0: any").at_least(0);
  s.field("validate_every", &TrainConfig::validate_every, "time between validations").at_least(1).unit("epochs");
  s.field("patience", &TrainConfig::patience, "time without a better Dice before training stops; 0: never")
      .at_least(0)
      .unit("epochs");
  s.field("checkpoint_minutes", &TrainConfig::checkpoint_minutes,
          "a checkpoint at least that often, besides one an epoch")
      .range(1, 10080)
      .unit("minutes");
  s.field("threads", &TrainConfig::threads, "of training on the CPU; 0: OMP_NUM_THREADS, or all cores").range(0, 1024);
  s.field("deterministic", &TrainConfig::deterministic, "the same bits in every run on CUDA, at some cost in speed");
  s.field("sync_batch_norm", &TrainConfig::sync_batch_norm,
          "with several ranks: batch normalisations take their statistics from the batches of all of them");
  s.field("cuda_graph", &TrainConfig::cuda_graph,
          "on CUDA: forward, loss and backward of a batch are recorded, and replayed for the others: less time where "
          "the CPU cannot keep up, more memory");
}

void PredictConfig::describe(Schema<PredictConfig>& s) {
  s.field("overlap", &PredictConfig::overlap, "tiles over a pixel along each axis: they start tile / overlap apart")
      .range(1, 4)
      .unit("tiles");
  s.field("tta", &PredictConfig::tta, "flips whose predictions are averaged")
      .choices({"identity", "flip_x", "flip_y", "flip_xy"});
  s.field("threshold", &PredictConfig::threshold,
          "probability above which a pixel is foreground, or found on the validation slides")
      .range(0, 1)
      .choices({"search"});
  s.field("batch", &PredictConfig::batch, "windows a batch; 0: twice the training batch").range(0, 4096);
}

void Experiment::describe(Schema<Experiment>& s) {
  s.field("name", &Experiment::name, "of the run folder; when empty, the file's name");
  s.field("description", &Experiment::description, "what the experiment is for");
  s.field("seed", &Experiment::seed, "of every random number").at_least(0);
  s.field("classes", &Experiment::classes, "names of what is segmented, one output channel each; 1 to 32").required();
  s.field("exclusive", &Experiment::exclusive,
          "a pixel has one of the classes or none: probabilities are a softmax with the background, masks are what is "
          "likeliest; false: each class for itself");
  s.field("plugins", &Experiment::plugins, "plugin files to load besides the installed ones").must_exist();
  s.field("data", &Experiment::data, "tiles and folds");
  s.field("dataset", &Experiment::datasets, "where slides come from").required();
  s.field("sampler", &Experiment::sampler, "which windows are trained on").of_kind("sampler").required();
  s.field("validation", &Experiment::validation, "what is validated on");
  s.field("augmentation", &Experiment::augmentations,
          "random changes of image and labels, in their order; `preset = \"NAME\"` in place of `type` is a chain that "
          "has a name");
  s.field("batch_augmentation", &Experiment::batch_augmentations,
          "random changes of whole batches, in their order, after those of single samples");
  s.field("model", &Experiment::model, "encoder and decoder").required();
  s.field("loss", &Experiment::loss, "what training makes small").required();
  s.field("train", &Experiment::train, "optimisation");
  s.field("predict", &Experiment::predict, "from tiles to masks");
}

}  // namespace nephron::host
