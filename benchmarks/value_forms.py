"""Which form of a value model is best: compared over rolling origins, on real and made-up companies.

A form learns from the labels that were known at an origin and predicts all customers of it. Medians,
means of several kinds, and mixtures of both are measured by their sums, their errors and their ranks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.league_home import home_of_its_own, with_training_sets
from benchmarks.small_buyers import COMPANIES, write_small_buyers
from features.config.company import TargetConfig
from features.errors import DataRefused
from features.settings import Workspace
from models.evaluation.metrics import capture, mae, rmse, spearman
from models.evaluation.sum_errors import PredictedOrigin, SumErrors
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.targets.spend_level import SpendLevel
from models.training.distribution_shift import shifted_columns
from models.training.fit_model import to_labelled
from models.training.hyperparameters import default_params
from models.training.mean_value import MeanRecipe, TwoParts
from models.training.train import TrainingRows, load_rows, split_rows
from models.training_set.origins import older_origins
from models.training_set.splits import Split

VALUE = TARGETS["value"]
ROUNDS = 100
REAL = ("sample", "online_retail", "complete_journey")
Array = np.ndarray
SHIPPED = "one part or two, whichever is better for unseen customers (`expected`)"
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


#: Money of the asked rows.
Form = Callable[[Task], Array]


def measure() -> str:
    """A table for each company: sums, errors and ranks of every form over rolling origins."""
    lines = [
        "# Forms of the value model", "",
        "The origins at which the shipped model is judged; a form learns from labels known at the "
        "origin and predicts all customers of it, with 100 rounds. `sums`: predicted over actual, all "
        "origins together, with the 90% interval over origins and customers; the sums of each origin "
        "follow. Other measures are means over the origins; `active`: customers with revenue in the "
        "last year; `top tenth`: share of what came in the tenth predicted highest.", "",
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
    for start, task in _tasks(rows, config):
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


def _tasks(rows: TrainingRows, config: TargetConfig) -> Iterator[tuple[str, Task]]:
    params = replace(default_params(VALUE), max_rounds=ROUNDS, threads=1)
    split = split_rows(VALUE, config, rows)
    moments = [(o.start, o.learn, o.test) for o in older_origins(VALUE, config, rows.cutoff, split)]
    for start, known, asked in [*moments[::-1], (split.test_start, split.refit, split.test)]:
        part = Split(known, asked, asked, known, start, start)
        without = shifted_columns("regression", rows.features, rows.cutoff, part)
        task = Task(rows.take(known), rows.take(asked), config.horizon_days, without, params)
        yield f"{start:%Y-%m}", task


def _predictions(task: Task) -> dict[str, Array]:
    """What each form says of the asked rows."""
    found = {name: form(task) for name, form in FORMS.items()}
    found[f"half {MEDIAN.split(' (')[0]}, half {TWO_PARTS}"] = (
        found[MEDIAN] + found[TWO_PARTS]
    ) / 2
    found[RULE] = np.nan_to_num(task.asked.features[f"revenue_{task.horizon}d"].to_numpy())
    return found


def _line(form: str, said: list[Array], asked: list[tuple[str, TrainingRows]]) -> str:
    sums = SumErrors.fit(
        [PredictedOrigin(s, r.customer, r.label, p) for (s, r), p in zip(asked, said, strict=True)]
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


def _money(task: Task, grown: Estimator, unit: bool) -> Array:
    scale = task.spend.of(task.asked.features) if unit else 1.0
    return np.asarray(grown.predict(task.asked.features) * scale)


def _median(task: Task) -> Array:
    data = to_labelled(task.known, task.spend)
    return _money(task, task.grow("regression", data, "l1"), unit=True)


def _of_money(objective: str) -> Form:
    def form(task: Task) -> Array:
        y = task.known.label if objective == "regression" else np.maximum(task.known.label, 0.0)
        data = LabelledRows(task.known.features, y)
        return _money(task, task.grow("regression", data, objective), unit=False)

    return form


def _of_multiples(objective: str) -> Form:
    """Multiples of the unit, weighted by it: as much as money for the sums."""

    def form(task: Task) -> Array:
        data = to_labelled(task.known, task.spend)
        if objective != "regression":
            data = replace(data, y=np.maximum(data.y, 0.0))
        return _money(task, task.grow("regression", data, objective), unit=True)

    return form


def _two_parts(task: Task) -> Array:
    return TwoParts.fit(task.known, task.params, task.without).predict(task.asked.features)


def _one_model(two_parts: bool | None) -> Form:
    """One model of the mean: learnt in one part, in two, or (None) as is better for unseen customers."""

    def form(task: Task) -> Array:
        spend, known = task.spend, task.known
        recipe = MeanRecipe(bool(two_parts), task.params, task.without)
        if two_parts is None:
            recipe = MeanRecipe.find(known, spend, task.params, task.without)
        return _money(task, recipe.fit(known, spend), unit=True)

    return form


FORMS: dict[str, Form] = {
    MEDIAN: _median,
    TWO_PARTS: _two_parts,
    "two parts, learnt by one model": _one_model(True),
    "one part: Poisson of multiples": _one_model(False),
    SHIPPED: _one_model(None),
    "mean, squared error of money": _of_money("regression"),
    "mean, squared error of multiples": _of_multiples("regression"),
    "Tweedie of money": _of_money("tweedie"),
    "Tweedie of multiples": _of_multiples("tweedie"),
}
