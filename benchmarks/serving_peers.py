"""The least that could serve the same models, with and without FastAPI: look-up, trees, calibration.

`python -m benchmarks.serving_peers NAME HOME PORT` serves one of them, one process, as ours.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from features.settings import Workspace, disable_telemetry
from models.bundles.champions import load_champions

TARGETS = ("churn", "value")
Answer = list[dict[str, Any]]


def look_up(home: Path) -> Callable[[list[str]], Answer]:
    """A function that scores customers of the snapshot: two numbers each."""
    workspace = Workspace(home)
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet").combine_chunks()
    found, _ = load_champions(workspace.serving("sample"))
    bundles = {target: found[target] for target in TARGETS}
    place = {customer: i for i, customer in enumerate(table["customer_id"].to_pylist())}
    rows = {t: b.estimator.encoder.encode(table) for t, b in bundles.items()}
    level = {t: b.spend.of(table) if b.spend else np.ones(len(place)) for t, b in bundles.items()}

    def score(ids: list[str]) -> Answer:
        at = [place[i] for i in ids]
        numbers = []
        for target, bundle in bundles.items():
            plain = bundle.estimator.booster.predict(rows[target][at], num_threads=1)
            numbers.append(bundle.calibrator.apply(plain * level[target][at]).tolist())
        return [
            {"customer_id": i, "churn": c, "value": v}
            for i, c, v in zip(ids, *numbers, strict=True)
        ]

    return score


def bare(score: Callable[[list[str]], Answer]) -> Any:
    """An ASGI application without a framework, without checks."""

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        answer = json.dumps({"scores": score(json.loads(body)["customer_ids"]) if body else []})
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.encode()})

    return app


def fastapi(score: Callable[[list[str]], Answer]) -> Any:
    """The same as one would write it with FastAPI: request and answer are models."""
    from fastapi import FastAPI
    from pydantic import BaseModel, create_model

    class Asked(BaseModel):
        customer_ids: list[str]
        targets: list[str] | None = None

    each = create_model("Score", customer_id=(str, ...), churn=(float, ...), value=(float, ...))
    measured = create_model("Scores", scores=(list[each], ...))  # type: ignore[valid-type]
    app = FastAPI()

    @app.post("/v1/scores", response_model=measured)
    async def scores(asked: Asked) -> Any:
        return {"scores": score(asked.customer_ids)}

    @app.get("/readyz")
    async def ready() -> Any:
        return {}

    return app


def main() -> None:
    """Serve one of them until the process is ended."""
    import uvicorn

    disable_telemetry()
    name, home, port = sys.argv[1:]
    make = {"bare": bare, "fastapi": fastapi}[name]
    app = make(look_up(Path(home)))
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
