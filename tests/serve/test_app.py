"""Routing errors have our error answer, and the lifespan refreshes the scorer."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from serve.routes import OPERATIONS
from serve.scoring import reload_loop
from support.service_in_process import Service


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1", "/v1/scores/", "/v1/customers/", "/v1/customers/a/b", "//", "/docs/"],
)
def test_an_unknown_path_is_404(service: Service, refused: Any, path: str) -> None:
    answer = service.call("GET", f"http://testing{path}")
    assert answer.status_code == 404
    assert refused(answer)["code"] == "unknown_path"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_405(service: Service, refused: Any, operation: Any, method: str) -> None:
    if method == operation.method:
        return
    answer = service.call(method, operation.path)
    assert answer.status_code == 405
    assert operation.method in answer.headers["allow"]
    assert refused(answer)["code"] == "wrong_method"


def test_head_is_answered_like_get(service: Service) -> None:
    assert service.call("HEAD", "/livez").status_code == 200


def test_a_client_that_disconnects_gets_no_answer_and_is_counted(service: Service) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/scores",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    asyncio.run(service.app(scope, receive, send))
    assert sent == []
    assert 'route="/v1/scores",status="499"' in service.get("/metrics").text


def test_the_lifespan_refreshes_until_it_ends(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload_loop, "REFRESH_SECONDS", 0.01)

    async def live() -> int:
        async with service.app.router.lifespan_context(service.app):
            await asyncio.sleep(0.3)
        return service.scorer.refreshed

    seen = asyncio.run(live())
    assert seen >= 3
    assert service.scorer.refreshed == seen
