"""Show a search for hyperparameters in MLflow: a run for each target, a run below it for each trial."""

import math

from features.config.company import Company
from features.progress import Steps
from features.settings import Workspace
from models.evaluation.metrics import METRICS, PRIMARY
from models.targets.registry import TARGETS
from models.targets.target import Target
from models.training.hyperparameters import TuningResult, TuningTrial


def log_tuning(
    company: Company, workspace: Workspace, found: dict[str, TuningResult], steps: Steps
) -> None:
    """Log the search of each target with its trials, under the times at which they were made."""
    from models.bundles.mlflow_registry import Registry

    with steps.step("log the trials") as done:
        registry = Registry(workspace)
        for name, tuned in found.items():
            began, ended = tuned.tried[0].began, tuned.tried[-1].ended
            title = f"tune {name} {began:%Y-%m-%d %H:%M}"
            with registry.run(company.name, title, span=(began, ended)) as run_id:
                registry.log(
                    run_id,
                    {"trials": tuned.trials, "seed": tuned.seed, "better": tuned.better}
                    | {f"best_{key}": value for key, value in tuned.params.items()},
                    _measures(TARGETS[name], {"": tuned.loss, "default_": tuned.default_loss}),
                    description=_describe(TARGETS[name], tuned),
                )
                for number, trial in enumerate(tuned.tried):
                    span = trial.began, trial.ended
                    with registry.run(company.name, f"trial {number}", run_id, span) as child:
                        registry.log(child, *_content(TARGETS[name], trial))
        done(trials=sum(len(tuned.tried) for tuned in found.values()))


def _content(target: Target, trial: TuningTrial) -> tuple[dict[str, object], dict[str, float]]:
    refused = {"refused": trial.refused} if trial.refused else {}
    measures = {} if trial.loss is None else _measures(target, {"": trial.loss})
    return trial.params | refused, measures


def _measures(target: Target, losses: dict[str, float]) -> dict[str, float]:
    """The primary measure of losses by prefix, with its own sign; without undefined ones."""
    name = PRIMARY[target.kind]
    sign = -1 if METRICS[name].higher_is_better else 1
    return {
        f"{prefix}validation_{name}": sign * loss
        for prefix, loss in losses.items()
        if math.isfinite(loss)
    }


def _describe(target: Target, tuned: TuningResult) -> str:
    verdict = (
        "The next training uses the best parameters, which beat the defaults."
        if tuned.better
        else "No trial beat the defaults, so the next training uses them."
    )
    return (
        f"Search for better hyperparameters of {target.name}: the mean {PRIMARY[target.kind]} over "
        "rolling validations, all of them before the test rows. Trial 0 are the defaults.\n\n"
        + verdict
    )
