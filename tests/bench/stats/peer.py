"""The tests of `nephron bench-stats` by scipy, on the same differences; the last line is JSON."""
import argparse
import json
import time

import numpy as np
from scipy import stats

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--donors", type=int, default=20)
p.add_argument("--draws", type=int, default=9999)
p.add_argument("--repeats", type=int, default=3)
a = p.parse_args()
d = .02 + .05 * np.sin(1.7 * np.arange(a.donors))


def mean(x, axis):
    return np.mean(x, axis=axis)


def fastest(work):
    best = float("inf")
    for _ in range(a.repeats):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


exact, tested = fastest(lambda: stats.permutation_test((d,), mean, permutation_type="samples", n_resamples=np.inf, vectorized=True))
bca, found = fastest(lambda: stats.bootstrap((d,), mean, n_resamples=a.draws, method="BCa", vectorized=True))
print(json.dumps({"exact_s": exact, "bca_s": bca, "p": tested.pvalue, "bca_low": found.confidence_interval.low,
                  "bca_high": found.confidence_interval.high}))
