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
