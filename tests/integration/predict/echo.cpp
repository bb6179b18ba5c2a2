// A network whose answer is known: the head sees the normalised picture itself.
#include <nephron/decoder.hpp>

namespace {

class EchoEncoder final : public nephron::Encoder {
 public:
  void build(const nephron::EncoderOptions&) override {}
  std::vector<nephron::Level> levels() const override { return {{3, 1}, {3, 16}}; }
  std::vector<at::Tensor> forward(const at::Tensor& image) override {
    return {image, image.slice(2, 0, image.size(2), 16).slice(3, 0, image.size(3), 16)};
  }
};

class EchoDecoder final : public nephron::Decoder {
 public:
  int depth() const override { return 1; }
  void build(const std::vector<nephron::Level>&) override {}
  nephron::HeadSpec head() const override { return {3, 1, 1}; }
  at::Tensor forward(const std::vector<at::Tensor>& features) override { return features[0]; }
};

}  // namespace

NEPHRON_PLUGIN("echo", "1.0.0")
NEPHRON_COMPONENT(nephron::Encoder, EchoEncoder, "test-echo", "Hands the picture on, for tests")
NEPHRON_COMPONENT(nephron::Decoder, EchoDecoder, "test-echo", "Hands the picture on, for tests")
