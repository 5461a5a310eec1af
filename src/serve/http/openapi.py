"""Builds the OpenAPI 3.1 document from the table of operations and the pydantic models."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from serve.errors import (
    HTTP_OUTCOMES,
    RETRY_SECONDS,
    ApiError,
    Forbidden,
    NoKey,
    TooMany,
    Unexpected,
)
from serve.schemas.record_schemas import ID_LENGTH
from serve.schemas.score_schemas import ErrorAnswer

REF = "#/components/schemas/{model}"

_DESCRIPTION = """\
Predictions of customer satisfaction, NPS, churn and value.
All errors have the same form. Every answer carries `X-Request-ID`; send your own short token in that
header to find a call in the log. Bodies are `application/json` in UTF-8 up to 10 MiB. Errors never
repeat a value that was sent."""

_REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "Your id for this call: up to 64 letters, digits, dots, dashes, underscores; "
    "generated when missing.",
    "schema": {"type": "string"},
    "example": "crm-7f1c2a",
}
_PATH = {
    "id": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "A customer_id of the snapshot. For an id with a slash, use POST /v1/scores.",
        "schema": {"type": "string", "minLength": 1, "maxLength": ID_LENGTH},
        "example": "C-1001",
    },
    "target": {
        "name": "target",
        "in": "path",
        "required": True,
        "description": "A target of /v1/models.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 100},
        "example": "churn",
    },
    "file": {
        "name": "file",
        "in": "path",
        "required": True,
        "description": "A file of the console.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 100},
        "example": "console.css",
    },
}
_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key from `goodwill keys add`; each operation names the scope it needs.",
}
_HEADERS = {"X-Request-ID": {"schema": {"type": "string"}, "description": "The id of this call."}}


@dataclass(frozen=True)
class Lines:
    """A body or an answer of JSON lines, for which OpenAPI 3.1 has no schema."""

    media: str
    example: Any


@dataclass(frozen=True)
class Operation:
    """One route. The handler's name is the operation id, its docstring the description.

    `answer` is a model, or the media type of another answer. `scope` is the scope that an API key
    needs; None: no key is needed. `quiet` calls are not logged.
    """

    method: str
    path: str
    handle: Callable[..., Any]
    answer: type[BaseModel] | Lines | str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | Lines | None = None
    errors: tuple[type[ApiError], ...] = ()
    tag: str = "operating"
    quiet: bool = field(default=False)
    scope: str | None = None

    @property
    def name(self) -> str:
        return self.handle.__name__


def build_openapi(
    operations: Sequence[Operation], version: str, targets: Iterable[str], locked: bool = False
) -> Any:
    """Build the OpenAPI document; `targets` have a model now, `locked` requires API keys."""
    schemas, served = _schemas(operations), sorted(targets)
    for name in ("ScoreRequest", "RecordsRequest", "WhatIfRequest"):
        _restrict_targets(schemas[name]["properties"], served)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _operation(operation, served)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
        if locked and operation.scope:
            described["security"] = [{"key": [operation.scope]}]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Goodwill", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": _error_responses(),
            **({"securitySchemes": {"key": _KEY}} if locked else {}),
        },
    }


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    used: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ErrorAnswer, "serialization")]
    for operation in operations:
        if operation.body is not None and not isinstance(operation.body, Lines):
            used.append((operation.body, "validation"))
        if not isinstance(operation.answer, (str, Lines)):
            used.append((operation.answer, "serialization"))
    _, found = models_json_schema(list(dict.fromkeys(used)), ref_template=REF)
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _restrict_targets(fields: dict[str, Any], targets: list[str]) -> None:
    """Restrict target names to the targets with a model, if there are any."""
    names = {"type": "string", "enum": targets}
    if targets and "targets" in fields:
        fields["targets"]["anyOf"][0]["items"] = names
    elif targets:
        fields["target"] = names


def _operation(operation: Operation, targets: list[str]) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(operation.handle.__doc__ or "").partition("\n\n")
    parameters = [p for name, p in _PATH.items() if f"{{{name}}}" in operation.path]
    parameters += _query(operation.query, targets) if operation.query else []
    refused = (NoKey, Forbidden, TooMany) if operation.scope else ()
    failing = (*operation.errors, *refused, Unexpected)
    answer = {"description": "The answer.", "headers": _HEADERS, "content": _content(operation)}
    made: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary,
        "description": description or summary,
        "parameters": [*parameters, _REQUEST_ID],
        "responses": {"200": answer}
        | {str(HTTP_OUTCOMES[error].status): _response_ref(error) for error in failing},
    }
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": _body(operation.body)}
    return made


def _query(model: type[BaseModel], targets: list[str]) -> list[dict[str, Any]]:
    """Describe the query parameters; a list is comma-separated."""
    described = model.model_json_schema()
    example = described["examples"][0]
    parameters = []
    for name, schema in described["properties"].items():
        schema = {k: v for k, v in schema.items() if k != "title" and v is not None}
        if name == "targets" and targets:
            schema["items"] = {"type": "string", "enum": targets}
        made = {"name": name, "in": "query", "required": False,
                "description": schema.pop("description", ""), "schema": schema}  # fmt: skip
        if schema.get("type") == "array":
            made |= {"style": "form", "explode": False}
        parameters.append(made | ({"example": example[name]} if name in example else {}))
    return parameters


def _body(body: type[BaseModel] | Lines) -> dict[str, Any]:
    if isinstance(body, Lines):
        return {body.media: {"schema": {}, "example": body.example}}
    return _json(body)


def _content(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, Lines):
        return _body(operation.answer)
    if isinstance(operation.answer, str):
        kind = "object" if operation.answer == "application/json" else "string"
        return {operation.answer: {"schema": {"type": kind}}}
    return _json(operation.answer)


def _json(model: type[BaseModel]) -> dict[str, Any]:
    extra = model.model_config.get("json_schema_extra")
    examples = extra["examples"] if isinstance(extra, Mapping) else []
    schema = {"$ref": REF.format(model=model.__name__)}
    example = {"example": examples[0]} if isinstance(examples, list) and examples else {}
    return {"application/json": {"schema": schema, **example}}


def _response_ref(error: type[ApiError]) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{error.__name__}"}


def _error_responses() -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for error, outcome in HTTP_OUTCOMES.items():
        headers = dict(_HEADERS)
        if outcome.status in (429, 503):
            headers["Retry-After"] = {
                "schema": {"type": "string"},
                "description": f"Seconds to wait; {RETRY_SECONDS} for a model.",
            }
        example = error(outcome.meaning).body("7f1c2a")
        schema = {"$ref": REF.format(model=ErrorAnswer.__name__)}
        responses[error.__name__] = {
            "description": outcome.meaning,
            "headers": headers,
            "content": {"application/json": {"schema": schema, "example": example}},
        }
    return responses
