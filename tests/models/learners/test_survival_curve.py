"""Survival curves by hand, recovery of known hazards, and Kaplan-Meier by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from models.learners.survival_curve import (
    MIN_LEAVERS,
    MONTH,
    MONTHS,
    SurvivalCurve,
    TenureDurations,
    _person_months,
    kaplan_meier,
)

NAN = float("nan")
#: (month of leaving, months observed) of eight customers.
EIGHT = [
    (0, 5),  # had left at the cutoff
    (1, 5),
    (NAN, 0),  # censored at the cutoff
    (NAN, 2),
    (2, 5),
    (3, 2),  # left in an incomplete month: observed for two
    (NAN, 12),
    (14, 20),  # stays all twelve months
]
ONES = np.ones(len(EIGHT))


def stays(rows: list[tuple[float, float]]) -> TenureDurations:
    left, observed = np.array(rows, float).T
    return TenureDurations(left, observed)


def test_kaplan_meier_by_hand() -> None:
    curve = kaplan_meier(stays(EIGHT), ONES)
    # 8 at the cutoff, 1 had left; 6 observed in month 1, 1 leaves; 5 in month 2, 1 leaves; then none
    expected = [7 / 8, 7 / 8 * 5 / 6, *[7 / 8 * 5 / 6 * 4 / 5] * 11]
    np.testing.assert_allclose(curve, expected)


def test_weights_count_as_customers_and_unobserved_months_are_nan() -> None:
    weight = np.array([2, 1, 1, 1, 3, 1, 1, 1.0])
    repeated = stays([row for row, w in zip(EIGHT, weight, strict=True) for _ in range(int(w))])
    np.testing.assert_allclose(
        kaplan_meier(stays(EIGHT), weight), kaplan_meier(repeated, np.ones(11))
    )
    short = kaplan_meier(stays([(NAN, 2), (1, 2)]), np.ones(2))
    np.testing.assert_allclose(short[:3], [1, 0.5, 0.5])
    assert np.isnan(short[3:]).all()
    assert short.shape == (MONTHS + 1,)


def test_only_completely_observed_months_count() -> None:
    rows, month, left = _person_months(stays([(2, 4), (3, 2), (NAN, 1), (0, 3), (15, 20)]))
    found = [(r, m) for r, m in zip(rows.tolist(), month.tolist(), strict=True) if r < 4]
    assert found == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0)]
    assert (rows == 4).sum() == MONTHS + 1
    events = zip(rows[left].tolist(), month[left].tolist(), strict=True)
    assert list(events) == [(0, 2), (3, 0)]


def constant(hazard: float, anchor: float, slope: float = 0.0) -> SurvivalCurve:
    return SurvivalCurve([float(logit(hazard))] * MONTHS, slope, anchor, MONTHS)


CHURN = np.array([0.05, 0.3, 0.9])


@pytest.mark.parametrize("anchor", [1.0, 3.0, 90 / MONTH, 12.0])
def test_a_constant_hazard_gives_powers_of_the_survival_probability(anchor: float) -> None:
    curve = constant(0.2, anchor).curve(CHURN)
    for churn, row in zip(CHURN, curve, strict=True):
        np.testing.assert_allclose(row, (1 - churn) ** (np.arange(13) / anchor), rtol=1e-9)


def survival_at(curve: np.ndarray, month: float) -> np.ndarray:
    """The survival at a fractional month; beyond the twelfth it falls as in the twelfth."""
    logs = np.log(np.maximum(curve, 1e-300))
    after = (logs[:, 12] - logs[:, 11]) * max(month - 12, 0.0)
    inside = [np.interp(min(month, 12.0), np.arange(13), row) for row in logs]
    return np.asarray(np.exp(inside + after))


def test_a_horizon_beyond_a_year_ends_after_the_curve() -> None:
    """Half of .616 in the log after half of 24 months: .785, not .616."""
    curve = constant(0.2, anchor=24.0).curve(np.array([1 - 0.616]))
    assert curve[0, 12] == pytest.approx(0.785, abs=5e-4)


def test_after_a_gap_the_churn_probability_is_that_of_those_who_stayed() -> None:
    """A window from month 1 to month 4: a third of its log falls each month, also in the gap."""
    survival = SurvivalCurve([float(logit(0.2))] * MONTHS, 0.0, 4.0, MONTHS, start=1.0)
    curve = survival.curve(np.array([1 - 0.729]))
    np.testing.assert_allclose(curve[0, :5], 0.9 ** np.arange(5))
    silent = SurvivalCurve([float(logit(0.2))] * MONTHS, 0.0, 0.0, MONTHS, start=1.0)
    rows = silent.curve(np.array([0.6, 0.1]))
    # silent from month 1 on: 0.4 stay at its start; where 0.9 stay, they leave more slowly
    np.testing.assert_allclose(rows[:, 1], [0.4, 0.9])
    np.testing.assert_allclose(rows[:, 0], [0.5, 1.0])


def test_curves_of_older_models_have_no_gap() -> None:
    old = {"level": [0.0] * MONTHS, "slope": 0.5, "anchor": 3.0, "learnt": 6}
    assert SurvivalCurve.from_dict(old).start == 0.0


def test_without_contracts_churned_customers_left_at_the_cutoff() -> None:
    curve = constant(0.2, anchor=0.0).curve(CHURN)
    for churn, row in zip(CHURN, curve, strict=True):
        np.testing.assert_allclose(row, (1 - churn) * 0.8 ** np.arange(13))


@settings(max_examples=200)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=8),
    st.lists(st.floats(-15, 5), min_size=MONTHS, max_size=MONTHS),
    st.floats(0, 3),
    st.sampled_from([0.0, 0.25, 1.0, 30 / MONTH, 90 / MONTH, 6.5, 365 / MONTH, 20.0]),
    st.sampled_from([0.0, 7 / MONTH, 2.0, 90 / MONTH, 14.0]),
)
def test_curves_are_non_increasing_and_meet_the_churn_probability(
    churn: list[float], level: list[float], slope: float, anchor: float, start: float
) -> None:
    end = start + anchor if anchor else 0.0
    survival, p = SurvivalCurve(level, slope, end, 6, start), np.array(churn)
    curve = survival.curve(p)
    assert curve.shape == (len(p), MONTHS + 1)
    assert (np.diff(curve, axis=1) <= 0).all()
    assert ((curve >= 0) & (curve <= 1)).all()
    at_start, at_anchor = (survival_at(curve, month) for month in (start, start + anchor))
    if anchor:
        at_anchor = at_anchor / at_start  # of those who stayed until the window
    exact = at_start > 1e-250  # floats hold it
    np.testing.assert_allclose(at_anchor[exact], (1 - p)[exact], atol=5e-6)
    months = survival.expected_months(curve)
    assert ((months >= 0) & (months <= 12)).all()


def test_expected_months_are_the_area_under_the_curve() -> None:
    survival = constant(0.2, 3.0)
    stays_all, gone, half = np.ones(13), np.r_[1.0, np.zeros(12)], np.full(13, 0.5)
    line = np.linspace(1, 0, 13)
    found = survival.expected_months(np.stack([stays_all, gone, half, line]))
    assert found.tolist() == pytest.approx([12, 0.5, 6, 6])


def simulated(rows: int, seed: int = 1) -> tuple[np.ndarray, TenureDurations]:
    """Churn probabilities with log odds s, and tenures with monthly log odds `a_m + 0.6 s`."""
    rng = np.random.default_rng(seed)
    score = rng.normal(-1.5, 1, rows)
    hazard = expit(LEVEL + 0.6 * score[:, None])
    leaves = np.column_stack([rng.random(rows) < expit(score), rng.random(hazard.shape) < hazard])
    left = np.where(leaves.any(axis=1), leaves.argmax(axis=1), NAN)
    return expit(score), TenureDurations(left, rng.integers(0, 19, rows).astype(float))


LEVEL = np.array([-1, -2, -2, -2, -2.5, -2.5, -2.5, -1, -2, -2, -2, -2.0])


def test_known_hazards_are_recovered_from_censored_data() -> None:
    churn, seen = simulated(60_000)
    survival = SurvivalCurve.fit(churn, seen, np.ones(len(churn)), None)
    assert survival.slope == pytest.approx(0.6, abs=0.03)
    np.testing.assert_allclose(survival.level, LEVEL, atol=0.12)
    assert (survival.anchor, survival.learnt) == (0.0, MONTHS)
    observed = kaplan_meier(seen, np.ones(len(churn)))
    np.testing.assert_allclose(survival.curve(churn).mean(axis=0), observed, atol=0.01)


def test_with_contracts_the_anchor_is_the_horizon_in_months() -> None:
    churn, seen = simulated(3000)
    survival = SurvivalCurve.fit(churn, seen, np.ones(len(churn)), 90.0)
    assert survival.anchor == pytest.approx(90 / 30.4375)
    assert SurvivalCurve.from_dict(json.loads(json.dumps(survival.to_dict()))) == survival


def test_months_with_few_leavers_repeat_the_last_fitted_level() -> None:
    churn, seen = simulated(5000)
    short = TenureDurations(seen.left, np.minimum(seen.observed, 4))
    survival = SurvivalCurve.fit(churn, short, np.ones(len(churn)), None)
    assert survival.learnt == 4
    assert len(survival.level) == MONTHS
    assert survival.level[4:] == [survival.level[3]] * 8
    assert len(set(survival.level[:4])) == 4


def test_twenty_leavers_are_enough_to_fit_a_month() -> None:
    rows = [(1.0, 3.0)] * MIN_LEAVERS + [(2.0, 3.0)] * (MIN_LEAVERS - 1) + [(NAN, 3.0)] * 200
    churn = np.full(len(rows), 0.2)
    assert SurvivalCurve.fit(churn, stays(rows), np.ones(len(rows)), None).learnt == 1
    more = [*rows, (2.0, 3.0)]
    assert (
        SurvivalCurve.fit(np.full(len(more), 0.2), stays(more), np.ones(len(more)), None).learnt
        == 2
    )


@pytest.mark.parametrize("rows", [[(NAN, 6.0)] * 100, [(NAN, 0.0)] * 100, [(0.0, 3.0)] * 100])
def test_without_later_leavers_the_curve_is_still_valid(
    rows: list[tuple[float, float]],
) -> None:
    for horizon in (None, 90.0):
        survival = SurvivalCurve.fit(np.full(100, 0.1), stays(rows), np.ones(100), horizon)
        curve = survival.curve(np.array([0.1, 0.5]))
        assert survival.learnt == 0
        assert np.isfinite(curve).all()
        assert (np.diff(curve, axis=1) <= 0).all()


def test_months_within_the_gap_take_the_first_level_after_it() -> None:
    """Nobody left in the gap: those who did have no row."""
    churn, seen = simulated(20_000)
    later = ~(seen.left <= 2)
    kept = TenureDurations(seen.left[later], seen.observed[later])
    survival = SurvivalCurve.fit(churn[later], kept, np.ones(later.sum()), 3 * MONTH, 2 * MONTH)
    assert (survival.start, survival.anchor) == (pytest.approx(2), pytest.approx(5))
    assert survival.level[:2] == [survival.level[2]] * 2
    np.testing.assert_allclose(survival.level[2:], LEVEL[2:], atol=0.3)
