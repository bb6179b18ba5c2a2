#include <host/util/log.hpp>
#include <host/util/printable.hpp>

#include <cstdio>
#include <mutex>
#include <utility>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

spdlog::level::level_enum level_of(Log::Level level) {
  switch (level) {
    case Log::Level::debug:
      return spdlog::level::debug;
    case Log::Level::info:
      return spdlog::level::info;
    case Log::Level::warning:
      return spdlog::level::warn;
    case Log::Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

class ProgramLog final : public Log {
 public:
  ProgramLog() {
    auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    terminal->set_pattern("%^%v%$");
    logger_ = std::make_shared<spdlog::logger>("nephron", std::move(terminal));
    logger_->sinks().push_back(early_);
    logger_->set_level(spdlog::level::info);
    logger_->flush_on(spdlog::level::warn);
  }

  void write(Level level, std::string_view text) override {
    if (listener_) {
      const std::lock_guard lock(listening_);
      if (logger_->should_log(level_of(level))) listener_(level, text);
      return;
    }
    const char* prefix = level == Level::error ? "error: " : level == Level::warning ? "warning: " : "";
    logger_->log(level_of(level), "{}{}", prefix, printable(text));
  }

  void open(const std::filesystem::path& file) try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string(), false);
    sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %v");  // what is no information says so itself
    for (const auto& line : early_->last_raw()) sink->log(line);
    early_ = std::make_shared<Early>(1);  // they stand in a file now
    // Sinks are replaced, not added to: a program that trains several folds logs each into one file at a time.
    logger_->sinks().resize(1);
    logger_->sinks().push_back(std::move(sink));
    logger_->flush_on(spdlog::level::info);
    // A full disk must not fill the terminal too; spdlog's own words name its source file.
    logger_->set_error_handler([told = false, file](const std::string& why) mutable {
      if (!std::exchange(told, true))
        std::fprintf(stderr, "warning: %s cannot be written: %s\n", file.c_str(), why.c_str());
    });
  } catch (const spdlog::spdlog_ex& e) {
    throw Error("cannot write the log " + file.string() + ": " + e.what());
  }

  void level(Level l) { logger_->set_level(level_of(l)); }
  void hand_to(std::function<void(Level, std::string_view)> listener) { listener_ = std::move(listener); }

 private:
  using Early = spdlog::sinks::ringbuffer_sink_mt;
  std::shared_ptr<spdlog::logger> logger_;
  /// What is said before there is a file belongs into it too.
  std::shared_ptr<Early> early_ = std::make_shared<Early>(2000);
  std::function<void(Level, std::string_view)> listener_;
  std::mutex listening_;
};

ProgramLog& program_log() {
  static ProgramLog instance;
  return instance;
}

}  // namespace

Log& log() { return program_log(); }
void open_log_file(const std::filesystem::path& file) { program_log().open(file); }
void set_log_level(Log::Level level) { program_log().level(level); }
void hand_log_to(std::function<void(Log::Level, std::string_view)> listener) {
  program_log().hand_to(std::move(listener));
}

}  // namespace nephron::host
