#pragma once

#include <host/predict/predict.hpp>

namespace nephron::host {

// What a process that predicts pictures for the one that started it says, a line of JSON each on report_descriptor:
//
//   {"ready": true}                                  its networks are loaded
//   {"next": "now" | "ahead"}                        asks for a picture; "ahead": to be read while another is computed
//   {"doing": ID, "share": ..., "what": ...}
//   {"done": ID, "reduction": ..., "digest": ..., "score": {...}}   its files are written; a score where truth is known
//   {"left_out": ID, "why": ..., "hint": ...}
//   {"cannot_write": ..., "hint": ...}               nothing more can be written, of whatever picture: it ends
//   {"log": ...}, {"error": ..., "hint": ...}        as of a process that trains a fold (fold_worker.hpp)
//
// and what it is told on its stdin: first the networks (chosen_networks.hpp), then, for each that it asks for,
// {"picture": ID}, or {} where there is none for now; at its end there is no more.

/// Predicts what it is told to, by the networks that the parent chose; the parent holds the folder. Gives back the
/// program's exit code.
int predict_for_parent(PredictRequest request);

}  // namespace nephron::host
