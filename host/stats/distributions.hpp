#pragma once

namespace nephron::host {

// Of Boost.Math; here, so that its headers are compiled once.

double normal_cdf(double z);
/// Infinite at 0 and 1.
double normal_quantile(double share);
/// Two-sided p of Student's t.
double t_two_sided(double t, double freedom);
double t_quantile(double share, double freedom);

}  // namespace nephron::host
