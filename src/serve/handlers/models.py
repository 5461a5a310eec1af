"""Shows the loaded models: all of them, or one with measures, calibration and card."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope

from models.bundles.model_manifest import ModelManifest
from serve.app_state import AppState
from serve.errors import NotReady, Problem, UnknownTarget
from serve.http.middleware import Call, json_response
from serve.schemas.score_schemas import AS_OF, schema_config

_MODEL = {
    "target": "churn",
    "version": "3",
    "trained_at": AS_OF,
    "cutoffs": ["2025-01-31T00:00:00Z", "2025-02-28T00:00:00Z"],
    "horizon_days": 90,
    "metrics": {"auc": 0.84},
    "grade": "A",
    "features": 120,
    "label_counts": {"0": 9100, "1": 900},
    "currency": "EUR",
    "limits": [],
}
_BIN = {"case": "churn", "predicted": 0.21, "observed": 0.23, "low": 0.17, "high": 0.3, "rows": 310}
_MEASURE = {"value": 0.84, "low": 0.81, "high": 0.87}


class ModelFacts(BaseModel):
    """How a model was trained, and its quality."""

    model_config = schema_config(_MODEL)

    target: str
    version: str
    trained_at: datetime
    cutoffs: list[datetime]
    horizon_days: int
    metrics: dict[str, float | None]
    grade: str
    features: int
    label_counts: dict[str, int]
    currency: Annotated[str, Field(description="Currency of the company; empty if unknown.")]
    limits: Annotated[
        list[str],
        Field(
            description="What limits the evidence for it, such as a snapshot without time order."
        ),
    ]


class ModelsAnswer(BaseModel):
    """The loaded models, and the reason for each target that cannot be scored."""

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "company": "sample",
            "as_of": AS_OF,
            "models": [_MODEL],
            "missing": {"nps": "no champion yet"},
        }
    )

    request_id: str
    company: str
    as_of: datetime | None
    models: list[ModelFacts]
    missing: dict[str, str]


class Measure(BaseModel):
    """A measure in the holdout evaluation with its 95% interval; null where it is undefined."""

    model_config = schema_config(_MEASURE)

    value: float | None
    low: float | None
    high: float | None


class CalibrationBin(BaseModel):
    """Test rows with similar predictions: mean predicted and observed share, with interval."""

    model_config = schema_config(_BIN)

    case: Annotated[str, Field(description="The class, or the predicted event.")]
    predicted: float
    observed: float
    low: float
    high: float
    rows: int


class ModelAnswer(ModelFacts):
    """One model with its holdout evaluation and card."""

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            **_MODEL,
            "primary": "auc",
            "measures": {"model": {"auc": _MEASURE}, "rule": {"auc": _MEASURE}},
            "calibration": [_BIN],
            "coverage": None,
            "coverage_nothing": None,
            "origins": 5,
            "card": "# Churn, version 3\n",
        }
    )

    request_id: str
    primary: Annotated[
        str, Field(description="The measure of `measures` that decides on promotion.")
    ]
    measures: Annotated[
        dict[str, dict[str, Measure]],
        Field(description="By candidate: model, baseline rule and others."),
    ]
    calibration: Annotated[list[CalibrationBin], Field(description="Empty for the value target.")]
    coverage: Annotated[
        float | None,
        Field(
            description="Share of outcomes inside the prediction interval; null without intervals. "
            "Of a value, without customers who almost certainly spend nothing."
        ),
    ]
    coverage_nothing: Annotated[
        float | None,
        Field(description="The same of customers who almost certainly spend nothing."),
    ]
    origins: Annotated[
        int, Field(description="Number of moments over which the measures of the model are means.")
    ]
    card: Annotated[str, Field(description="The model card in Markdown.")]


async def list_models(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """List the loaded models.

    How each was trained, its quality, and the reason for each target that cannot be scored.
    """
    scorer = state.loader.loaded_scorer()
    answer = {
        "request_id": call.request_id,
        "company": scorer.company,
        "as_of": scorer.as_of() if scorer.ready() else None,
        "models": [_model_facts(manifest) for manifest in scorer.models()],
        "missing": scorer.missing(),
    }
    return json_response(answer)


async def show_model(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the model of one target.

    How it was trained, its measures compared with the baseline rule, its calibration and its card.
    """
    target: str = scope["path_params"]["target"]
    scorer = state.loader.loaded_scorer()
    details = scorer.model_details(target)
    if details is None:
        missing = scorer.missing()
        if target in missing:
            problem = Problem(target, missing[target])
            raise NotReady("this target has no model at present", [problem])
        known = ", ".join(sorted(model.target for model in scorer.models()))
        raise UnknownTarget(f"unknown target; known targets are {known}")
    manifest, results = details
    return json_response(
        {"request_id": call.request_id, **_model_facts(manifest), **asdict(results)}
    )


def _model_facts(manifest: ModelManifest) -> dict[str, Any]:
    """The fields of `ModelFacts`."""
    return {
        "target": manifest.target,
        "version": manifest.version,
        "trained_at": datetime.fromisoformat(manifest.trained_at),
        "cutoffs": [datetime.fromisoformat(cutoff) for cutoff in manifest.cutoffs],
        "horizon_days": manifest.horizon_days,
        "metrics": manifest.metrics,
        "grade": manifest.grade,
        "features": len(manifest.features),
        "label_counts": manifest.label_counts,
        "currency": manifest.currency,
        "limits": manifest.origin_limits,
    }
