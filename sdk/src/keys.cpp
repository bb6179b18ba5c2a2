// Key functions of the torch-free boundary types: each type's typeinfo lives here, once, whoever loads it.
#include <nephron/augmentation.hpp>
#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/dataset.hpp>
#include <nephron/error.hpp>
#include <nephron/file_pixels.hpp>
#include <nephron/kept_measurement.hpp>
#include <nephron/metric.hpp>
#include <nephron/parameter_error.hpp>
#include <nephron/reader.hpp>
#include <nephron/sampler.hpp>
#include <nephron/schema.hpp>

namespace nephron {

Component::Component() = default;
Component::~Component() = default;
Log::~Log() = default;
ThreadPool::~ThreadPool() = default;
Context::~Context() = default;
SlideReader::~SlideReader() = default;
SlideFile::~SlideFile() = default;
FilePixels::~FilePixels() = default;
SlideOpener::~SlideOpener() = default;
Reader::~Reader() = default;
AnnotationSink::~AnnotationSink() = default;
Dataset::~Dataset() = default;
Catalog::~Catalog() = default;
Sampler::~Sampler() = default;
Plan::~Plan() = default;
Augmentation::~Augmentation() = default;
Measurement::~Measurement() = default;
KeptMeasurement::~KeptMeasurement() = default;
Metric::~Metric() = default;
ComponentVisitor::~ComponentVisitor() = default;
SchemaBase::~SchemaBase() = default;

Error::Error(const std::string& message, std::string hint) : std::runtime_error(message), hint_(std::move(hint)) {}
Error::~Error() = default;
ParameterError::~ParameterError() = default;
Cancelled::Cancelled() : Error("interrupted") {}
Cancelled::~Cancelled() = default;

std::vector<ChannelRule> Dataset::targets(const std::vector<std::string>& classes) const {
  std::vector<ChannelRule> rules(classes.size());
  for (std::size_t c = 0; c < rules.size(); ++c) rules[c].any_of = 1U << c;
  return rules;
}

void Measurement::rows(const MeasuredRows&) {}
void Measurement::objects(const MeasuredObjects&) {}
std::uint32_t Metric::needs() const { return MetricNeeds::rows; }

std::int64_t Sampler::count(const Catalog&, std::int64_t) const { return 0; }

}  // namespace nephron
