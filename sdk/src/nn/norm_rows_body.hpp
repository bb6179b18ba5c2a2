// The body of norm_rows.hpp, compiled once for each set of instructions: LANES floats make a vector.
#include "lanes.hpp"
#include "norm_rows.hpp"

namespace nephron::nn {
namespace {

template <RowActivation activation>
inline Floats activated(Floats z) {
  if (activation == RowActivation::none) return z;
  if (activation == RowActivation::silu) return z * sigmoid(z);
  const Floats least = z < Floats{} ? Floats{} : z;  // what is no number stays none
  if (activation == RowActivation::relu) return least;
  return least > all(6.0F) ? all(6.0F) : least;
}

/// The gradient of z; `z` may be y for those that are told by it.
template <RowActivation activation>
inline Floats gradient_of(Floats z, Floats g) {
  if (activation == RowActivation::none) return g;
  if (activation == RowActivation::silu) {
    const Floats s = sigmoid(z);
    return g * (s * (1.0F + z * (1.0F - s)));
  }
  if (activation == RowActivation::relu) return z > Floats{} ? g : Floats{};
  return (z > Floats{}) & (z < all(6.0F)) ? g : Floats{};
}

constexpr int together = 4;  ///< vectors whose sums stay in registers

/// Calls body(first channel, channels, vectors) for blocks of channels.
template <class Body>
inline void each_block(std::int64_t channels, const Body& body) {
  std::int64_t c = 0;
  for (; c + together * LANES <= channels; c += together * LANES) body.template run<together>(c, LANES);
  for (; c < channels; c += LANES) body.template run<1>(c, channels - c < LANES ? channels - c : LANES);
}

template <class Of>
struct Statistics {
  const typename Of::Value* x;
  std::int64_t rows, channels;
  const float* shift;
  float* sums;

  template <int vectors>
  void run(std::int64_t c, std::int64_t n) const {
    Floats s[vectors], q[vectors], from[vectors];
    for (int v = 0; v < vectors; ++v) s[v] = q[v] = Floats{}, from[v] = floats(shift + c + v * LANES, n);
    for (std::int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < vectors; ++v) {
        const Floats d = Of::load(x + r * channels + c + v * LANES, n) - from[v];
        s[v] += d, q[v] += d * d;
      }
    for (int v = 0; v < vectors; ++v) {
      OfFloat::store(s[v], sums + c + v * LANES, n);
      OfFloat::store(q[v], sums + channels + c + v * LANES, n);
    }
  }
};

template <class Of, RowActivation activation>
struct Reduce {
  const NormParameters& p;
  const typename Of::Value *x, *y, *g;
  std::int64_t rows;
  float* sums;

  template <int vectors>
  void run(std::int64_t c, std::int64_t n) const {
    Floats s[vectors], q[vectors], mean[vectors], scale[vectors], offset[vectors];
    for (int v = 0; v < vectors; ++v) {
      const std::int64_t at = c + v * LANES;
      s[v] = q[v] = Floats{};
      mean[v] = floats(p.mean + at, n), scale[v] = floats(p.scale + at, n), offset[v] = floats(p.offset + at, n);
    }
    for (std::int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < vectors; ++v) {
        const std::int64_t at = r * p.channels + c + v * LANES;
        const Floats in = Of::load(x + at, n);
        const Floats z = y != nullptr ? Of::load(y + at, n) : in * scale[v] + offset[v];
        const Floats d = gradient_of<activation>(z, Of::load(g + at, n));
        s[v] += d, q[v] += d * (in - mean[v]);
      }
    for (int v = 0; v < vectors; ++v) {
      OfFloat::store(s[v], sums + c + v * LANES, n);
      OfFloat::store(q[v], sums + p.channels + c + v * LANES, n);
    }
  }
};

template <class Of, RowActivation activation>
void forward_rows(const NormParameters& p, const typename Of::Value* x, const typename Of::Value* more,
                  typename Of::Value* y, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < p.channels; c += LANES) {
      const std::int64_t n = p.channels - c < LANES ? p.channels - c : LANES, at = r * p.channels + c;
      Floats z = Of::load(x + at, n) * floats(p.scale + c, n) + floats(p.offset + c, n);
      if (more != nullptr) z += Of::load(more + at, n);
      Of::store(activated<activation>(z), y + at, n);
    }
}

template <class Of, RowActivation activation>
void backward_rows(const NormParameters& p, const typename Of::Value* x, const typename Of::Value* y,
                   const typename Of::Value* g, const float* first, const float* second, typename Of::Value* of_x,
                   typename Of::Value* of_more, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < p.channels; c += LANES) {
      const std::int64_t n = p.channels - c < LANES ? p.channels - c : LANES, at = r * p.channels + c;
      const Floats in = Of::load(x + at, n), scale = floats(p.scale + c, n);
      const Floats z = y != nullptr ? Of::load(y + at, n) : in * scale + floats(p.offset + c, n);
      const Floats d = gradient_of<activation>(z, Of::load(g + at, n));
      if (of_more != nullptr) Of::store(d, of_more + at, n);
      const Floats centred = in - floats(p.mean + c, n);
      Of::store(scale * (d - floats(first + c, n) - floats(second + c, n) * centred), of_x + at, n);
    }
}

