"""Bodies are read only as uncompressed JSON, up to 10 MiB and within a time limit."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from serve.errors import BodyTooLarge, BodyTooSlow, WrongMediaType
from serve.http import request_body
from serve.http.middleware import ClientLeft
from serve.http.request_body import BODY_BYTES, read_body

JSON = {"content-type": "application/json"}
MIB = 2**20


def read(parts: list[bytes | None], headers: dict[str, str]) -> tuple[bytes, int]:
    """The body and the number of parts read; None is a client that disconnects."""
    parts_read = 0

    async def receive() -> Message:
        nonlocal parts_read
        part = parts[parts_read]
        parts_read += 1
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": parts_read < len(parts)}

    scope: Any = {"headers": [(k.encode(), v.encode()) for k, v in headers.items()]}
    try:
        return asyncio.run(read_body(scope, receive)), parts_read
    except BodyTooLarge as error:
        error.add_note(str(parts_read))
        raise


def test_parts_are_joined() -> None:
    assert read([b"{", b"", b"}"], JSON) == (b"{}", 3)


def test_exactly_the_limit_is_allowed() -> None:
    body, _ = read([b"x" * MIB] * 10, JSON)
    assert len(body) == BODY_BYTES


def test_too_large_is_refused_while_reading() -> None:
    with pytest.raises(BodyTooLarge) as refused:
        read([b"x" * MIB] * 1000, JSON)
    assert refused.value.__notes__ == ["11"]


@pytest.mark.parametrize("length", [str(BODY_BYTES + 1), "9" * 5000])
def test_an_announced_length_is_refused_unread(length: str) -> None:
    with pytest.raises(BodyTooLarge) as refused:
        read([b""], {**JSON, "content-length": length})
    assert refused.value.__notes__ == ["0"]


@pytest.mark.parametrize("length", ["1", "-5", "abc", ""])
def test_a_wrong_content_length_changes_nothing(length: str) -> None:
    assert read([b"abc"], {**JSON, "content-length": length})[0] == b"abc"


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_may_name_its_charset(media: str) -> None:
    assert read([b"{}"], {"content-type": media})[0] == b"{}"


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-type": "text/plain"}, {"content-type": "application/jsonp"},
     {"content-type": "multipart/form-data; boundary=x"}, {"content-type": ""},
     {"content-type": "application/json; charset=latin-1"}, {**JSON, "content-encoding": "gzip"}],
)  # fmt: skip
def test_another_media_type_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(WrongMediaType):
        read([b"{}"], headers)


def test_a_client_that_disconnects_is_detected() -> None:
    with pytest.raises(ClientLeft):
        read([b"{", None], JSON)


def test_a_slow_body_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "BODY_SECONDS", 0.01)

    async def never() -> Message:
        await asyncio.sleep(60)
        return {}

    scope: Any = {"headers": [(b"content-type", b"application/json")]}
    with pytest.raises(BodyTooSlow):
        asyncio.run(read_body(scope, never))
