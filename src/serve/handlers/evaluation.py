"""Indicators and segments of the last evaluation over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, WithJsonSchema
from starlette.responses import Response
from starlette.types import Receive, Scope

from insight.evaluation.evaluation_schema import (
    CompanyEvaluation,
    MigrationMatrix,
    Segment,
    SegmentKind,
    ValueScoreSummary,
)
from insight.evaluation.indicator_schema import Indicator, IndicatorAlert
from serve.app_state import AppState
from serve.errors import UnknownIndicator
from serve.http.middleware import Call, json_response
from serve.http.request_parsing import parse_query
from serve.schemas.score_schemas import AS_OF, schema_config
from serve.scoring.evaluation_cache import date_mismatch_warnings
from serve.scoring.scorer import Scorer

_EVALUATION = {
    "request_id": "7f1c2a",
    "company": "sample",
    "as_of": AS_OF,
    "made_at": "2025-07-01T04:10:00Z",
    "currency": "EUR",
    "warnings": [],
    "skipped": {"complaints": "the company has no tickets"},
}
_POINT = {"value": 0.71, "low": 0.66, "high": 0.76, "asked": 900, "answered": 310}
_CORRECTED = {"value": 0.68, "low": 0.61, "high": 0.74}
_COUNTED = {**_POINT, "coverage": 0.344, "customers": 305, "everybody": _CORRECTED}
_INDICATORS = {
    **_EVALUATION,
    "period": "month",
    "indicators": [
        {
            "name": "csat",
            "title": "Satisfied answers",
            "unit": "share",
            "kind": "rate",
            "period": "2025-05-01",
            **_COUNTED,
            "before": 0.69,
            "moved": "no",
            "verdict": {
                "kind": "usual",
                "direction": "no",
                "expected": 0.7,
                "low": 0.61,
                "high": 0.79,
                "since": "2024-02-01",
                "errors_off": 0.4,
                "chance": 0.8,
                "levels": [
                    {"since": "2022-01-01", "value": 0.76},
                    {"since": "2024-02-01", "value": 0.7},
                ],
            },
            "goal": {"target": 0.75, "better": "higher", "verdict": "uncertain", "gap": 0.04},
            "over_time": [{"period": "2025-04-01", **_POINT}],
            "cells": [{"by": "region", "group": "north", **_COUNTED}],
            "hidden": {"region": {"cells": 1, "answers": 4}},
        }
    ],
    "alerts": [],
    "too_young": 0,
    "not_measured": {"ces": "no question of this kind was asked"},
}
_SEGMENTS = {
    **_EVALUATION,
    "segments": [
        {"by": "tier", "name": "A", "customers": 1000, "share": 0.2, "expected_value": 810000.0}
    ],
    "stability": 0.93,
    "tiers": {
        "since": "2025-03-31T00:00:00Z",
        "until": AS_OF,
        "before": ["A", "B"],
        "after": ["A", "B"],
        "customers": [[950, 40], [50, 960]],
        "moved": 0.045,
        "causes": [{"cause": "contribution", "up": 30, "down": 25, "other": 0}],
    },
    "stages": None,
    "value": None,
}
_NAME = {"type": "string", "minLength": 1, "maxLength": 100}


class IndicatorsQuery(BaseModel):
    """Which indicators to show, and by which column to group them."""

    model_config = schema_config({"name": "csat", "by": "region"})

    name: Annotated[
        str | None,
        Field(max_length=100),
        WithJsonSchema({**_NAME, "description": "Name of an indicator; all by default."}),
    ] = None
    by: Annotated[
        str | None,
        Field(max_length=100),
        WithJsonSchema({**_NAME, "description": "Column of the groups; all by default."}),
    ] = None


class SegmentsQuery(BaseModel):
    """Which kind of segments to show."""

    model_config = schema_config({"by": "tier"})

    by: Annotated[
        SegmentKind | None,
        WithJsonSchema(
            {
                "type": "string",
                "enum": list(get_args(SegmentKind)),
                "description": "Attribute of the segments; all by default.",
            }
        ),
    ] = None


class EvaluationFacts(BaseModel):
    """Dates and company of an evaluation; `skipped` gives the reason for each missing part."""

    model_config = schema_config(_EVALUATION)

    request_id: str
    company: str
    as_of: datetime
    made_at: datetime
    currency: Annotated[str, Field(description="Currency of the company; empty if unknown.")]
    warnings: list[str]
    skipped: dict[str, str]


class IndicatorsAnswer(EvaluationFacts):
    """Indicators of the last whole period, alerts, and indicators without data with the reason.

    Alerts of the whole company come first. `too_young` counts lines that are not watched: too short a
    history, or no intervals.
    """

    model_config = schema_config(_INDICATORS)

    period: Annotated[Literal["month", "quarter", "year"], Field(description="Length of a period.")]
    indicators: list[Indicator]
    alerts: list[IndicatorAlert]
    too_young: int
    not_measured: dict[str, str]


class SegmentsAnswer(EvaluationFacts):
    """Segments, migration between tiers and stages, and a summary of the value score.

    `stability` is the agreement of the groups between resamples of the customers (1: always the same).
    """

    model_config = schema_config(_SEGMENTS)

    segments: list[Segment]
    stability: float | None
    tiers: MigrationMatrix | None
    stages: MigrationMatrix | None
    value: ValueScoreSummary | None


async def show_indicators(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the indicators of the last evaluation.

    Each has its interval, answers, target, history, forecast and groups; the numbers are those of the
    report. Groups that are too small to show are counted in `hidden`.
    """
    query = parse_query(IndicatorsQuery, scope)
    scorer = state.loader.loaded_scorer()
    evaluation = scorer.evaluated().require()
    _refuse_unknown(evaluation, query)
    answer = {
        **_evaluation_facts(call, scorer, evaluation),
        "period": evaluation.period,
        "indicators": [
            _with_groups_by(i, query.by)
            for i in evaluation.indicators
            if query.name in (None, i.name)
        ],
        "alerts": [
            a
            for a in evaluation.alerts
            if query.name in (None, a.indicator) and query.by in (None, a.by)
        ],
        "too_young": evaluation.too_young,
        "not_measured": {
            n: why for n, why in evaluation.not_measured.items() if query.name in (None, n)
        },
    }
    return json_response(answer)