template <class Of>
const typename Of::Value* in(const void* p) {
  return static_cast<const typename Of::Value*>(p);
}

/// work(row type, activation) with both as types.
template <class Work>
void with_types(RowType type, RowActivation activation, const Work& work) {
  const auto with_type = [&](auto of) {
    using Of = decltype(of);
    if (activation == RowActivation::relu) work.template run<Of, RowActivation::relu>();
    else if (activation == RowActivation::relu6) work.template run<Of, RowActivation::relu6>();
    else if (activation == RowActivation::silu) work.template run<Of, RowActivation::silu>();
    else work.template run<Of, RowActivation::none>();
  };
  if (type == RowType::float32) with_type(OfFloat());
  else with_type(OfBfloat16());
}

struct ForwardWork {
  const NormParameters& p;
  const void *x, *more;
  void* y;
  std::int64_t rows;
  template <class Of, RowActivation activation>
  void run() const {
    forward_rows<Of, activation>(p, in<Of>(x), in<Of>(more), static_cast<typename Of::Value*>(y), rows);
  }
};

struct ReduceWork {
  const NormParameters& p;
  const void *x, *y, *g;
  std::int64_t rows;
  float* sums;
  template <class Of, RowActivation activation>
  void run() const {
    each_block(p.channels, Reduce<Of, activation>{p, in<Of>(x), in<Of>(y), in<Of>(g), rows, sums});
  }
};

struct BackwardWork {
  const NormParameters& p;
  const void *x, *y, *g;
  const float *first, *second;
  void *of_x, *of_more;
  std::int64_t rows;
  template <class Of, RowActivation activation>
  void run() const {
    using T = typename Of::Value;
    backward_rows<Of, activation>(p, in<Of>(x), in<Of>(y), in<Of>(g), first, second, static_cast<T*>(of_x),
                                  static_cast<T*>(of_more), rows);
  }
};

void statistics(RowType type, const void* x, std::int64_t rows, std::int64_t channels, const float* shift,
                float* sums) {
  if (type == RowType::float32) each_block(channels, Statistics<OfFloat>{in<OfFloat>(x), rows, channels, shift, sums});
  else each_block(channels, Statistics<OfBfloat16>{in<OfBfloat16>(x), rows, channels, shift, sums});
}

void forward(RowType type, const NormParameters& p, const void* x, const void* more, void* y, std::int64_t rows) {
  with_types(type, p.activation, ForwardWork{p, x, more, y, rows});
}

void reduce(RowType type, const NormParameters& p, const void* x, const void* y, const void* gradient,
            std::int64_t rows, float* sums) {
  with_types(type, p.activation, ReduceWork{p, x, y, gradient, rows, sums});
}

void backward(RowType type, const NormParameters& p, const void* x, const void* y, const void* gradient,
              const float* first, const float* second, void* of_x, void* of_more, std::int64_t rows) {
  with_types(type, p.activation, BackwardWork{p, x, y, gradient, first, second, of_x, of_more, rows});
}

}  // namespace
}  // namespace nephron::nn
