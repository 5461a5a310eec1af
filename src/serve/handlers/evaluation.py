"""What the last evaluation told of all customers: indicators and segments, in its own numbers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema
from starlette.responses import Response
from starlette.types import Receive, Scope

from insight.evaluation.evaluation_schema import IndicatorAlert, CompanyEvaluation, Indicator, MigrationMatrix, Segment, ValueScoreSummary
from serve.app_state import AppState
from serve.errors import UnknownIndicator
from serve.http.middleware import Call, json_response
from serve.http.request_parsing import parse_query
from serve.schemas.examples import EVALUATION, INDICATORS, SEGMENTS
from serve.schemas.score_schemas import schema_config
from serve.scoring.evaluation_cache import date_mismatch_warnings
from serve.scoring.scorer import Scorer

_NAME = {"type": "string", "minLength": 1, "maxLength": 100}


class IndicatorsQuery(BaseModel):
    """Which indicators to tell, and by which column of groups."""

    model_config = schema_config({"name": "csat", "by": "region"})

    name: Annotated[
        str | None,
        Field(max_length=100),
        WithJsonSchema({**_NAME, "description": "One indicator; all when left out."}),
    ] = None
    by: Annotated[
        str | None,
        Field(max_length=100),
        WithJsonSchema({**_NAME, "description": "Groups by this column; all when left out."}),
    ] = None


class SegmentsQuery(BaseModel):
    """By what the segments are."""

    model_config = schema_config({"by": "tier"})

    by: Annotated[
        Literal["tier", "stars", "stage", "quadrant", "value", "group"] | None,
        WithJsonSchema(
            {
                "type": "string",
                "enum": ["tier", "stars", "stage", "quadrant", "value", "group"],
                "description": "One way to cut; all when left out.",
            }
        ),
    ] = None


class EvaluationFacts(BaseModel):
    """Of which day an evaluation is; `skipped` says of each part that is missing why."""

    model_config = schema_config(EVALUATION)

    request_id: str
    company: str
    as_of: datetime
    made_at: datetime
    currency: Annotated[str, Field(description="Of the company's money; empty where unsaid.")]
    warnings: list[str]
    skipped: dict[str, str]


class IndicatorsAnswer(EvaluationFacts):
    """The indicators of the last whole period, alerts, and what could not be measured with the reason.

    `too_young` groups have too short a past to be watched for alerts.
    """

    model_config = schema_config(INDICATORS)

    period: Annotated[
        Literal["month", "quarter", "year"], Field(description="How long a period is.")
    ]
    indicators: list[Indicator]
    alerts: list[IndicatorAlert]
    too_young: int
    not_measured: dict[str, str]


class SegmentsAnswer(EvaluationFacts):
    """Segments, moves between tiers and stages, and how the value score is made.

    `stability` is how alike the groups of resampled customers are (1: always the same).
    """

    model_config = schema_config(SEGMENTS)

    segments: list[Segment]
    stability: float | None
    tiers: MigrationMatrix | None
    stages: MigrationMatrix | None
    value: ValueScoreSummary | None


async def show_indicators(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the indicators of the last evaluation.

    Each with its interval, answers, target, past, forecast and groups; the numbers are those of the
    report. Groups too small to be shown are counted in `hidden`.
    """
    query = parse_query(IndicatorsQuery, scope)
    scorer = state.loader.loaded_scorer()
    told = scorer.evaluated().need()
    _refuse_unknown(told, query)
    named = query.name
    answer = {
        **_facts(call, scorer, told),
        "period": told.period,
        "indicators": [_by(i, query.by) for i in told.indicators if named in (None, i.name)],
        "alerts": [
            a for a in told.alerts if named in (None, a.indicator) and query.by in (None, a.by)
        ],
        "too_young": told.too_young,
        "not_measured": {n: why for n, why in told.not_measured.items() if named in (None, n)},
    }
    return json_response(answer)


async def show_segments(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the segments of the last evaluation.

    Customers by tier, stars, stage, quadrant, predicted value and groups of customers alike; who
    moved between tiers and stages and why; what the value score is made of.
    """
    query = parse_query(SegmentsQuery, scope)
    scorer = state.loader.loaded_scorer()
    told = scorer.evaluated().need()
    answer = {
        **_facts(call, scorer, told),
        "segments": [s for s in told.segments if query.by in (None, s.by)],
        "stability": told.stability,
        "tiers": told.tiers,
        "stages": told.stages,
        "value": told.value,
    }
    return json_response(answer)


def _facts(call: Call, scorer: Scorer, told: CompanyEvaluation) -> dict[str, Any]:
    ready, what = scorer.ready(), "the evaluation is"
    warnings = date_mismatch_warnings(what, told.as_of, scorer.as_of()) if ready else []
    return {
        "request_id": call.request_id,
        "company": told.company,
        "as_of": told.as_of,
        "made_at": told.made_at,
        "currency": told.currency,
        "warnings": warnings,
        "skipped": told.skipped,
    }


def _by(indicator: Indicator, by: str | None) -> Indicator:
    """The indicator with the groups of one column only."""
    if by is None:
        return indicator
    cells = [cell for cell in indicator.cells if cell.by == by]
    hidden = {column: count for column, count in indicator.hidden.items() if column == by}
    return indicator.model_copy(update={"cells": cells, "hidden": hidden})


def _refuse_unknown(told: CompanyEvaluation, query: IndicatorsQuery) -> None:
    """Raise UnknownIndicator for a name or a column of groups that is not there, naming those known."""
    names = dict.fromkeys([*(i.name for i in told.indicators), *told.not_measured])
    if query.name is not None and query.name not in names:
        raise UnknownIndicator(f"no such indicator; known ones are {', '.join(names) or 'none'}")
    columns = {cell.by for i in told.indicators for cell in i.cells}
    columns |= {column for i in told.indicators for column in i.hidden}
    if query.by is not None and query.by not in columns:
        known = ", ".join(sorted(columns)) or "none"
        raise UnknownIndicator(f"no groups by this column; known ones are {known}")
