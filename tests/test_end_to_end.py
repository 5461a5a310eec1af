"""One customer, three ways to their score: by id, by their own records, and in the scores file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from math import isclose
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from models.bundles.predict import OUTPUTS
from serve.schemas.record_schemas import Records
from serve.schemas.score_schemas import CustomerScore, ScoreReason
from serve.scoring.company_scorer import CompanyScorer
from serve.scoring.scorer import ScoreBatch
from support.trained_company import CUSTOMERS, SAMPLE_TARGETS, trained

AT_ONCE = 250
Answers = dict[str, CustomerScore]


@pytest.fixture(scope="module")
def scorer() -> CompanyScorer:
    workspace = trained()[0]
    return CompanyScorer(load_company(workspace.data / "sample.toml"), workspace)


@pytest.fixture(scope="module")
def ids() -> list[str]:
    return [f"A{i:07}" for i in range(CUSTOMERS)]


@pytest.fixture(scope="module")
def from_the_file() -> dict[str, dict[str, Any]]:
    table = pq.read_table(trained()[0].scores("sample"))
    return {row["customer_id"]: row for row in table.to_pylist()}


@pytest.fixture(scope="module")
def by_ids(scorer: CompanyScorer, ids: list[str]) -> ScoreBatch:
    return scorer.score_ids(ids, None, 3)


@pytest.fixture(scope="module")
def by_records(scorer: CompanyScorer, ids: list[str]) -> list[ScoreBatch]:
    return [
        scorer.score_records(Records.model_validate(content), scorer.as_of(), None, 3)
        for content in requests(ids)
    ]


def requests(ids: list[str]) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """What a client would send: the rows of some customers, as JSON has them."""
    history = trained()[0].history("sample")
    tables = {
        name: [_json(row) for row in pq.read_table(history / f"{name}.parquet").to_pylist()]
        for name in ("customers", "events", "surveys", "tickets")
    }
    for start in range(0, len(ids), AT_ONCE):
        some = set(ids[start : start + AT_ONCE])
        yield {
            name: [row for row in reversed(rows) if row["customer_id"] in some]
            for name, rows in tables.items()
        }


def _json(row: dict[str, Any]) -> dict[str, Any]:
    plain = {n: v.isoformat() if isinstance(v, datetime) else v for n, v in row.items()}
    if plain.get("reopened") is not None:
        plain["reopened"] = bool(plain["reopened"])
    return {name: value for name, value in plain.items() if value is not None}


def by_customer(batches: list[ScoreBatch]) -> Answers:
    return {score.customer_id: score for batch in batches for score in batch.scores}


def test_all_customers_are_answered_with_all_targets(
    by_ids: ScoreBatch,
    by_records: list[ScoreBatch],
    from_the_file: dict[str, dict[str, Any]],
    ids: list[str],
) -> None:
    answers = by_customer([by_ids]), by_customer(by_records)
    assert [list(by_customer([by_ids])), sorted(answers[1]), list(from_the_file)] == [ids] * 3
    for batch in (by_ids, *by_records):
        assert batch.unknown == []
        assert batch.versions == dict.fromkeys(SAMPLE_TARGETS, "1")
        assert batch.as_of == from_the_file[ids[0]]["as_of"]
    for score in [*answers[0].values(), *answers[1].values()]:
        assert {t: tuple(o) for t, o in score.predictions.items()} == OUTPUTS


def test_id_records_and_file_give_the_same_numbers(
    by_ids: ScoreBatch, by_records: list[ScoreBatch], from_the_file: dict[str, dict[str, Any]]
) -> None:
    first, second = by_customer([by_ids]), by_customer(by_records)
    largest = 0.0
    for customer, row in from_the_file.items():
        for target, outputs in OUTPUTS.items():
            for name in outputs:
                shown = [a[customer].predictions[target][name] for a in (first, second)]
                shown.append(row[f"{target}_{name}"])
                if isinstance(shown[0], list):  # a curve
                    largest = max(largest, float(np.ptp(np.array(shown), axis=0).max()))
                elif isinstance(shown[0], float):
                    largest = max(largest, max(shown) - min(shown))
                else:
                    assert len(set(shown)) == 1, (customer, target, name, shown)
    print(f"largest difference between id, records and file: {largest:g}")  # noqa: T201
    assert largest <= 1e-9


def test_reasons_are_the_same_by_id_and_by_records(
    by_ids: ScoreBatch, by_records: list[ScoreBatch]
) -> None:
    first, second = by_customer([by_ids]), by_customer(by_records)
    for score in first.values():  # without a churn figure, no reasons for one
        inside = score.predictions["churn"]["in_population"]
        assert {t: len(r) for t, r in score.reasons.items()} == {
            target: 3 if inside or target != "churn" else 0 for target in score.predictions
        }
    different = [
        (customer, one, other)
        for customer in first
        for target, shown in first[customer].reasons.items()
        for one, other in zip(shown, second[customer].reasons[target], strict=True)
        if _facts(one) != _facts(other)
        or not isclose(one.effect, other.effect, rel_tol=1e-5, abs_tol=1e-3)
    ]
    assert different == []


def _facts(reason: ScoreReason) -> ScoreReason:
    """A reason without its sentence and its effect.

    The sentence of records compares with the former window, too; the seventh digit of an effect depends
    on how many customers are explained together.
    """
    return replace(reason, text="", effect=0.0)


def test_the_answers_differ_between_customers_and_over_time(
    scorer: CompanyScorer, by_ids: ScoreBatch, ids: list[str]
) -> None:
    """So that equality above is not the equality of constants."""
    for target, output in (("satisfaction", "score"), ("nps", "promoter"),
                           ("churn", "probability"), ("value", "expected")):  # fmt: skip
        assert len({s.predictions[target][output] for s in by_ids.scores}) > CUSTOMERS / 3
    content = next(requests(ids))
    earlier = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    before = scorer.score_records(Records.model_validate(content), earlier, ["churn"], 0)
    now = by_customer([by_ids])
    moved = [
        s
        for s in before.scores
        if s.predictions["churn"] != now[s.customer_id].predictions["churn"]
    ]
    assert len(moved) > AT_ONCE / 2
    known = {
        name: [r for r in rows if _known(r) < earlier.isoformat()] for name, rows in content.items()
    }
    cut = scorer.score_records(Records.model_validate(known), earlier, ["churn"], 0)
    assert [s.predictions for s in cut.scores] == [
        s.predictions for s in before.scores if s.customer_id in {c.customer_id for c in cut.scores}
    ]


def _known(row: dict[str, Any]) -> str:
    """When a row became known; rows known later say nothing at an earlier cutoff."""
    clocks = ("valid_from", "known_at", "occurred_at", "sent_at", "opened_at")
    return max(str(row[c]) for c in clocks if c in row)
