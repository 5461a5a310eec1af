"""Agreement of raters: published examples, another implementation, and leniency."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.value.rater_agreement import fit_consensus, intraclass_correlation, krippendorff_alpha

#: Shrout and Fleiss (1979), table 2: six targets, four judges.
SHROUT = pd.DataFrame(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)
N = np.nan
#: Krippendorff (2011): twelve units, four observers, gaps.
UNITS = pd.DataFrame(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
        [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
    ]
).T


def test_icc_matches_shrout_and_fleiss() -> None:
    assert intraclass_correlation(SHROUT).value == pytest.approx(0.29, abs=0.005)
    assert intraclass_correlation(SHROUT, "mean").value == pytest.approx(0.62, abs=0.005)
    assert (
        intraclass_correlation(SHROUT).low,
        intraclass_correlation(SHROUT).high,
    ) == pytest.approx((0.019, 0.761), abs=0.002)


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_matches_the_example_of_krippendorff(level: Any, published: float) -> None:
    found = krippendorff_alpha(UNITS, level)
    assert found.value == pytest.approx(published, abs=0.001)
    assert found.low < found.value <= found.high
    assert found.customers == 11


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_another_implementation_agrees_on_alpha(level: Any) -> None:
    other: Any = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 6, (40, 1))
    x = np.clip(truth + rng.integers(-1, 2, (40, 3)), 1, 5).astype(float)
    x[rng.random(x.shape) < 0.2] = np.nan
    expected = other.alpha(reliability_data=x.T, level_of_measurement=level)
    assert krippendorff_alpha(pd.DataFrame(x), level).value == pytest.approx(expected)


def test_random_raters_do_not_agree() -> None:
    x = pd.DataFrame(np.random.default_rng(0).integers(1, 6, (300, 3)).astype(float))
    for found in (intraclass_correlation(x), krippendorff_alpha(x)):
        assert found.low <= 0 <= found.high


def test_full_agreement_has_no_interval() -> None:
    x = pd.DataFrame([[1.0, 1.0], [3.0, 3.0], [5.0, 5.0]])
    for found in (intraclass_correlation(x), krippendorff_alpha(x)):
        assert found.value == 1
        assert np.isnan([found.low, found.high]).all()


def test_leniency_is_removed_from_unbalanced_ratings() -> None:
    """Rater x is one point more lenient than y and rated the poor customers."""
    rng = np.random.default_rng(2)
    true = pd.Series(np.linspace(1, 9, 60))
    x, y = true + 0.5, true - 0.5
    x[true > 6], y[true < 4] = np.nan, np.nan
    z = true + rng.normal(0, 0.01, 60)
    level, leniency = fit_consensus(pd.DataFrame({"x": x, "y": y, "z": z}))
    assert leniency.to_dict() == pytest.approx({"x": 0.5, "y": -0.5, "z": 0.0}, abs=0.01)
    assert level.to_numpy() == pytest.approx(true.to_numpy(), abs=0.02)


def test_a_full_design_gives_plain_means() -> None:
    level, leniency = fit_consensus(SHROUT.astype(float))
    assert level.to_numpy() == pytest.approx(SHROUT.mean(axis=1).to_numpy())
    assert leniency.to_numpy() == pytest.approx(
        (SHROUT.mean() - SHROUT.to_numpy().mean()).to_numpy()
    )


def test_undefined_agreement_is_refused() -> None:
    apart = pd.DataFrame({"Ann": [1, 2, N, N], "Bo": [2, 2, N, N], "Cai": [N, N, 4, 5]})
    with pytest.raises(DataRefused, match="Ann and Bo; Cai have rated no customer in common"):
        fit_consensus(apart)
    with pytest.raises(DataRefused, match="0 customers rated by all of 3 raters"):
        intraclass_correlation(apart)
    with pytest.raises(DataRefused, match="all ratings are equal"):
        intraclass_correlation(pd.DataFrame(np.full((5, 2), 3.0)))
    with pytest.raises(DataRefused, match="2 customers have two ratings or more, with 1"):
        krippendorff_alpha(pd.DataFrame({"a": [2.0, 2.0, 1.0], "b": [2.0, 2.0, N]}))
