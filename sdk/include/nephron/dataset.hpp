#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/labels.hpp>
#include <nephron/plugin.hpp>
#include <nephron/slide.hpp>

namespace nephron {

/// A source of annotated slides. Const calls are thread-safe. An Error of the constructor, slides() or targets() ends
/// the command; one of open(), read() or annotate() costs that slide and is told with its hint, and too many lost
/// slides end the command as well. A ParameterError (<nephron/parameter_error.hpp>) is no fault of one slide, and ends
/// the command at once.
class NEPHRON_API Dataset : public Component {
 public:
  static constexpr std::string_view kind = "dataset";
  ~Dataset() override;

  /// Slides in a stable order, without touching pixels. `classes`: the experiment's class names, in bit order.
  /// Throws Error that says which folder layout was expected.
  virtual std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const = 0;
  /// Opens a slide that slides() listed.
  virtual std::unique_ptr<SlideReader> open(const SlideInfo& slide) const = 0;
  /// Gives the annotation of a slide; gives nothing when it has none. May be called several times, and says the same.
  virtual void annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                        AnnotationSink& sink) const = 0;
  /// True when annotate() has something to say, so that the slide can be trained on.
  virtual bool annotated(const SlideInfo& slide) const = 0;
  /// One rule a class. The default: channel c is bit c, weight 1.
  virtual std::vector<ChannelRule> targets(const std::vector<std::string>& classes) const;
};

}  // namespace nephron
