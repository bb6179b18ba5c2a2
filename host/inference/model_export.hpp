#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// What `nephron export` is asked for.
struct ModelExportRequest {
  std::filesystem::path run;  ///< a run's folder, or a fold's inside it
  std::filesystem::path out;
  std::string fold;  ///< "K", "all", or "": the fold that `run` names, else all
  std::string checkpoint = "best";
  bool torchscript = true;
  bool overwrite = false;
  std::vector<std::filesystem::path> plugins;
};

/// One fold's model in a folder of its own: weights under SMP's names, what a user has to know, a loader.
struct ExportedModel {
  int fold = 0;
  std::filesystem::path folder;
  std::string no_smp;          ///< why SMP cannot build it; empty: it can
  std::string no_torchscript;  ///< why there is none; empty: there is, or none was wanted
};

/// Writes the models of a run for people who go on in Python: into `out` itself where one fold is asked for, else into
/// fold-K below it. Throws Error, before anything is written, when a fold or its checkpoint is missing or a file is
/// there already.
std::vector<ExportedModel> export_models(const ModelExportRequest& request);

}  // namespace nephron::host
