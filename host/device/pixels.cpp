#include <host/device/pixels.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <host/cuda/load.hpp>
#include <host/util/processor.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nephron::host {

namespace {

#if defined(__x86_64__)
/// Eight pixels at a time, with the bits of the body; gives the first that is left.
__attribute__((target("avx2"))) std::int64_t normalise_avx2(const Normalise& how, const std::uint8_t* in, float* out,
                                                            std::int64_t begin, std::int64_t end) {
  float mean[24], inverse[24];
  for (int i = 0; i < 24; ++i) mean[i] = how.mean[i % 3], inverse[i] = how.inverse[i % 3];
  __m256 means[3], inverses[3];
  for (int k = 0; k < 3; ++k) means[k] = _mm256_loadu_ps(mean + 8 * k), inverses[k] = _mm256_loadu_ps(inverse + 8 * k);
  std::int64_t i = begin;
  for (; i + 8 <= end; i += 8)
    for (int k = 0; k < 3; ++k) {
      const auto* bytes = reinterpret_cast<const __m128i*>(in + 3 * i + 8 * k);
      const __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes)));
      _mm256_storeu_ps(out + 3 * i + 8 * k, _mm256_mul_ps(_mm256_sub_ps(values, means[k]), inverses[k]));
    }
  return i;
}
#endif

/// What of pixels [begin, end) is done before the loop over the body.
std::int64_t run_wide(const Targets&, const std::uint8_t*, float*, std::int64_t begin, std::int64_t) { return begin; }
std::int64_t run_wide(const Normalise& how, const std::uint8_t* in, float* out, std::int64_t begin, std::int64_t end) {
#if defined(__x86_64__)
  if (has_avx2()) return normalise_avx2(how, in, out, begin, end);
#endif
  return begin;
}

/// The loop that stands for the kernel.
template <class Body>
void each(const Body& body, const at::Tensor& in, const at::Tensor& out, std::int64_t n) {
  const std::uint8_t* const from = in.const_data_ptr<std::uint8_t>();
  float* const to = out.mutable_data_ptr<float>();
  at::parallel_for(0, n, /*grain_size=*/1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = run_wide(body, from, to, begin, end); i < end; ++i) body(from, to, i);
  });
}

at::Tensor floats_like(const at::Tensor& bytes) {
  return at::empty(bytes.sizes(), at::TensorOptions().dtype(c10::kFloat).device(bytes.device()));
}

}  // namespace

at::Tensor normalised(const at::Tensor& bytes, const Normalise& how) {
  const at::Tensor pixels = floats_like(bytes);
  if (bytes.is_cuda()) loaded_kernels().normalise(bytes, how, pixels);
  else each(how, bytes, pixels, bytes.numel() / 3);
  return pixels.permute({0, 3, 1, 2});  // channels_last as it lies
}

at::Tensor unit_floats(const at::Tensor& bytes) {
  const at::Tensor out = floats_like(bytes);
  if (bytes.is_cuda()) loaded_kernels().targets(bytes, out);
  else each(Targets{}, bytes, out, bytes.numel());
  return out;
}

}  // namespace nephron::host