async def show_segments(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show the segments of the last evaluation.

    Customers by tier, stars, stage, quadrant, predicted value and group of similar customers;
    migration between tiers and stages with its causes; the weights of the value score.
    """
    query = parse_query(SegmentsQuery, scope)
    scorer = state.loader.loaded_scorer()
    evaluation = scorer.evaluated().require()
    answer = {
        **_evaluation_facts(call, scorer, evaluation),
        "segments": [s for s in evaluation.segments if query.by in (None, s.by)],
        "stability": evaluation.stability,
        "tiers": evaluation.tiers,
        "stages": evaluation.stages,
        "value": evaluation.value,
    }
    return json_response(answer)


def _evaluation_facts(call: Call, scorer: Scorer, evaluation: CompanyEvaluation) -> dict[str, Any]:
    warnings = []
    if scorer.ready():
        warnings = date_mismatch_warnings("the evaluation is", evaluation.as_of, scorer.as_of())
    return {
        "request_id": call.request_id,
        "company": evaluation.company,
        "as_of": evaluation.as_of,
        "made_at": evaluation.made_at,
        "currency": evaluation.currency,
        "warnings": warnings,
        "skipped": evaluation.skipped,
    }


def _with_groups_by(indicator: Indicator, by: str | None) -> Indicator:
    """The indicator with the groups of one column; all groups without a column."""
    if by is None:
        return indicator
    cells = [cell for cell in indicator.cells if cell.by == by]
    hidden = {column: count for column, count in indicator.hidden.items() if column == by}
    return indicator.model_copy(update={"cells": cells, "hidden": hidden})


def _refuse_unknown(evaluation: CompanyEvaluation, query: IndicatorsQuery) -> None:
    """Raise UnknownIndicator for an unknown name or column, with the known ones."""
    names = dict.fromkeys([*(i.name for i in evaluation.indicators), *evaluation.not_measured])
    if query.name is not None and query.name not in names:
        raise UnknownIndicator(f"no such indicator; known ones are {', '.join(names) or 'none'}")
    columns = {cell.by for i in evaluation.indicators for cell in i.cells}
    columns |= {column for i in evaluation.indicators for column in i.hidden}
    if query.by is not None and query.by not in columns:
        known = ", ".join(sorted(columns)) or "none"
        raise UnknownIndicator(f"no groups by this column; known ones are {known}")
