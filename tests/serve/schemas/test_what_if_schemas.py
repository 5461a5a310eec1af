"""A what-if has either a goal or lever settings."""

from typing import Any

import pytest
from pydantic import ValidationError

from serve.schemas.what_if_schemas import MOST_LEVERS, WhatIfRequest, WhatIfResponse
from support.service_in_process import Service, error_of

ASK = {"customer_id": "C-5", "target": "churn"}
RIGHT: list[dict[str, Any]] = [{"goal": 10.0}, {"goal": 1}, {"set": {"reply time": 12.0, "x": -1}}]
WRONG: list[dict[str, Any]] = [
    {},
    {"goal": 1.0, "set": {"reply time": 1.0}},
    {"goal": None},
    {"goal": None, "set": {"reply time": 1.0}},
    {"goal": 1.0, "set": None},
    {"set": {}},
    {"set": {"reply time": "1"}},
    {"set": {"reply time": None}},
    {"set": {"reply time": True}},
    {"set": [1.0]},
    {"set": {f"lever {n}": 1.0 for n in range(MOST_LEVERS + 1)}},
]


def schema_validator() -> Any:
    """The validator of the published schema. Importing jsonschema takes five seconds."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(WhatIfRequest.model_json_schema())


@pytest.mark.parametrize("wanted", RIGHT)
def test_a_goal_or_settings_are_valid_also_by_the_schema(wanted: dict[str, Any]) -> None:
    request = WhatIfRequest.model_validate({**ASK, **wanted})
    assert request.goal_or_settings == next(iter(wanted.values()))
    schema_validator().validate({**ASK, **wanted})


@pytest.mark.parametrize("wanted", WRONG)
def test_anything_else_is_invalid_also_by_the_schema(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WhatIfRequest.model_validate({**ASK, **wanted})
    assert not schema_validator().is_valid({**ASK, **wanted})


def test_given_levers_have_no_goal_in_the_answer(service: Service) -> None:
    response = service.post("/v1/whatif", json={**ASK, "set": {"reply time": 12.0}})
    answer = WhatIfResponse.model_validate_json(response.text)
    assert (answer.goal, answer.reached) == (None, None)
    assert (answer.score_then, answer.abstain) == (12.0, False)
    assert answer.moves[0].end == 12.0


def test_a_lever_the_customer_lacks_is_refused_without_repeating_it(service: Service) -> None:
    answer = service.post("/v1/whatif", json={**ASK, "set": {"bribes": 12.0}})
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (409, "lever_stuck")
    assert error["details"] == [
        {"where": "set", "problem": "1 of 1 levers cannot be moved; reply time can"}
    ]
    assert "bribes" not in answer.text
