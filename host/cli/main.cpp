// nephron-compute: the commands that need LibTorch. `nephron` (light/main.cpp) starts it.
#include <opencv2/core/utils/logger.hpp>

#include <host/cli/program.hpp>
#include <host/util/current_call.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

int main(int argc, char** argv) {
  nephron::host::catch_interrupts();
  nephron::host::log();  // takes the terminal as it is
  // What OpenCV has to say of a file is said by whoever asked it for the file, by the file's name.
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  nephron::host::catch_crashes();
  return nephron::host::run_program(argc, argv);
}
