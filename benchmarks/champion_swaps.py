"""How often models that differ only by their seed replace each other as the champion.

Models of the sample company's targets are trained on the same rows with twelve seeds. Each night has
new outcomes, drawn so that no seed is better than another: probabilities are the mean of the twelve
models, amounts that mean times a ratio of outcome to prediction from the test rows. The challenger of a
night has another seed than the champion. `GOODWILL_BENCH_TRAINED` may name a home with training sets.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.trained_sample import trained_sample
from models.learners.lightgbm import Estimator
from models.pipeline.champion_rule import compare_with_champion
from models.targets.registry import TARGETS
from models.targets.spend_level import SpendLevel
from models.training.fit_model import to_labelled
from models.training.hyperparameters import MIN_ROUNDS, default_params, learner_kind
from models.training.train import TrainingRows, load_rows, split_rows

Floats = NDArray[np.float64]
SEEDS, NIGHTS = 12, 400
MOST_ROWS = 20_000


def measure() -> str:
    """The share of nights on which the champion changes, by the former rule and by today's."""
    lines = []
    with tempfile.TemporaryDirectory() as home:
        company, workspace = trained_sample(Path(home))
        for name in ("churn", "value", "satisfaction", "nps"):
            rows = load_rows(company, workspace, name)
            split = split_rows(TARGETS[name], company.target(name), rows)
            learn = _some(rows.take(split.refit))
            test = rows.take(split.test)
            horizon = company.target(name).horizon_days
            models = [_predict(name, horizon, learn, test, seed) for seed in range(SEEDS)]
            before, now = (_swaps(name, test, models, rule) for rule in (_point, _noise))
            lines.append(f"| {name} | {len(test.label):,} | {before:.1%} | {now:.1%} |")
            sys.stderr.write(f"  {lines[-1]}\n")
    return "\n".join(
        [
            "# Champions that differ by their seed",
            "",
            f"{NIGHTS} nights with new outcomes, {SEEDS} models of one recipe; at most 5% of nights "
            "may change the champion. The former rule promoted on the point estimate.",
            "",
            "| target | test rows | former rule | better beyond noise |",
            "|---|--:|--:|--:|",
            *lines,
            "",
        ]
    )


def _some(rows: TrainingRows) -> TrainingRows:
    share = MOST_ROWS / len(rows.label)
    chosen = np.random.default_rng(0).random(int(rows.customer.max()) + 1) < share
    return rows if share >= 1 else rows.take(chosen[rows.customer])


def _predict(name: str, horizon: int, learn: TrainingRows, test: TrainingRows, seed: int) -> Floats:
    target = TARGETS[name]
    kind = learner_kind(target)
    spend = SpendLevel.fit(learn.features, horizon) if kind == "regression" else None
    params = replace(default_params(target), seed=seed, max_rounds=MIN_ROUNDS[kind])
    plain = Estimator.fit(kind, to_labelled(learn, spend), None, params).predict(test.features)
    return plain * spend.of(test.features) if spend else plain


def _swaps(
    name: str,
    test: TrainingRows,
    models: list[Floats],
    better: Callable[[str, Floats, tuple[Floats, Floats], TrainingRows, int], bool],
) -> float:
    rng, mean, champion, swaps = np.random.default_rng(0), np.mean(models, axis=0), 0, 0
    for night in range(NIGHTS):
        y = _outcomes(mean, test.label, rng)
        challenger = int((champion + rng.integers(1, SEEDS)) % SEEDS)
        if better(TARGETS[name].kind, y, (models[challenger], models[champion]), test, night):
            champion, swaps = challenger, swaps + 1
    return swaps / NIGHTS


def _outcomes(mean: Floats, label: Floats, rng: np.random.Generator) -> Floats:
    """Outcomes for which no model is better than another."""
    if mean.ndim == 2:
        above = rng.random((len(mean), 1)) > np.cumsum(mean, axis=1)[:, :-1]
        return np.asarray(above.sum(axis=1), float)
    if set(np.unique(label)) <= {0.0, 1.0}:
        return np.asarray(rng.random(len(mean)) < mean, float)
    ratio = label / np.maximum(mean, 1.0)
    return mean * rng.permutation(ratio)


def _noise(
    kind: str, y: Floats, pair: tuple[Floats, Floats], test: TrainingRows, night: int
) -> bool:
    return bool(compare_with_champion(kind, y, *pair, test.weight, test.customer, seed=night))


def _point(
    kind: str, y: Floats, pair: tuple[Floats, Floats], test: TrainingRows, night: int
) -> bool:
    comparison = compare_with_champion(kind, y, *pair, test.weight, test.customer, seed=night)
    return comparison.gain.value > 0
