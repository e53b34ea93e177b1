"""Why a point ends: hand-counted cases, and intervals from SciPy."""

import math

import numpy as np
import pytest
from scipy import stats

from semwave.sweep.errors import SweepError
from semwave.sweep.stopping import ErrorRule, MeanRule, mean_interval, rule


def test_error_rules() -> None:
    assert ErrorRule(errors=10).reason(9, 1000, 1000) is None
    assert ErrorRule(errors=10).reason(10, 1000, 1000) == "errors"
    assert ErrorRule(errors=10, max_bits=1000).reason(9, 10, 1000) == "limit"
    assert ErrorRule(errors=None, max_bits=1000).reason(999, 1000, 999) is None


def test_an_interval_of_twice_the_half_width() -> None:
    errors, trials = 400, 10_000
    low, high = stats.beta.ppf([0.025, 0.975], [errors, errors + 1], [trials - errors + 1, trials - errors])
    width = (high - low) / (errors / trials)
    assert ErrorRule(errors=None, interval=width * 1.001).reason(errors, trials, trials) == "interval"
    assert ErrorRule(errors=None, interval=width * 0.999).reason(errors, trials, trials) is None
    assert ErrorRule(errors=None, interval=5.0).reason(0, trials, trials) is None


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.random.default_rng(1).normal(3, 2, 12)
    wanted = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert mean_interval(list(values)) == pytest.approx(wanted)
    assert mean_interval([1.0]) == (-math.inf, math.inf)


def test_mean_rules() -> None:
    assert MeanRule().reason([30.0]) == "limit"
    steady = MeanRule(interval=0.5, max_realizations=50)
    assert steady.reason([30.0, 30.0]) is None  # three at least
    assert steady.reason([30.0, 30.0, 30.1]) == "interval"
    assert steady.reason([20.0, 30.0, 40.0]) is None


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (ErrorRule, {"errors": 0}, "stop.errors must be at least 1, not 0"),
        (ErrorRule, {"interval": 0.0}, "stop.interval must be above 0"),
        (ErrorRule, {"max_bits": 0}, "stop.max_bits must be at least 1, not 0"),
        (ErrorRule, {"frames": 3}, "stop takes errors, interval, max_bits, not 'frames'"),
        (MeanRule, {"interval": -1}, "stop.interval must be above 0, not -1"),
        (MeanRule, {"max_realizations": 0}, "must be at least 1"),
    ],
)
def test_rules_that_cannot_be(kind: type, table: dict[str, float], message: str) -> None:
    with pytest.raises(SweepError, match=message):
        rule(kind, table)
