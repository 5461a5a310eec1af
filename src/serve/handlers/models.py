"""The models being served: a list, and one of them with measures, calibration and card."""

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
from serve.schemas.model_schemas import MODELS_ANSWER
from serve.schemas.model_schemas import MODEL
from serve.schemas.score_schemas import schema_config

_BIN = {"case": "churn", "predicted": 0.21, "observed": 0.23, "low": 0.17, "high": 0.3, "rows": 310}
_MEASURE = {"value": 0.84, "low": 0.81, "high": 0.87}


class ModelFacts(BaseModel):
    """How a model was made and how good it is."""

    model_config = schema_config(MODEL)

    target: str
    version: str
    trained_at: datetime
    cutoffs: list[datetime]
    horizon_days: int
    metrics: dict[str, float | None]
    grade: str
    features: int
    label_counts: dict[str, int]
    currency: Annotated[str, Field(description="Of the company's money; empty where unsaid.")]


class ModelsAnswer(BaseModel):
    """The loaded models, and the targets that cannot be scored with the reason."""

    model_config = schema_config(MODELS_ANSWER)

    request_id: str
    company: str
    as_of: datetime | None
    models: list[ModelFacts]
    missing: dict[str, str]


class Measure(BaseModel):
    """A measure on later data with its 95 % interval; null where it is not defined."""

    model_config = schema_config(_MEASURE)

    value: float | None
    low: float | None
    high: float | None


class CalibrationBin(BaseModel):
    """Test rows with like predictions: the mean predicted and the observed share, with interval."""

    model_config = schema_config(_BIN)

    case: Annotated[str, Field(description="The class, or what is predicted to happen.")]
    predicted: float
    observed: float
    low: float
    high: float
    rows: int


class ModelAnswer(ModelFacts):
    """One model with everything to know before using it."""

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            **MODEL,
            "primary": "auc",
            "measures": {"model": {"auc": _MEASURE}, "rule": {"auc": _MEASURE}},
            "calibration": [_BIN],
            "coverage": None,
            "card": "# Churn, version 3\n",
        }
    )

    request_id: str
    primary: Annotated[str, Field(description="The measure that decides; of `measures`.")]
    measures: Annotated[
        dict[str, dict[str, Measure]], Field(description="By contestant: model, rule and others.")
    ]
    calibration: Annotated[list[CalibrationBin], Field(description="Empty for a value.")]
    coverage: Annotated[
        float | None, Field(description="Share of outcomes between low and high; null without.")
    ]
    card: Annotated[str, Field(description="The model's card in Markdown.")]


async def list_models(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """List the models being served.

    With how each was trained and how good it is, and the targets that cannot be scored with the
    reason.
    """
    scorer = state.loader.loaded_scorer()
    answer = {
        "request_id": call.request_id,
        "company": scorer.company,
        "as_of": scorer.as_of() if scorer.ready() else None,
        "models": [_facts(manifest) for manifest in scorer.models()],
        "missing": scorer.missing(),
    }
    return json_response(answer)


async def show_model(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the model of one target.

    Its facts, every measure beside the rule's, its calibration on later data, and its card.
    """
    target: str = scope["path_params"]["target"]
    scorer = state.loader.loaded_scorer()
    about = scorer.about(target)
    if about is None:
        missing = scorer.missing()
        if target in missing:
            problem = Problem(target, missing[target])
            raise NotReady("this target has no model now", [problem])
        known = ", ".join(sorted(model.target for model in scorer.models()))
        raise UnknownTarget(f"no such target; known targets are {known}")
    manifest, results = about
    return json_response({"request_id": call.request_id, **_facts(manifest), **asdict(results)})


def _facts(manifest: ModelManifest) -> dict[str, Any]:
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
    }
