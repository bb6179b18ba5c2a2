#include <nephron/augmentation.hpp>

struct ToGrayParams {
  std::string method = "weighted_average";

  static void describe(nephron::Schema<ToGrayParams>& s) {
    s.field("method", &ToGrayParams::method,
            "weighted_average: 0.299 red, 0.587 green, 0.114 blue; average: a third of each")
        .choices({"weighted_average", "average"});
  }
};

class ToGray final : public nephron::Augmentation {
 public:
  explicit ToGray(const ToGrayParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng&, nephron::Plan& plan) const override {
    constexpr float third = 1.0F / 3;
    const std::array<float, 3> w =
        params_.method == "average" ? std::array{third, third, third} : std::array{0.299F, 0.587F, 0.114F};
    plan.colour_matrix({w[0], w[1], w[2], 0, w[0], w[1], w[2], 0, w[0], w[1], w[2], 0});
  }

 private:
  ToGrayParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, ToGray, "to_gray", "Takes the colours away, as Albumentations' ToGray")
