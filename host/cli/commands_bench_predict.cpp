#include <memory>
#include <string>

#include <host/cli/command.hpp>
#include <host/predict/bench_forward.hpp>

namespace nephron::host {
namespace {

void add_bench_forward(CLI::App& app, int& exit) {
  CLI::App* const command =
      app.add_subcommand("bench-forward", "Time a network's predictions of tiles held in memory")->group("");
  const auto request = std::make_shared<BenchForwardRequest>();
  command->add_option("--encoder", request->encoder)->required();
  command->add_option("--decoder", request->decoder)->capture_default_str();
  command->add_option("--weights", request->weights, "safetensors; random ones when none are named")
      ->check(CLI::ExistingFile);
  command->add_option("--batch", request->batch)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--tile", request->tile)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--classes", request->classes)->check(CLI::Range(1, 8))->capture_default_str();
  command->add_option("--precision", request->precision)
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}))
      ->capture_default_str();
  command->add_option("--tta", request->tta)->delimiter(',')->capture_default_str();
  command->add_option("--runs", request->runs)->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--threads", request->threads)->capture_default_str();
  command->add_option("--device", request->device)->capture_default_str();
  command->add_option("--save", request->save, "safetensors for the tiles and their probabilities");
  command->callback([request, &exit] {
    bench_forward(*request);
    exit = Exit::done;
  });
}

NEPHRON_COMMAND("bench-forward", 902, add_bench_forward)

}  // namespace
}  // namespace nephron::host
