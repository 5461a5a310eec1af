"""Which form of a value model is best: compared over rolling origins, on real and made-up companies.

A form learns from the labels that were known at an origin and predicts all customers of it. Medians,
means of several kinds, and mixtures of both are measured by their sums, their errors and their ranks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from benchmarks.league_home import home_of_its_own, with_training_sets
from benchmarks.small_buyers import COMPANIES, write_small_buyers
from features.errors import DataRefused
from features.settings import Workspace
from models.evaluation.metrics import capture, mae, rmse, spearman
from models.evaluation.sum_errors import Origin, SumErrors
from models.learners.cross_fitting import predict_out_of_fold
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.targets.spend_level import SpendLevel
from models.training.distribution_shift import shifted_columns
from models.training.fit_model import to_labelled
from models.training.hyperparameters import default_params
<<<<<<< HEAD
from models.training.train import TrainingRows, load_rows, split_rows
from models.training.tuning import rolling_validations
=======
from models.training.rolling_sums import (
    predict_mean,
    rolling_origins,
    sample_customers,
    small_params,
)
from models.training.train import TrainingRows, load_rows, to_labelled
from models.training.value_models import OBJECTIVE, level_factor, mean_rows
>>>>>>> value-wip
from models.training_set.splits import Split, instant

VALUE = TARGETS["value"]
ROUNDS, ORIGINS = 100, 5
REAL = ("sample", "online_retail", "complete_journey")
Array = np.ndarray
SHIPPED = "Tweedie of multiples, level out of fold (`expected`)"
MEDIAN = "median of multiples (`typical`; before, all there was)"
TWO_PARTS, RULE = "two parts, smeared", "rule: the last period again"


@dataclass(frozen=True)
class Task:
    """What is known at an origin, whom to predict, and what the forms share."""

    known: TrainingRows
    asked: TrainingRows
    horizon: int
    without: tuple[str, ...]
    params: Params

    @property
    def spend(self) -> SpendLevel:
        return SpendLevel.fit(self.known.features, self.horizon)

    def grow(self, kind: str, data: LabelledRows, objective: str | None) -> Estimator:
        """Trees on some labels of the known rows."""
        params = self.params if kind == "regression" else replace(Params(), max_rounds=ROUNDS)
        params = replace(params, objective=objective, threads=1)
        return Estimator.fit(kind, data, None, params, self.without)


#: Money of the known rows and of the asked ones.
Form = Callable[[Task], tuple[Array, Array]]


def measure() -> str:
    """A table for each company: sums, errors and ranks of every form over rolling origins."""
    lines = [
        "# Forms of the value model", "",
        f"Up to {ORIGINS} origins for each company; a form learns from labels known at the origin and "
        "predicts all customers of it, with 100 rounds. `sums`: predicted over actual, all origins "
        "together, with the 90% interval over origins and customers; the sums of each origin follow. "
        "Other measures are means over the origins; `active`: customers with revenue in the last year; "
        "`top tenth`: share of what came in the tenth predicted highest. `level`: a factor makes the "
        "predictions of the known rows add up.", "",
    ]  # fmt: skip
    with home_of_its_own() as workspace:
        for firm in COMPANIES:
            write_small_buyers(firm, workspace.data)
        for name in (*REAL, *(firm.name for firm in COMPANIES)):
            try:
                lines += compared(workspace, name)
            except DataRefused as err:
                lines += [f"- {name}: not measured: {err}", ""]
    return "\n".join(lines) + "\n"


def compared(workspace: Workspace, name: str) -> list[str]:
    """The table of one company."""
    company = with_training_sets(workspace, name)
    config = company.target("value")
    rows = load_rows(company, workspace, "value")
    asked: list[tuple[str, TrainingRows]] = []
    said: dict[str, list[Array]] = {}
    for start, task in _tasks(rows, VALUE.span_days(config), config.horizon_days):
        asked.append((start, task.asked))
        for form, predicted in _predictions(task).items():
            said.setdefault(form, []).append(predicted)
    shares = np.mean([np.mean(r.label == 0) for _, r in asked])
    lines = [
        f"## {name}", "",
        f"{len(asked)} origins, {len(asked[-1][1].label):,} customers at the last one; {shares:.0%} "
        f"of the labels are 0, {np.mean(rows.label < 0):.1%} below 0.", "",
        "| form | sums | of each origin | RMSE | MAE | rank | rank, active | top tenth | below 0 |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    return [*lines, *(_line(form, p, asked) for form, p in said.items()), ""]


def _tasks(rows: TrainingRows, span_days: int, horizon: int) -> Iterator[tuple[str, Task]]:
    params = replace(default_params(VALUE), max_rounds=ROUNDS, threads=1)
    span = span_days * 86_400_000_000
    for origin in rolling_origins(rows.cutoff, span_days, ORIGINS):
        known, asked = rows.cutoff + span <= origin, rows.cutoff == origin
        start = instant(origin)
        part = Split(known, asked, asked, known, start, start)
        without = shifted_columns("regression", rows.features, rows.cutoff, part)
        yield f"{start:%Y-%m}", Task(rows.take(known), rows.take(asked), horizon, without, params)


def _predictions(task: Task) -> dict[str, Array]:
    """What each form says of the asked rows, with and without its level set on the known ones."""
    found: dict[str, Array] = {}
    for name, form in FORMS.items():
        before, found[name] = form(task)
        if name in LEVELLED:
            found[f"{name}, level"] = level_factor(task.known, before).apply(found[name])
    found[f"half {MEDIAN.split(' (')[0]}, half {TWO_PARTS}"] = (
        found[MEDIAN] + found[TWO_PARTS]
    ) / 2
    small = small_params(task.params)
    found["Tweedie of multiples, small fit (sums in training)"] = predict_mean(
        sample_customers(task.known), task.asked, task.horizon, small, task.without
    )
    found[RULE] = np.nan_to_num(task.asked.features[f"revenue_{task.horizon}d"].to_numpy())
    return found


def _line(form: str, said: list[Array], asked: list[tuple[str, TrainingRows]]) -> str:
    sums = SumErrors.fit(
        [Origin(s, r.customer, r.label, p) for (s, r), p in zip(asked, said, strict=True)]
    )
    each = " ".join(f"{o.predicted / o.actual:.2f}" for o in sums.origins)
    pairs = [(r.label, p, _active(r)) for (_, r), p in zip(asked, said, strict=True)]

    def mean(metric: Callable[[Array, Array], float]) -> float:
        return float(np.mean([metric(y, p) for y, p, _ in pairs]))

    active = float(np.mean([spearman(y[a], p[a]) for y, p, a in pairs]))
    below = float(np.mean([np.mean(p < 0) for _, p, _ in pairs]))
    places = 2 if mean(mae) < 100 else 0
    return (
        f"| {form} | {sums.ratio:.2f} ({sums.low:.2f} to {sums.high:.2f}) | {each} "
        f"| {mean(rmse):,.{places}f} | {mean(mae):,.{places}f} | {mean(spearman):.3f} | {active:.3f} "
        f"| {mean(capture):.3f} | {below:.1%} |"
    )


def _active(rows: TrainingRows) -> Array:
    return np.nan_to_num(rows.features["revenue_365d"].to_numpy()) > 0


def _both(task: Task, grown: Estimator, unit: bool) -> tuple[Array, Array]:
    spend = task.spend
    return tuple(  # type: ignore[return-value]
        grown.predict(r.features) * (spend.of(r.features) if unit else 1.0)
        for r in (task.known, task.asked)
    )


def _median(task: Task) -> tuple[Array, Array]:
    return _both(
        task, task.grow("regression", to_labelled(task.known, task.spend), "l1"), unit=True
    )


def _money(objective: str) -> Form:
    def form(task: Task) -> tuple[Array, Array]:
        y = task.known.label if objective == "regression" else np.maximum(task.known.label, 0.0)
        grown = task.grow("regression", LabelledRows(task.known.features, y), objective)
        return _both(task, grown, unit=False)

    return form


def _multiples(objective: str) -> Form:
    """Multiples of the unit, weighted by it: as much as money for the sums."""

    def form(task: Task) -> tuple[Array, Array]:
        data = to_labelled(task.known, task.spend)
        if objective == "poisson":
            data = replace(data, y=np.maximum(data.y, 0.0))
        return _both(task, task.grow("regression", data, objective), unit=True)

    return form


def _tweedie(task: Task) -> tuple[Array, Array]:
    grown = task.grow("regression", mean_rows(task.known, task.spend), OBJECTIVE)
    return _both(task, grown, unit=True)


def _shipped(task: Task) -> tuple[Array, Array]:
    """As training does: the level from predictions for customers that the trees have not seen."""
    params = replace(task.params, objective=OBJECTIVE, threads=1)
    data = mean_rows(task.known, task.spend)
    grown = task.grow("regression", data, OBJECTIVE)
    unseen = predict_out_of_fold(grown, data, task.known.customer, params, ROUNDS)
    level = level_factor(task.known, unseen * task.spend.of(task.known.features))
    before, after = _both(task, grown, unit=True)
    return level.apply(before), level.apply(after)


def _two_parts(task: Task) -> tuple[Array, Array]:
    """The chance of spending times the amount if any: exp of the mean logarithm, smeared (Duan 1983)."""
    known, spends = task.known, task.known.label > 0
    chance = task.grow("binary", LabelledRows(known.features, spends.astype(float)), None)
    logs, spenders = np.log(known.label[spends]), known.features.filter(pa.array(spends))
    amount = task.grow("regression", LabelledRows(spenders, logs), "regression")
    smear = float(np.mean(np.exp(logs - amount.predict(spenders))))
    return tuple(  # type: ignore[return-value]
        chance.predict(r.features) * np.exp(amount.predict(r.features)) * smear
        for r in (known, task.asked)
    )


FORMS: dict[str, Form] = {
    MEDIAN: _median,
    TWO_PARTS: _two_parts,
    "mean, squared error of money": _money("regression"),
    "mean, squared error of multiples": _multiples("regression"),
    "Poisson of multiples": _multiples("poisson"),
    "Tweedie of money": _money("tweedie"),
    "Tweedie of multiples": _tweedie,
    SHIPPED: _shipped,
}
#: Forms whose level is also measured after it is set on the known rows.
LEVELLED = (TWO_PARTS, "Poisson of multiples", "Tweedie of money", "Tweedie of multiples")
