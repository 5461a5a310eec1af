"""Verdicts on actions: how often one without an effect gets a verdict on some night, and the power.

Customers are treated or held out at random over sixty days; the outcome of each is complete sixty days
later. Judged every night, with the customers whose outcome is complete, or once on the analysis date.
"""

from datetime import UTC, datetime

import numpy as np

from insight.closed_loop.holdout_effect import estimate_holdout_effect
from models.evaluation.calibration_error import wilson_interval

ACTIONS, CUSTOMERS, NIGHTS, FEWEST, SEED = 400, 600, 60, 100, 11
EFFECTS = (0.0, 0.1, 0.2, 0.3)


def judge_action(seed: int, effect: float, nightly: bool = True) -> tuple[bool, bool]:
    """Whether an action gets a verdict on some night of sixty, and on its analysis date.

    `effect` is in standard deviations of the outcome; the outcome before the action explains half of
    the variance.
    """
    rng = np.random.default_rng([SEED, seed])
    before = rng.normal(size=(CUSTOMERS, 1))
    treated = rng.random(CUSTOMERS) < 0.5
    outcome = (before[:, 0] + rng.normal(size=CUSTOMERS)) / np.sqrt(2) + effect * treated
    complete = np.sort(rng.integers(0, NIGHTS, CUSTOMERS)) + 1
    once = _verdict(outcome, treated, before)
    some = once
    for night in range(1, NIGHTS) if nightly else ():
        known = complete <= night
        if not some and known.sum() >= FEWEST:
            some = _verdict(outcome[known], treated[known], before[known])
    return some, once


def _verdict(outcome: np.ndarray, treated: np.ndarray, before: np.ndarray) -> bool:
    found = estimate_holdout_effect(outcome, treated, before).effect
    return found is not None and (found.low > 0 or found.high < 0)


def measure() -> str:
    """The table of verdicts by true effect."""
    lines = []
    for effect in EFFECTS:
        verdicts = np.array([judge_action(seed, effect) for seed in range(ACTIONS)])
        cells = []
        share = verdicts.mean(axis=0)
        for value, low, high in zip(
            share, *wilson_interval(share, np.full(2, ACTIONS)), strict=True
        ):
            cells.append(f"{value:.1%} ({low:.1%} to {high:.1%})")
        lines.append(f"| {effect:g} | {' | '.join(cells)} |")
    return "\n".join([
        "# Effects of actions", "",
        f"Measured on {datetime.now(UTC).date().isoformat()}: {ACTIONS} actions for each effect, "
        f"{CUSTOMERS} customers each, half of them held out at random, treated over "
        f"{NIGHTS} days; seed {SEED}. Share of the actions with a verdict (95% interval).", "",
        "| effect, in standard deviations | before: some night of 60 | now: on the analysis date |",
        "|--:|--:|--:|", *lines, "",
        "Without an effect at most 5% may get a verdict.", "",
    ])  # fmt: skip
