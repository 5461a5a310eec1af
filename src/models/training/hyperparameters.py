"""Hyperparameters for each kind of target: defaults, and a search for better ones."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.errors import DataRefused
from features.settings import Settings, Workspace
from models.learners.lightgbm import Params
from models.targets.target import Target

#: Fewest boosting rounds: validation in another season than the test stops too early.
MIN_ROUNDS = {"binary": 100, "multiclass": 60, "regression": 100}
FILE = "tuned.json"
#: Why a trial has no loss, among its attributes in Optuna.
REFUSED = "refused"


def learner_kind(target: Target) -> str:
    """The kind of estimator for a target: ordinal targets are trained as classes."""
    return "multiclass" if target.kind == "ordinal" else target.kind


def default_params(target: Target) -> Params:
    """Parameters that work untuned, tested on four companies of 2,500 to 20,000 customers."""
    params = Params(threads=Settings().threads, n_classes=max(1, len(target.classes)))
    if target.kind == "regression":
        # Spending varies more finely than churn: larger trees, on most of the columns.
        return replace(
            params,
            objective="l1",
            n_classes=1,
            leaves=31,
            min_data_in_leaf=40,
            feature_fraction=0.7,
            l2=20.0,
        )
    # Churn is a sum of many weak signals; three splits in each tree capture their interactions.
    return replace(params, leaves=4) if target.kind == "binary" else params


@dataclass(frozen=True)
class TuningTrial:
    """One set of parameters that was tried, and when.

    `loss` is None for labels that do not allow the objective; `refused` says why.
    """

    params: dict[str, Any]
    loss: float | None
    refused: str
    began: datetime
    ended: datetime


@dataclass(frozen=True)
class TuningResult:
    """The result of a search for one target: the parameters to change, and their loss.

    `loss` and `default_loss` are means over the rolling validations; lower is better. `tried` are all
    trials in order, the defaults first.
    """

    params: dict[str, Any]
    loss: float
    default_loss: float
    trials: int
    seed: int
    tried: tuple[TuningTrial, ...] = ()

    @property
    def better(self) -> bool:
        """Whether the search found better parameters than the defaults."""
        return self.loss < self.default_loss


def search_params(
    target: Target, loss: Callable[[Params], float], trials: int, seconds: float, seed: int
) -> TuningResult:
    """Search for parameters with a lower loss than the defaults, within trials and seconds.

    The defaults are the first trial, so the result is never worse. The same seed tries the same
    parameters in the same order; the number of trials depends on the time.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    start = default_params(target)

    def objective(trial: "optuna.Trial") -> float:
        try:
            return loss(replace(start, **_suggested(trial, target)))
        except DataRefused as err:  # these labels do not allow the objective
            trial.set_user_attr(REFUSED, str(err))
            raise optuna.TrialPruned(str(err)) from err

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8))
    study.enqueue_trial({k: getattr(start, k) for k in _space(target)})
    study.optimize(objective, n_trials=trials, timeout=seconds)
    return TuningResult(
        dict(study.best_params), float(study.best_value), float(study.trials[0].value or 0.0),
        len(study.trials), seed, tuple(map(_tried, study.trials)),
    )  # fmt: skip


def _tried(trial: Any) -> TuningTrial:
    """A trial of Optuna, whose times are local ones."""
    began, ended = (t.astimezone(UTC) for t in (trial.datetime_start, trial.datetime_complete))
    refused = trial.user_attrs.get(REFUSED, "")
    return TuningTrial(dict(trial.params), trial.value, refused, began, ended)


#: The search space, from and to; on a logarithmic scale except for shares.
SPACE: dict[str, tuple[float, float]] = {
    "leaves": (3, 63),
    "min_data_in_leaf": (20, 400),
    "feature_fraction": (0.1, 1.0),
    "l2": (0.1, 50.0),
    "learning_rate": (0.02, 0.1),
}
OBJECTIVES = ("l1", "huber", "tweedie")


def _space(target: Target) -> list[str]:
    return [*SPACE, "objective"] if target.kind == "regression" else [*SPACE]


def _suggested(trial: Any, target: Target) -> dict[str, Any]:
    """Draw one set of parameters; for a regression, the objective too."""
    drawn: dict[str, Any] = {}
    for name, (low, high) in SPACE.items():
        if name in ("leaves", "min_data_in_leaf"):
            drawn[name] = trial.suggest_int(name, int(low), int(high), log=True)
        else:
            drawn[name] = trial.suggest_float(name, low, high, log=name != "feature_fraction")
    if target.kind == "regression":
        drawn["objective"] = trial.suggest_categorical("objective", OBJECTIVES)
    return drawn


def load_params(company: Company, workspace: Workspace, target: Target) -> Params:
    """Load the parameters that `goodwill tune` found for a target, else the defaults.

    Raises DataRefused when their file cannot be read.
    """
    path = workspace.company(company.name) / FILE
    if not path.is_file():
        return default_params(target)
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get(target.name)
        params = found["params"] if found else {}
        return replace(
            default_params(target), **{n: _checked(target, n, v) for n, v in params.items()}
        )
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise DataRefused(
            f"{path} cannot be read ({type(err).__name__}: {err}); make it again with `goodwill tune`, "
            "or delete it to train with the defaults"
        ) from None


def _checked(target: Target, name: str, value: Any) -> Any:
    """Check that a parameter lies in the search space; raises ValueError otherwise."""
    if name not in _space(target):
        raise ValueError(f"{name} is not searched for {target.name}; {_space(target)} are")
    if name == "objective":
        if value not in OBJECTIVES:
            raise ValueError(f"objective {value!r} is not one of {OBJECTIVES}")
        return value
    low, high = SPACE[name]
    whole = isinstance(getattr(Params(), name), int)
    if type(value) not in ((int,) if whole else (int, float)) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name} = {value!r} is not {kind} from {low} to {high}")
    return value


def write_tuned(company: Company, workspace: Workspace, found: dict[str, TuningResult]) -> None:
    """Write the parameters that are better than the defaults, for the next training."""
    path = workspace.company(company.name) / FILE
    kept = ("params", "loss", "default_loss", "trials", "seed")
    content = {
        name: {key: getattr(tuned, key) for key in kept}
        for name, tuned in found.items()
        if tuned.better
    }
    write_text_atomically(path, json.dumps(content, indent=1))
