"""Reads a request body within limits of media type, size and time."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from starlette.types import Receive, Scope

from serve.errors import BodyTooLarge, BodyTooSlow, WrongMediaType
from serve.http.middleware import ClientLeft

JSON = b"application/json"
BODY_BYTES = 10 * 2**20
BODY_SECONDS = 30.0

_CLOSE = {"Connection": "close"}


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Read the whole body. Raises WrongMediaType, BodyTooLarge, BodyTooSlow or ClientLeft."""
    headers = dict(scope["headers"])
    check_media_type(headers)
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > BODY_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collect(receive)
    except TimeoutError:
        raise BodyTooSlow(
            f"the body did not arrive within {BODY_SECONDS:.0f} seconds", headers=_CLOSE
        ) from None


async def _collect(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_BYTES:
            raise _too_large()
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(
        f"the body is larger than {BODY_BYTES} bytes; send fewer customers per call", headers=_CLOSE
    )


def check_media_type(headers: Mapping[bytes, bytes], accepted: Sequence[bytes] = (JSON,)) -> None:
    """Raise WrongMediaType unless the body is of an accepted type, in UTF-8 and not compressed."""
    media, *parameters = headers.get(b"content-type", b"").lower().split(b";")
    if media.strip() not in accepted or not _utf8(parameters):
        raise WrongMediaType(f"send Content-Type: {accepted[0].decode()} in UTF-8")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise WrongMediaType("send the body without Content-Encoding")


def _utf8(parameters: Iterable[bytes]) -> bool:
    for parameter in parameters:
        name, _, value = parameter.strip().partition(b"=")
        if name == b"charset" and value.strip(b'"') not in (b"utf-8", b"utf8"):
            return False
    return True
