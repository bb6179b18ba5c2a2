#include <host/stats/distributions.hpp>

#include <cmath>
#include <limits>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace nephron::host {

double normal_cdf(double z) {
  if (std::isinf(z)) return z > 0 ? 1 : 0;
  return boost::math::cdf(boost::math::normal(), z);
}

double normal_quantile(double share) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (share <= 0) return -infinity;
  if (share >= 1) return infinity;
  return boost::math::quantile(boost::math::normal(), share);
}

double t_two_sided(double t, double freedom) {
  if (std::isnan(t)) return t;
  if (std::isinf(t)) return 0;
  const boost::math::students_t of(freedom);
  return 2 * boost::math::cdf(boost::math::complement(of, std::abs(t)));
}

double t_quantile(double share, double freedom) {
  return boost::math::quantile(boost::math::students_t(freedom), share);
}

}  // namespace nephron::host
