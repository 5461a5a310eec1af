"""Invalid JSON is refused with a reason, valid JSON is exact, messages repeat no values."""

import contextlib
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.errors import InvalidRequest, MalformedJson
from serve.http.request_parsing import check_targets, parse_json, parse_request
from serve.schemas.score_schemas import RecordsRequest, ScoreRequest

BAD = {
    "empty": b"",
    "cut off": b'{"customer_ids": ["a"',
    "two values": b"{} {}",
    "duplicate key": b'{"a": 1, "a": 2}',
    "nested duplicate": b'[{"x": {"k": 1, "k": 1}}]',
    "nan": b'{"a": NaN}',
    "infinity": b"[Infinity]",
    "minus infinity": b"[-Infinity]",
    "1e999": b"[1e999]",
    "-1e999": b"[-1e999]",
    "2^53+1": b"[9007199254740993]",
    "5000 digits": b"[" + b"9" * 5000 + b"]",
    "not utf-8": b'["\xff\xfe"]',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "lone surrogate": b'["\\ud800"]',
    "surrogate in key": b'{"\\uDFFF": 1}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "single quotes": b"{'a': 1}",
    "control character": b'["\x01"]',
    "leading zero": b"[01]",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_invalid_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse_json(body)


def test_valid_json_is_exact() -> None:
    body = '{"a": [1, -2.5, 1e-300, 9007199254740992, true, null, "\\ud83d\\ude00 😀 \\\\ud800"]}'
    assert parse_json(body.encode()) == json.loads(body)


@given(st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_any_json_value_is_read_back(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(MalformedJson):
        parse_json(body)


def test_problems_have_their_location_and_no_values() -> None:
    canary = "+49 170 5550123"
    body = json.dumps(
        {"customer_ids": [canary, 12, None], "targets": [canary] * 30, "reasons": canary,
         canary: canary, "custmer_ids": []}
    )  # fmt: skip
    with pytest.raises(InvalidRequest) as refused:
        parse_request(ScoreRequest, body.encode())
    message = json.dumps(refused.value.body("x"))
    assert canary not in message
    assert "customer_ids[1]" in message
    assert "did you mean customer_ids?" in message
    assert "unknown field" in message


def test_an_unknown_field_name_becomes_a_star() -> None:
    body = b'{"records": {"customers": [{"customer_id": "a", "phone 0170": [1]}]}}'
    with pytest.raises(InvalidRequest) as refused:
        parse_request(RecordsRequest, body)
    assert [p.where for p in refused.value.problems] == ["records.customers[0].*"]


def test_all_problems_are_counted_and_the_first_are_shown() -> None:
    body = json.dumps({"customer_ids": list(range(500))}).encode()
    with pytest.raises(InvalidRequest) as refused:
        parse_request(ScoreRequest, body)
    assert "500 problems" in refused.value.message
    assert len(refused.value.problems) == 20


def test_targets_are_checked_against_the_known() -> None:
    assert check_targets(["churn", "churn"], ["churn", "value"]) == ["churn"]
    assert check_targets(None, ["churn"]) is None
    with pytest.raises(InvalidRequest, match="known targets are churn, value") as refused:
        check_targets(["chrun", "zzz"], ["value", "churn"])
    assert "did you mean churn?" in refused.value.problems[0].problem
    assert "did you mean" not in refused.value.problems[1].problem


def test_floats_of_a_request_are_not_rounded() -> None:
    assert parse_json(b"[0.1, 5e-324, 1.7976931348623157e308]") == [
        0.1,
        5e-324,
        1.7976931348623157e308,
    ]
    assert not math.isinf(parse_json(b"1e308"))
