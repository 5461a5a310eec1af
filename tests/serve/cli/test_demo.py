"""The demo shows the scores of three customers."""

from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from rich.console import Console

from features.settings import Workspace
from serve.cli.demo import describe_answer, pick_three_customers

ANSWER: dict[str, Any] = {
    "as_of": "2026-07-01T00:00:00Z",
    "scores": [
        {
            "customer_id": "C-1",
            "predictions": {
                "satisfaction": {"score": 71.6, "dissatisfied": 0.08},
                "nps": {"class": "promoter", "detractor": 0.1, "passive": 0.2, "promoter": 0.7},
                "churn": {"probability": 0.0412, "in_population": True},
                "value": {"expected": 12345.6, "segment": "top"},
            },
            "reasons": {
                "value": [{"text": "Not this"}],
                "churn": [
                    {"text": "74 days since the last order: +5.2 points churn risk"},
                    {"text": "industry in the CRM is retail: -1 point churn risk"},
                ],
            },
        },
        {"customer_id": "C-2", "predictions": {"nps": {"class": "passive"}}},
    ],
}


def test_scores_are_shown_in_80_columns() -> None:
    out = StringIO()
    Console(file=out, width=80).print(describe_answer(ANSWER, "EUR"), crop=False)
    assert out.getvalue().splitlines() == [
        "  POST /v1/scores, as of 2026-07-01",
        "  customer  satisfaction  NPS class  churn  value EUR  segment",
        "  C-1       72 of 100     promoter    4.1%     12,346  top",
        "    - 74 days since the last order: +5.2 points churn risk",
        "    - industry in the CRM is retail: -1 point churn risk",
        "  C-2       –             passive        –          –  –",
    ]


@pytest.mark.parametrize("customer", ["0190a5c8-7e1d-7c3b-9f52-0f5d2c1b6a99", "客户" * 30])
def test_a_long_customer_id_is_neither_broken_nor_cut(customer: str) -> None:
    out = StringIO()
    scores = [{**ANSWER["scores"][0], "customer_id": customer}]
    Console(file=out, width=80).print(
        describe_answer({**ANSWER, "scores": scores}, "EUR"), crop=False
    )
    assert customer in out.getvalue()


SCORES = {
    "customer_id": ["a", "b", "c", "d", "e"],
    "satisfaction_score": [50.0, 10.0, 90.0, 60.0, 70.0],
    "churn_probability": [0.2, 0.9, 0.3, 0.8, 0.1],
    "churn_in_population": [True, False, True, True, True],
    "value_expected": [1.0, 2.0, 3.0, 4.0, 500.0],
}


@pytest.mark.parametrize(
    ("columns", "picked"),
    [
        (list(SCORES), ["d", "e", "c"]),  # b is likelier to leave, but has left
        (["customer_id", "value_expected"], ["e", "c", "a"]),
        (["customer_id"], ["c", "a", "e"]),
    ],
)
def test_three_different_customers(tmp_path: Path, columns: list[str], picked: list[str]) -> None:
    workspace = Workspace(tmp_path)
    path = workspace.scores("sample")
    path.parent.mkdir(parents=True)
    pd.DataFrame({c: SCORES[c] for c in columns}).to_parquet(path)
    run = SimpleNamespace(workspace=workspace, company=SimpleNamespace(name="sample"))
    assert pick_three_customers(cast(Any, run)) == picked
