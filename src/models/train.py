"""Training one target: split in time, fit, calibrate, refit, judge beside its business rule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.company import Company, TargetConfig
from features.errors import DataRefused
from features.rows import DAY
from features.settings import Settings, Workspace
from models.baselines import Rule, last_answer_rule, linear_model, recency_rule, repeat_rule
from models.calibrate import Calibrator
from models.dataset import KEYS
from models.drift import without_drift
from models.estimator import Estimator, Labelled, Params
from models.evaluate import Evaluation, evaluate
from models.spend import SpendLevel
from models.splits import Split, split_of
from models.targets import Target

Floats = NDArray[np.float64]

#: A validation in another season than the test stops too early: at least so many rounds.
LEAST_ROUNDS = {"binary": 60, "multiclass": 60, "ordinal": 60, "regression": 100}


@dataclass(frozen=True)
class Rows:
    """A training set: features, labels, weights, customers and cutoffs, row by row."""

    features: pa.Table
    label: Floats
    weight: Floats
    customer: NDArray[np.int64]
    cutoff: NDArray[np.int64]

    def take(self, mask: NDArray[np.bool_]) -> "Rows":
        """The rows of a mask."""
        return Rows(
            self.features.filter(pa.array(mask)),
            self.label[mask],
            self.weight[mask],
            self.customer[mask],
            self.cutoff[mask],
        )


@dataclass(frozen=True)
class Trained:
    """A trained target with the rows it was judged on and everything worth telling about it."""

    target: Target
    config: TargetConfig
    estimator: Estimator
    calibrator: Calibrator
    spend: SpendLevel | None
    split: Split
    evaluation: Evaluation
    predictions: dict[str, Floats]
    test: Rows
    params: Params
    dropped: tuple[str, ...]
    label_counts: dict[str, int]

    @property
    def also_reads(self) -> tuple[str, ...]:
        """Columns read beside the trees' own: of the population and of the spend level."""
        population = self.target.population(self.config)
        extra = [population.column] if population else []
        if self.spend:
            extra += [f"revenue_{self.spend.horizon_days}d", "revenue_365d", "revenue_all"]
            extra.append("tenure_days")
        return tuple(dict.fromkeys(extra))


def load_rows(company: Company, workspace: Workspace, target: str) -> Rows:
    """The training set of a target, as `goodwill features` wrote it."""
    path = workspace.features(company.name) / f"{target}.parquet"
    if not path.exists():
        raise DataRefused(f"no training set {path}; make it with `goodwill features`")
    return rows_of(pq.read_table(path))


def rows_of(table: pa.Table) -> Rows:
    """A training set in memory, from its table of keys, label, weight and features."""
    return Rows(
        table.drop([*KEYS]),
        table["label"].to_numpy(),
        table["weight"].to_numpy(),
        pc.dictionary_encode(table["customer_id"].combine_chunks()).indices.to_numpy(),
        table["cutoff"].combine_chunks().view(pa.int64()).to_numpy(),
    )


def train(target: Target, company: Company, rows: Rows) -> Trained:
    """Train a target on all but the latest labels and judge it on those.

    `fit` and `valid` find the number of rounds and the shape of the calibration, `refit` grows the
    trees that ship, and with them the level: it has seen every season that `fit` and `valid` have.
    Raises DataRefused when a part holds too little to learn from or to judge on.
    """
    config = company.target(target.name)
    split = split_rows(target, config, rows)
    check_split(target, rows, split)
    rows = replace(rows, features=_without_new_seasons(rows, split))
    parts = {n: rows.take(getattr(split, n)) for n in ("fit", "valid", "refit", "test")}
    spend = None
    if target.kind == "regression":
        spend = SpendLevel.fit(parts["refit"].features, config.horizon_days)
    params = _params(target)
    data = {n: _labelled(part, spend) for n, part in parts.items()}
    first = Estimator.fit(_kind(target), data["fit"], data["valid"], params)
    calibrator = Calibrator(_kind(target))
    if target.kind != "regression":
        valid = parts["valid"]
        drifted = first.predict(valid.features)
        level = without_drift(drifted, valid.label, valid.weight)
        calibrator = Calibrator.fit(_kind(target), level, valid.label, valid.weight)
    final = first.refit(data["refit"], params, max(first.rounds, LEAST_ROUNDS[target.kind]))
    predictions = _contest(target, config, (final, calibrator, spend), parts)
    test = parts["test"]
    judged = evaluate(target.kind, test.label, predictions, test.weight, test.customer)
    dropped = tuple(c for c in rows.features.column_names if c not in final.encoder.columns)
    return Trained(target, config, final, calibrator, spend, split, judged, predictions, test,
                   params, dropped, count_labels(target, rows.label))  # fmt: skip


