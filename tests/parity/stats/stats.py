"""Paired differences, and what scipy and statsmodels say of them: stats.py CASES.json OUT.json.

Without a file CASES.json the cases are made here, and OUT.json holds them with every figure; with one, OUT.json holds
the p of each case moved by each of the shifts that the file names.
"""
import json
import os
import sys
import warnings

import numpy as np
from scipy import stats

warnings.filterwarnings("ignore")


def mean(x, axis):
    return np.mean(x, axis=axis)


def sign_flip(d):
    return stats.permutation_test((np.asarray(d),), mean, permutation_type="samples", n_resamples=np.inf, vectorized=True).pvalue


def cases():
    rng = np.random.default_rng(3)
    out = {}
    for n in (2, 5, 6, 8, 12, 14):
        d = rng.normal(.02, .05, n)
        out[f"normal{n}"] = d
        out[f"ties{n}"] = np.round(d * 64) / 64  # exact in binary: equal means are equal numbers
        out[f"decimal{n}"] = np.round(d, 2)
    out["zeros"] = np.array([0, 0, .25, -.5, .125, 0, .75, .75])
    out["all zero"] = np.zeros(7)
    out["alike"] = np.full(9, .03125)
    out["skewed"] = rng.lognormal(0, 1, 11) - 1
    return {name: d.tolist() for name, d in out.items()}


def figures(d):
    d = np.asarray(d)
    out = {"differences": d.tolist(), "sign_flip": sign_flip(d)}
    if len(d) > 1 and np.ptp(d) > 0:
        out["t"] = stats.ttest_rel(d, np.zeros(len(d))).pvalue
    if np.any(d != 0):
        sizes = np.abs(d[d != 0])
        tied = len(np.unique(sizes)) < len(sizes)
        # Where sizes are tied, "exact" is none: the distribution of the very ranks is asked for.
        method = stats.PermutationMethod(n_resamples=np.inf) if tied else "exact"
        out["wilcoxon"] = stats.wilcoxon(d[d != 0], method=method).pvalue
    return out


def bootstraps():
    rng = np.random.default_rng(5)
    out = []
    for d in (rng.normal(.02, .05, 8), rng.lognormal(0, 1, 12), rng.normal(0, 1, 40)):
        one = {"differences": d.tolist()}
        for method in ("percentile", "BCa"):
            ci = stats.bootstrap((d,), np.mean, n_resamples=200000, method=method, rng=np.random.default_rng(1), batch=20000)
            one[method] = [ci.confidence_interval.low, ci.confidence_interval.high]
        out.append(one)
    return out


def pooled(both_a, all_a, both_b, all_b, axis=-1):
    return 2 * (np.sum(both_b, axis) / np.sum(all_b, axis) - np.sum(both_a, axis) / np.sum(all_a, axis))


def pooled_bootstraps():
    """Differences of a Dice of all pixels, donors drawn anew: their sizes are very different."""
    rng = np.random.default_rng(11)
    out = []
    for n in (6, 12, 40):
        sizes = rng.lognormal(10, .8, n).round()
        sums = [2 * sizes, (2.1 * sizes).round()]
        both = [(s / 2 * rng.uniform(low, .95, n)).round() for s, low in zip(sums, (.6, .65))]
        data = (both[0], sums[0], both[1], sums[1])
        one = {"data": [d.tolist() for d in data]}
        for method in ("percentile", "BCa"):
            ci = stats.bootstrap(data, pooled, paired=True, vectorized=True, n_resamples=200000, method=method,
                                 rng=np.random.default_rng(1), batch=20000)
            one[method] = [ci.confidence_interval.low, ci.confidence_interval.high]
        out.append(one)
    return out


def components():
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm
    rng = np.random.default_rng(7)
    table = .8 + rng.normal(0, .1, (1, 9)) + rng.normal(0, .02, (4, 1)) + rng.normal(0, .01, (4, 9))
    rows = pd.DataFrame([{"seed": s, "donor": d, "y": table[s, d]} for s in range(4) for d in range(9)])
    crossed = anova_lm(ols("y ~ C(donor) + C(seed)", rows).fit())
    groups = [rng.normal(rng.normal(0, .1), .05, n).tolist() for n in (1, 3, 2, 5, 4)]
    rows = pd.DataFrame([{"donor": i, "y": y} for i, g in enumerate(groups) for y in g])
    nested = anova_lm(ols("y ~ C(donor)", rows).fit())
    return {"table": table.tolist(), "crossed": {n: crossed.mean_sq[k] for n, k in (("donors", "C(donor)"), ("seeds", "C(seed)"),
                                                                                  ("rest", "Residual"))},
            "groups": groups, "nested": {"donors": nested.mean_sq["C(donor)"], "slides": nested.mean_sq["Residual"]}}


def main():
    given, target = sys.argv[1:]
    if os.path.exists(given):
        with open(given, encoding="utf-8") as file:
            asked = json.load(file)
        out = [[sign_flip(np.asarray(a["differences"]) - shift) for shift in a["shifts"]] for a in asked]
    else:
        from statsmodels.stats.multitest import multipletests
        from statsmodels.stats.power import TTestPower
        p = np.random.default_rng(9).uniform(0, .2, 7)
        out = {"cases": {name: figures(d) for name, d in cases().items()},
               "bootstrap": bootstraps(),
               "pooled": pooled_bootstraps(),
               "holm": {"p": p.tolist(), "adjusted": multipletests(p, method="holm")[1].tolist()},
               "components": components(),
               "power": [{"dz": dz, "donors": TTestPower().solve_power(effect_size=dz, power=.8, alpha=.05)} for dz in (.3, .45, .6)]}
    with open(target, "w", encoding="utf-8") as file:
        json.dump(out, file)


main()
