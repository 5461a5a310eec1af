"""Streamed scoring: one answer per line, constant memory, errors do not stop the stream."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.errors import LineTooLong
from serve.handlers.stream import BATCH_SIZE, LINE_BYTES, read_line_batches
from support.service_in_process import Service, error_of

NDJSON = {"content-type": "application/x-ndjson"}


def stream(service: Service, body: bytes | str, query: str = "") -> list[Any]:
    answer = service.post(f"/v1/scores/stream{query}", content=body, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_every_line_is_answered_in_order(service: Service) -> None:
    lines = [
        '{"customer_id": "C-5"}',
        "",
        '{"customer_id": "no"}',
        "garbage",
        '{"customer_id": "C-6"}',
    ]
    *answers, end = stream(service, "\n".join(lines))
    assert [answer["line"] for answer in answers] == [1, 3, 4, 5]
    five, unknown, garbage, six = answers
    assert five["predictions"]["churn"]["probability"] == 5 / 97.3
    assert five["model_versions"] == {"churn": "7", "value": "7"}
    assert unknown["customer_id"] == "no"
    assert unknown["error"]["code"] == "unknown_customer"
    assert garbage["error"]["code"] == "malformed_json"
    assert six["customer_id"] == "C-6"
    assert end == {"end": True, "lines": 5, "scored": 2, "failed": 2}


def test_targets_reasons_and_language_come_from_the_query(service: Service) -> None:
    one, _ = stream(service, '{"customer_id": "C-5"}\n', "?targets=churn&reasons=2&language=zh")
    assert list(one["predictions"]) == ["churn"]
    assert len(one["reasons"]["churn"]) == 2


def test_the_same_customer_twice_is_answered_twice(service: Service) -> None:
    *answers, _ = stream(service, '{"customer_id": "C-5"}\n' * 3)
    assert [answer["customer_id"] for answer in answers] == ["C-5"] * 3


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?targets=chrun", NDJSON, 422),
        ("?targets=nps", NDJSON, 503),
        ("?targets=CHURN;", NDJSON, 422),
        ("?reasons=11", NDJSON, 422),
        ("", {"content-type": "text/plain"}, 415),
        ("", NDJSON | {"content-encoding": "gzip"}, 415),
    ],
)
def test_an_invalid_call_is_refused_at_once(
    service: Service, query: str, headers: dict[str, str], status: int
) -> None:
    answer = service.post(f"/v1/scores/stream{query}", content=b"{}", headers=headers)
    assert answer.status_code == status
    error_of(answer)


def test_an_endless_line_ends_the_stream_with_the_reason(service: Service) -> None:
    *answers, end = stream(service, b'{"customer_id": "C-5"}\n' + b"x" * (LINE_BYTES + 1))
    assert answers == []  # one chunk, of which nothing was scored
    assert end["error"]["code"] == "line_too_long"
    assert "end" not in end


def read_batches(chunks: list[bytes]) -> list[list[bytes]]:
    """The batches that are read from a body in these chunks."""
    messages = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    coming = iter(messages)

    async def receive() -> Any:
        return next(coming)

    async def collect() -> list[list[bytes]]:
        return [lines async for lines in read_line_batches(receive)]

    return asyncio.run(collect())


@given(
    lines=st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b), min_size=1),
    cuts=st.lists(st.integers(0, 200)),
)
@settings(deadline=None)
def test_lines_are_complete_however_the_body_is_split(lines: list[bytes], cuts: list[int]) -> None:
    body = b"\n".join(lines)
    ends = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    chunks = [body[a:b] for a, b in pairwise(ends)] or [body]
    found = [line for batch in read_batches(chunks) for line in batch]
    assert [line for line in found if line] == [line for line in lines if line]


def test_batches_have_a_maximum_size() -> None:
    found = read_batches([b"\n".join([b"a"] * 1200)])
    assert [len(batch) for batch in found] == [BATCH_SIZE, BATCH_SIZE, 199, 1]


def test_a_long_line_is_refused_before_it_is_complete() -> None:
    with pytest.raises(LineTooLong):
        read_batches([b"x" * LINE_BYTES, b"x"])