def split_rows(target: Target, config: TargetConfig, rows: Rows) -> Split:
    """The later-in-time split of a target's rows."""
    return split_of(target, config, rows.cutoff)


def check_split(target: Target, rows: Rows, split: Split) -> None:
    """Refuse, in plain words, what cannot be learnt from or judged on."""
    for name in ("fit", "valid", "refit", "test"):
        label = rows.label[getattr(split, name)]
        counts = count_labels(target, label)
        shown = ", ".join(f"{c} {n:,}" for c, n in counts.items())
        lacking = [c for c, n in counts.items() if not n and c != "zero"]
        if name == "valid":  # the rounds can be found without every class
            lacking = lacking if len(lacking) == len(counts) else []
        if (
            len(counts) > 2
        ):  # of several classes one may be too rare to show: it gets almost no chance
            lacking = lacking if len(counts) - len(lacking) < 2 else []
        if lacking:
            raise DataRefused(
                f"target {target.name}: no label {' or '.join(map(repr, lacking))} among the "
                f"{len(label):,} rows of the {name} part ({shown or 'empty'}); at least one of each is "
                f"needed: bring a longer history, or change targets.{target.name}"
            )


def count_labels(target: Target, label: Floats) -> dict[str, int]:
    """How the labels fall: rows of each class, for values zero and not zero."""
    if target.classes:
        return {c: int((label == i).sum()) for i, c in enumerate(target.classes)}
    return {"zero": int((label == 0).sum()), "not zero": int((label != 0).sum())}


def _without_new_seasons(rows: Rows, split: Split) -> pa.Table:
    """Leave out the month of the year unless training has seen the months of the test."""
    month = rows.features["season"].to_numpy()
    if np.isin(month[split.test], month[split.refit]).all() and _spans_seasons(rows, split):
        return rows.features
    return rows.features.drop(["season"])


def _spans_seasons(rows: Rows, split: Split) -> bool:
    """Whether training looks back far enough (nine months) for seasons to show."""
    seen = rows.cutoff[split.refit]
    return bool((rows.cutoff[split.test].min() - seen.min()) / DAY > 270)


def _kind(target: Target) -> str:
    return "multiclass" if target.kind == "ordinal" else target.kind


def _params(target: Target) -> Params:
    params = Params(threads=Settings().threads, n_classes=max(1, len(target.classes)))
    if target.kind != "regression":
        return params
    # Spending differs more finely than leaving: larger trees, on most of the columns.
    return replace(
        params, objective="l1", n_classes=1, leaves=31, min_data_in_leaf=40, feature_fraction=0.7
    )


def _labelled(rows: Rows, spend: SpendLevel | None) -> Labelled:
    """Labels as the trees see them: values as multiples of the level, weighted by it."""
    if spend is None:
        return Labelled(rows.features, rows.label, rows.weight)
    level = spend.of(rows.features)
    return Labelled(rows.features, rows.label / level, rows.weight * level / level.mean())


def rule_of(target: Target, config: TargetConfig, columns: Sequence[str]) -> Rule:
    """The rule of thumb a target must beat; DataRefused when its feature is not among `columns`."""
    column = target.rule(config)
    if column not in columns:
        raise DataRefused(f"target {target.name}: its rule needs the feature {column}")
    if target.kind == "binary":
        return recency_rule(column)
    if target.kind == "regression":
        return repeat_rule(column)
    return last_answer_rule(column, "multiclass", len(target.classes))


def _contest(
    target: Target,
    config: TargetConfig,
    model: tuple[Estimator, Calibrator, SpendLevel | None],
    parts: dict[str, Rows],
) -> dict[str, Floats]:
    """Predictions for the test rows by the model, its rule and a linear model."""
    estimator, calibrator, spend = model
    refit, test = parts["refit"], parts["test"].features
    plain = estimator.predict(test)
    known = Labelled(refit.features, refit.label, refit.weight)
    rule = rule_of(target, config, refit.features.column_names).fit(known)
    linear = linear_model(_kind(target), len(target.classes) or 1).fit(known)
    return {
        "model": calibrator.apply(plain * spend.of(test) if spend else plain),
        "rule": rule.predict(test),
        "linear": linear.predict(test),
    }


def flat_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Every measure as `<contestant>_<measure>`, the model's own without prefix; no NaN."""
    flat: dict[str, Any] = {}
    for who, measures in evaluation.metrics.items():
        for name, interval in measures.items():
            prefix = "" if who == "model" else f"{who}_"
            flat[f"{prefix}{name}"] = interval.value
            if who == "model":
                flat[f"{name}_low"], flat[f"{name}_high"] = interval.low, interval.high
    return {k: float(v) for k, v in flat.items() if np.isfinite(v)}
