"""Parses and validates request bodies and queries; errors never hold a value that was sent."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.types import Scope

from serve.errors import InvalidRequest, MalformedJson, Problem

Request = TypeVar("Request", bound=BaseModel)

#: Above this, a float64 cannot hold every whole number.
LARGEST_WHOLE = 2**53
MOST_PROBLEMS = 20
#: A longer query is refused before it is parsed.
QUERY_BYTES = 4_096

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedJson("an object of the body has a duplicate key")
    return found


def _whole(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > LARGEST_WHOLE:
        raise MalformedJson("a whole number in the body is larger than 2^53 and would lose digits")
    return number


def _fraction(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJson("a number in the body is too large for a float64")
    return number


def _constant(name: str) -> float:
    raise MalformedJson(f"{name} is not JSON; send null for a missing number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole, parse_float=_fraction, parse_constant=_constant
)


def parse_json(body: bytes) -> Any:
    """Parse a JSON text in UTF-8.

    Raises MalformedJson, also for what RFC 8259 leaves open or Python tolerates: duplicate keys, NaN
    and infinities, numbers that a float64 cannot hold, a byte order mark, lone surrogates.
    """
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text)
        if _SURROGATE.search(text):  # rare, so the check may be slow
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise MalformedJson(
            f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except UnicodeDecodeError as error:
        raise MalformedJson(f"the body is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise MalformedJson("a text in the body holds half a surrogate pair") from None
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    return value


def parse_request(model: type[Request], body: bytes) -> Request:
    """Parse the request in `body`. Raises MalformedJson, or InvalidRequest listing the problems."""
    value = parse_json(body)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        count = error.error_count()
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [to_problem(model, one) for one in found[:MOST_PROBLEMS]]
    noun = "problem" if count == 1 else "problems"
    raise InvalidRequest(f"the request has {count} {noun}", problems, _rows_by_rule(found))


def parse_query(model: type[Request], scope: Scope) -> Request:
    """Parse the query parameters of a call. Raises InvalidRequest listing the problems."""
    raw: bytes = scope["query_string"]
    if len(raw) > QUERY_BYTES:
        raise InvalidRequest(f"the query is longer than {QUERY_BYTES} bytes")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise InvalidRequest("the query is not percent-encoded UTF-8") from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise InvalidRequest("a query parameter is given twice")
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [
            Problem(f"query.{p.where}", p.problem)
            for p in (to_problem(model, one) for one in found)
        ]
    raise InvalidRequest(f"the query has {len(problems)} problem(s)", problems)


def _rows_by_rule(errors: Sequence[ErrorDetails]) -> Counter[str]:
    """Count the rows that break each rule; a problem outside of rows counts as one row."""
    broken = set()
    for error in errors:
        steps = error["loc"]
        depth = next((i + 1 for i, step in enumerate(steps) if isinstance(step, int)), 0)
        broken.add((error["type"], steps[:depth]))
    return Counter(rule for rule, _ in broken)


@lru_cache(maxsize=32)
def field_names(model: type[BaseModel]) -> tuple[str, ...]:
    """Return all field names of a model and of the models inside it."""
    schema = model.model_json_schema()
    parts = (schema, *schema.get("$defs", {}).values())
    return tuple(sorted({name for part in parts for name in part.get("properties", {})}))


def to_problem(model: type[BaseModel], error: ErrorDetails) -> Problem:
    """Convert an error of pydantic to a problem without the value."""
    known = field_names(model)
    if error["type"] != "extra_forbidden":
        return Problem(_where(error["loc"], known), error["msg"])
    near = get_close_matches(str(error["loc"][-1]), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return Problem(_where(error["loc"], known), f"unknown field{hint}")


def _where(location: tuple[int | str, ...], known: Sequence[str]) -> str:
    """Format the location in the body; an unknown name may be client data, so it becomes `*`."""
    steps = [
        f"[{step}]" if isinstance(step, int) else f".{step if step in known else '*'}"
        for step in location
    ]
    return "".join(steps).lstrip(".") or "body"


def check_targets(wanted: list[str] | None, known: list[str]) -> list[str] | None:
    """Return the distinct wanted targets. Raises InvalidRequest with the known and similar names."""
    problems = []
    for place, target in enumerate(wanted or []):
        if target not in known:
            near = get_close_matches(target, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(Problem(f"targets[{place}]", f"unknown target{hint}"))
    if problems:
        raise InvalidRequest(f"known targets are {', '.join(sorted(known))}", problems)
    return list(dict.fromkeys(wanted)) if wanted else None
