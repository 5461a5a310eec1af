"""The page of the metrics: how models are measured, what the service reports to Prometheus."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from markdown import doc, table
from prometheus_client.parser import text_string_to_metric_families

from models.evaluation.metrics import METRICS, PRIMARY, Metric
from serve.observability.prometheus import Metrics
from serve.scoring.reload_loop import ScorerLoader


def page() -> str:
    """The page as Markdown."""
    return "\n".join(
        [
            "# Metrics\n",
            "## Of models\n",
            "Computed on rows later in time than all training rows, with a bootstrap interval over "
            "customers. The metric in bold decides between model, baseline and champion. Of a value, "
            "`mae` is that of `typical` (the median), every other metric that of `expected` (the "
            "mean).\n",
            table(("metric", "better", "targets", "what"), _model_metrics()),
            "## Of the service\n",
            "`GET /metrics` serves them in the Prometheus text format.\n",
            table(("metric", "type", "what"), _service_metrics()),
        ]
    )


def _model_metrics() -> list[tuple[str, str, str, str]]:
    decisive = set(PRIMARY.values())
    return [
        (
            f"**`{name}`**" if name in decisive else f"`{name}`",
            _better(metric),
            ", ".join(metric.kinds),
            doc(metric.function).split("\n\n")[0],
        )
        for name, metric in METRICS.items()
    ]


def _better(metric: Metric) -> str:
    if metric.best is not None:
        return f"nearer to {metric.best:g}"
    return "higher" if metric.higher_is_better else "lower"


def _service_metrics() -> list[tuple[str, str, str]]:
    loader = ScorerLoader(lambda: None)  # type: ignore[arg-type, return-value]
    loader.scorer = cast(Any, _NothingLoaded())
    text = Metrics(loader).exposition().decode()
    return [
        (f"`{family.name}`", family.type, family.documentation)
        for family in text_string_to_metric_families(text)
        if not family.name.endswith("_created")  # when a counter began: the client adds these
    ]


class _NothingLoaded:
    """A scorer without models: enough for every metric to name itself."""

    company = "none"

    def ready(self) -> bool:
        return True

    def as_of(self) -> datetime:
        return datetime.now(UTC)

    def models(self) -> list[Any]:
        return []

    def missing(self) -> dict[str, str]:
        return {}

    def unknown_categories(self) -> dict[str, int]:
        return {}

    def evaluated(self) -> SimpleNamespace:
        return SimpleNamespace(evaluation=None, statuses=None)
