"""What MLflow says of a run, a registered model and a version, in Markdown: what, for whom, how good.

The card says the rest; `card`, `judged_run` and the like are addresses within MLflow's pages.
"""

from collections.abc import Iterable

from features.config.company import Company, TargetConfig
from features.config.snapshot_settings import NO_HORIZON
from models.bundles.model_manifest import ModelManifest
from models.targets.target import Target
from models.training.train import TrainedTarget


def describe_judged_run(trained: TrainedTarget, manifest: ModelManifest, card: str) -> str:
    """The run of a judged model."""
    evaluation = trained.evaluation
    return _markdown(
        _question(trained.target, trained.config),
        "The judged model: it learnt from the labels before its test, and does not serve. Its refit on "
        "all labels is the run below this one.",
        _points(
            ("Grade", f"{manifest.grade}, {manifest.grade_reason}"),
            *_window(manifest),
            (
                "Tested on",
                f"{evaluation.rows:,} rows of {evaluation.customers:,} customers from "
                f"{manifest.test_start[:10]} on",
            ),
            ("Measures with 95% intervals", "`intervals.json`"),
        ),
        f"[Model card]({card})",
    )


def describe_version(
    trained: TrainedTarget, manifest: ModelManifest, card: str, judged_run: str
) -> str:
    """A registered version, which is a refit, and its run."""
    return _markdown(
        _question(trained.target, trained.config),
        f"The recipe of the [judged model]({judged_run}), fitted on all labels up to "
        f"{manifest.labels_until[:10]}.",
        _points(
            ("Grade of the judged model", f"{manifest.grade}, {manifest.grade_reason}"),
            *_window(manifest),
        ),
        "The model in MLflow's format is the trees alone: it takes the codes of categories "
        "(`encoder.json`) and answers before calibration (`calibrator.json`)"
        + (", in multiples of the customer's unit of spending" if trained.spend else "")
        + ". The service reads the bundle below `mlruns/serving` instead.",
        f"[Model card]({card})",
    )


def describe_registered_model(company: Company, target: Target) -> str:
    """The registered model of a target, with all its versions."""
    name, config = company.name, company.target(target.name)
    return _markdown(
        f"{target.title} of the customers of {name}. {_question(target, config)}",
        "`champion` is the version that serves, `previous` the one before it, `challenger` the newest "
        "one that was not promoted. Each version's description has its grade and links to its card; "
        f"the card of the champion is also `data/{name}/cards/{target.name}.html`.",
        _points(("Horizon", NO_HORIZON if config.is_snapshot else f"{config.horizon_days} days")),
    )


def _question(target: Target, config: TargetConfig) -> str:
    return f"{target.describe_label(config)} {target.describe_population(config)}"


def _window(manifest: ModelManifest) -> Iterable[tuple[str, str]]:
    gap = f", {manifest.gap_days} days after the cutoff" if manifest.gap_days else ""
    undated = manifest.definition == "snapshot"
    yield "Horizon", NO_HORIZON if undated else f"{manifest.horizon_days} days{gap}"
    yield "Data", f"{manifest.company}, up to {manifest.data_end[:10]}"


def _points(*points: tuple[str, str]) -> str:
    return "\n".join(f"- {name}: {what}" for name, what in points)


def _markdown(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)
