"""The OpenAPI 3.1 document, built from the table of operations and the pydantic models."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from serve.errors import OUTCOMES, RETRY_SECONDS, ApiError, Unexpected
from serve.records import ID_LENGTH
from serve.schemas import ErrorAnswer

REF = "#/components/schemas/{model}"

_DESCRIPTION = """\
Customer quality predicted: satisfaction, NPS, churn and value.
Every error has one shape, every answer carries `X-Request-ID`; send your own short token in that
header to find a call again. Bodies are `application/json` in UTF-8 up to 10 MiB. No value that
was sent is repeated in an error."""

_REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "required": False,
    "description": "Your name for this call; another one is made up when it is not a plain token.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}
_CUSTOMER = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "A customer_id of the snapshot. One that holds a slash goes to POST /v1/scores.",
    "schema": {"type": "string", "minLength": 1, "maxLength": ID_LENGTH},
    "example": "C-1001",
}
_HEADERS = {"X-Request-ID": {"schema": {"type": "string"}, "description": "The id of this call."}}


@dataclass(frozen=True)
class Operation:
    """One route: its handler's name is the operation id, the handler's docstring the text.

    `answer` is a model, or the media type of an answer that is not JSON of ours.
    """

    method: str
    path: str
    handle: Callable[..., Any]
    answer: type[BaseModel] | str
    body: type[BaseModel] | None = None
    errors: tuple[type[ApiError], ...] = ()
    tag: str = "operating"
    quiet: bool = field(default=False)

    @property
    def name(self) -> str:
        return self.handle.__name__


def document(operations: Sequence[Operation], version: str, targets: Iterable[str]) -> Any:
    """The OpenAPI document; `targets` are those the service knows now."""
    schemas = _schemas(operations)
    for name in ("ScoreRequest", "RecordsRequest"):
        _name_targets(schemas[name], sorted(targets))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Goodwill", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "responses": _error_responses()},
    }


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ErrorAnswer, "serialization")]
    for operation in operations:
        if operation.body is not None:
            wanted.append((operation.body, "validation"))
        if not isinstance(operation.answer, str):
            wanted.append((operation.answer, "serialization"))
    _, found = models_json_schema(list(dict.fromkeys(wanted)), ref_template=REF)
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _name_targets(schema: dict[str, Any], targets: list[str]) -> None:
    """Close the list of targets to those known, once there are some."""
    listed = schema["properties"]["targets"]["anyOf"][0]
    if targets:
        listed["items"] = {"type": "string", "enum": targets}


def _operation(operation: Operation) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(operation.handle.__doc__ or "").partition("\n\n")
    parameters = [_CUSTOMER] if "{id}" in operation.path else []
    failing = (*operation.errors, Unexpected)
    answer = {"description": "The answer.", "headers": _HEADERS, "content": _content(operation)}
    made: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary,
        "description": description or summary,
        "parameters": [*parameters, _REQUEST_ID],
        "responses": {"200": answer}
        | {str(OUTCOMES[error].status): _response_ref(error) for error in failing},
    }
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": _json(operation.body)}
    return made


def _content(operation: Operation) -> dict[str, Any]:
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
    for error, outcome in OUTCOMES.items():
        headers = dict(_HEADERS)
        if outcome.status == 503:
            headers["Retry-After"] = {
                "schema": {"type": "string"},
                "description": f"Seconds to wait, now {RETRY_SECONDS}.",
            }
        example = error(outcome.meaning).body("7f1c2a")
        schema = {"$ref": REF.format(model=ErrorAnswer.__name__)}
        responses[error.__name__] = {
            "description": outcome.meaning,
            "headers": headers,
            "content": {"application/json": {"schema": schema, "example": example}},
        }
    return responses
