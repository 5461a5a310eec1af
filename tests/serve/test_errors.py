"""All errors are in the table and have the same form."""

import re
from pathlib import Path

import pytest

from serve.errors import HTTP_OUTCOMES, ApiError, InvalidRequest, NotReady, Problem
from serve.schemas.score_schemas import ErrorAnswer


def test_each_error_class_is_in_the_table_once() -> None:
    assert set(HTTP_OUTCOMES) == set(ApiError.__subclasses__())
    codes = [outcome.code for outcome in HTTP_OUTCOMES.values()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", HTTP_OUTCOMES)
def test_every_error_fits_the_schema(error: type[ApiError]) -> None:
    made = error("what was wrong")
    made.problems = [Problem("here", "why")]
    answer = ErrorAnswer.model_validate(made.body("id-1"))
    assert answer.error.code == HTTP_OUTCOMES[error].code
    assert made.status == HTTP_OUTCOMES[error].status


def test_not_ready_has_retry_after() -> None:
    assert int(NotReady("later").headers["Retry-After"]) > 0
    assert InvalidRequest("no").headers == {}


def test_the_reference_lists_each_code_with_its_status() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/http-api.md").read_text("utf-8")
    shown = set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", text, re.MULTILINE))
    assert shown == {(str(o.status), o.code) for o in HTTP_OUTCOMES.values()}
