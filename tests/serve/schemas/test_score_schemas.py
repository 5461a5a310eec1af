"""Requests are strict, and each example fits its model."""

import inspect
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from serve.schemas import score_schemas
from serve.schemas.score_schemas import RecordsRequest, ScoreRequest

MODELS = [
    model
    for _, model in inspect.getmembers(score_schemas, inspect.isclass)
    if issubclass(model, BaseModel) and model.__module__ == score_schemas.__name__
]


@pytest.mark.parametrize("model", MODELS)
def test_every_example_fits_its_model(model: type[BaseModel]) -> None:
    extra: Any = model.model_config["json_schema_extra"]
    for example in extra["examples"]:
        model.model_validate(example, strict=model in (ScoreRequest, RecordsRequest))


@pytest.mark.parametrize(("sent", "meant"), [(True, 3), (False, 0), (0, 0), (10, 10), (2.0, 2)])
def test_reasons_are_a_count_or_true(sent: object, meant: int) -> None:
    assert ScoreRequest.model_validate({"customer_ids": ["a"], "reasons": sent}).reasons == meant


@pytest.mark.parametrize(
    "change",
    [{"reasons": 11}, {"reasons": -1}, {"reasons": 1.5}, {"reasons": "3"}, {"reasons": None},
     {"customer_ids": []}, {"customer_ids": ["a"] * 1001}, {"customer_ids": "a"},
     {"customer_ids": [1]}, {"customer_ids": [""]}, {"customer_ids": ["x" * 201]},
     {"customer_ids": None}, {"targets": []}, {"targets": "churn"}, {"targets": [1]},
     {"target": ["churn"]}],
)  # fmt: skip
def test_anything_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScoreRequest.model_validate({"customer_ids": ["a"], **change})


def test_a_thousand_ids_are_allowed() -> None:
    assert len(ScoreRequest(customer_ids=["a"] * 1000).customer_ids) == 1000
