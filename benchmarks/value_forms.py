"""Which form of a value model is best: compared on rolling validations, then looked at on the test.

The forms: multiples of the customer's level with absolute error (what we ship); the same trees on
plain money with the absolute error (the median), Tweedie, and squared error; two parts (chance of
spending times the amount if any); zero-inflated lognormal (its median); and our form blended with
BG/NBD + Gamma-Gamma.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.league_customers import expected
from benchmarks.league_home import home_of_its_own, with_training_sets
from features.errors import DataRefused
from features.settings import Workspace
from models.evaluation.metrics import mae
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.targets.spend_level import SpendLevel
from models.training.distribution_shift import shifted_columns
from models.training.fit_model import to_labelled
from models.training.hyperparameters import default_params
from models.training.train import TrainingRows, load_rows, split_rows
from models.training.tuning import rolling_validations
from models.training_set.splits import Split, instant

VALUE = TARGETS["value"]
ROUNDS = 100
BLENDS = (0.1, 0.2, 0.3, 0.5)
Form = Callable[[TrainingRows, TrainingRows, int, tuple[str, ...]], np.ndarray]


def measure() -> str:
    """MAE of every form relative to the business rule, over validations and on the test."""
    lines = ["# Forms of the value model", "", "MAE relative to the rule (the last period again); "
             "`validations`, the mean over rolling cutoffs before the test, decides; `test` is for "
             "information. Smaller is better.", ""]  # fmt: skip
    with home_of_its_own() as workspace:
        for name in ("sample", "online_retail", "complete_journey"):
            try:
                lines += _compared(workspace, name)
            except DataRefused as err:
                lines += [f"- {name}: not measured: {err}", ""]
    return "\n".join(lines) + "\n"


def _compared(workspace: Workspace, name: str) -> list[str]:
    company = with_training_sets(workspace, name)
    config = company.target("value")
    rows = load_rows(company, workspace, "value")
    split = split_rows(VALUE, config, rows)
    ids = pq.read_table(workspace.features(name) / "value.parquet", columns=["customer_id"])
    customers = np.array(ids["customer_id"].to_pylist(), object)
    pairs = [
        *rolling_validations(rows.cutoff, split, VALUE.span_days(config)),
        (split.refit, split.test),
    ]
    ratios: dict[str, list[float]] = {}
    for fit, later in pairs:
        part = Split(
            fit, later, later, fit, split.valid_start, instant(int(rows.cutoff[later].min()))
        )
        without = shifted_columns("regression", rows.features, rows.cutoff, part)
        known, asked = rows.take(fit), rows.take(later)
        said = {
            form: make(known, asked, config.horizon_days, without) for form, make in FORMS.items()
        }
        start = instant(int(rows.cutoff[later].min()))
        _, classic = expected(
            workspace.history(name), list(customers[later]), start, config.horizon_days
        )
        said["BG/NBD + Gamma-Gamma"] = classic
        for share in BLENDS:
            blend = (1 - share) * said["multiples (ours)"] + share * classic
            said[f"ours and {share:.0%} BG/NBD"] = blend
        rule = np.nan_to_num(asked.features[f"revenue_{config.horizon_days}d"].to_numpy())
        for form, answer in said.items():
            ratios.setdefault(form, []).append(mae(asked.label, answer) / mae(asked.label, rule))
    before = {
        form: float(np.mean(r[:-1])) if len(r) > 1 else float("nan") for form, r in ratios.items()
    }
    order = sorted(ratios, key=lambda form: before[form])
    title = f"## {name} ({len(pairs) - 1} validations)"
    return [title, "", "| form | validations | test |", "|---|--:|--:|",
            *(f"| {f} | {before[f]:.3f} | {ratios[f][-1]:.3f} |" for f in order), ""]  # fmt: skip


def _grown(
    kind: str, data: LabelledRows, without: tuple[str, ...], objective: str | None
) -> Estimator:
    params = replace(default_params(VALUE), objective=objective, max_rounds=ROUNDS)
    return Estimator.fit(kind, data, None, params, without)


def _multiples(
    known: TrainingRows, asked: TrainingRows, horizon: int, without: tuple[str, ...]
) -> np.ndarray:
    spend = SpendLevel.fit(known.features, horizon)
    grown = _grown("regression", to_labelled(known, spend), without, "l1")
    return np.asarray(grown.predict(asked.features) * spend.of(asked.features))


def _money(objective: str) -> Form:
    def predict(
        known: TrainingRows, asked: TrainingRows, _horizon: int, without: tuple[str, ...]
    ) -> np.ndarray:
        y = np.maximum(known.label, 0.0) if objective == "tweedie" else known.label
        return _grown("regression", LabelledRows(known.features, y), without, objective).predict(
            asked.features
        )

    return predict


def _parts(known: TrainingRows, without: tuple[str, ...]) -> tuple[Estimator, Estimator, float]:
    """The chance of spending anything, the logarithm of what is spent then, and its spread."""
    spends = known.label > 0
    binary = replace(Params(), max_rounds=ROUNDS)
    chance = Estimator.fit(
        "binary", LabelledRows(known.features, spends.astype(float)), None, binary, without
    )
    logs = np.log(known.label[spends])
    features = known.features.filter(pa.array(spends))
    amount = _grown("regression", LabelledRows(features, logs), without, None)
    return chance, amount, float(np.std(logs - amount.predict(features)))


def _two_part(
    known: TrainingRows, asked: TrainingRows, _horizon: int, without: tuple[str, ...]
) -> np.ndarray:
    chance, amount, spread = _parts(known, without)
    mean = np.exp(amount.predict(asked.features) + spread**2 / 2)
    return np.asarray(chance.predict(asked.features) * mean)


def _lognormal(
    known: TrainingRows, asked: TrainingRows, _horizon: int, without: tuple[str, ...]
) -> np.ndarray:
    """The median of a mixture of nothing and a lognormal: 0 where nothing is likelier than not."""
    from scipy.stats import norm

    chance, amount, spread = _parts(known, without)
    p = chance.predict(asked.features)
    place = np.clip(1 - 0.5 / np.maximum(p, 1e-6), 1e-6, 1 - 1e-6)
    median = np.exp(amount.predict(asked.features) + spread * norm.ppf(place))
    return np.where(p > 0.5, median, 0.0)


FORMS: dict[str, Form] = {
    "multiples (ours)": _multiples,
    "money, absolute error (median)": _money("l1"),
    "money, Tweedie": _money("tweedie"),
    "money, squared error": _money("regression"),
    "two parts": _two_part,
    "zero-inflated lognormal": _lognormal,
}
