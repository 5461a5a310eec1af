"""A service in this process with a fake scorer, called over ASGI."""

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette

from serve.app import build_app
from serve.scoring.reload_loop import ScorerLoader
from support.fake_scorer import FakeScorer


class Service:
    """The application with a fake scorer; each call runs in a new event loop."""

    def __init__(self, **settings: Any) -> None:
        self.scorer = FakeScorer()
        self.loader = ScorerLoader(lambda: self.scorer)
        self.loader.refresh()
        self.app: Starlette = build_app(self.loader, **settings)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._call(method, path, options))

    async def _call(self, method: str, path: str, options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testing") as client:
            return await client.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.call("POST", path, **options)

    def post_text(self, path: str, body: bytes | str) -> httpx.Response:
        return self.post(path, content=body, headers={"content-type": "application/json"})


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Return the error of an answer after checking its form."""
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["request_id"] == response.headers["x-request-id"]
    assert all(set(detail) == {"where", "problem"} for detail in error["details"])
    return error
