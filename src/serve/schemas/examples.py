"""The examples of requests and answers that the OpenAPI document and the docs show."""

AS_OF = "2025-06-30T00:00:00Z"
REASON = {
    "feature": "days_since_order",
    "meaning": "Days since the last order",
    "unit": "days",
    "value": 74.0,
    "effect": 5.2,
    "factor": "days_since_order",
    "text": "74 days since the last order: +5.2 points churn risk",
}
LEVER = {
    "lever": "reply time",
    "unit": "hours",
    "now": 71.2,
    "least": 1.0,
    "most": 71.2,
    "targets": ["churn", "satisfaction"],
}
PAST_SCORE = {
    "as_of": "2025-05-31T00:00:00Z",
    "satisfaction": 71.2,
    "nps": 12.0,
    "churn": 0.26,
    "value": 4180.0,
    "versions": {"churn": "3"},
}
SCORE = {
    "customer_id": "C-1001",
    "predictions": {
        "churn": {
            "probability": 0.31,
            "in_population": True,
            "months_left": 8.9,
            "survival": [1.0, 0.9, 0.79],
            "abstain": False,
        }
    },
    "reasons": {"churn": [REASON]},
}
SCORE_ANSWER = {
    "request_id": "7f1c2a",
    "as_of": AS_OF,
    "feature_age_seconds": 5400.0,
    "warnings": [],
    "model_versions": {"churn": "3"},
    "scores": [SCORE],
    "unknown_customers": ["C-9999"],
}
MODEL = {
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
}
MODELS_ANSWER = {
    "request_id": "7f1c2a",
    "company": "sample",
    "as_of": AS_OF,
    "models": [MODEL],
    "missing": {"nps": "no champion yet"},
}
ERROR = {
    "error": {
        "code": "invalid_request",
        "message": "the request has 1 problem",
        "details": [{"where": "customer_ids[2]", "problem": "Input should be a valid string"}],
        "request_id": "7f1c2a",
    }
}
EVENT = {
    "customer_id": "C-1001",
    "occurred_at": "2025-05-02T10:00:00Z",
    "kind": "order",
    "amount": 129.9,
}
MIGRATION = {"from": "B", "to": "A", "since": "2025-04-30T00:00:00Z", "cause": "contribution"}
FIGURE = {"value": 78.2, "low": 71.4, "high": 83.9}
STANDING = {
    "tier": "A",
    "stars": 5,
    "stage": "active",
    "service_level": "priority",
    "value_score": FIGURE,
    "group": "frequent, loyal",
    "quadrant": "keep",
    "migration": MIGRATION,
}
EVALUATION = {
    "request_id": "7f1c2a",
    "company": "sample",
    "as_of": AS_OF,
    "made_at": "2025-07-01T04:10:00Z",
    "currency": "EUR",
    "warnings": [],
    "skipped": {"complaints": "the company has no tickets"},
}
_POINT = {"value": 0.71, "low": 0.66, "high": 0.76, "asked": 900, "answered": 310}
_EVERYBODY = {"value": 0.68, "low": 0.61, "high": 0.74}
_COUNTED = {**_POINT, "coverage": 0.344, "customers": 305, "everybody": _EVERYBODY}
INDICATORS = {
    **EVALUATION,
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
SEGMENTS = {
    **EVALUATION,
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
