"""The page of the HTTP operations, from the OpenAPI document that the service serves."""

from importlib.metadata import version
from typing import Any

from markdown import table

from models.targets.registry import TARGETS
from serve.http.openapi import build_openapi
from serve.routes import OPERATIONS


def page() -> str:
    """The page as Markdown."""
    described = build_openapi(OPERATIONS, version("goodwill"), TARGETS)
    parts = [
        "# HTTP operations\n",
        "From the OpenAPI document at `/openapi.json`; the page at `/docs` shows it with examples. "
        "[HTTP API](http-api.md) explains how to use them.\n",
    ]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            parts += [
                f"## `{method.upper()} {path}`\n",
                _text(operation),
                _answers(operation, described["components"]["responses"]),
            ]
    return "\n".join(parts)


def _text(operation: dict[str, Any]) -> str:
    summary, description = operation.get("summary", ""), operation.get("description", "")
    return "\n\n".join(t for t in (summary, description) if t) + "\n"


def _answers(operation: dict[str, Any], shared: dict[str, Any]) -> str:
    rows = []
    for code, answer in sorted(operation["responses"].items()):
        if "$ref" in answer:
            answer = shared[answer["$ref"].rsplit("/", 1)[1]]
        rows.append((f"`{code}`", answer.get("description", "")))
    return table(("status", "answer"), rows)
