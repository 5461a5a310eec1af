"""From the bytes of a body to a checked request, or an error that never holds a sent value."""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from serve.errors import InvalidRequest, MalformedJson, Problem

Request = TypeVar("Request", bound=BaseModel)

#: Beyond this, a float64 no longer holds every whole number.
LARGEST_WHOLE = 2**53
MOST_PROBLEMS = 20

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedJson("an object of the body has the same key twice")
    return found


def _whole(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > LARGEST_WHOLE:
        raise MalformedJson("a whole number of the body lies beyond 2^53 and would lose digits")
    return number


def _fraction(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJson("a number of the body is too large for a float64")
    return number


def _constant(name: str) -> float:
    raise MalformedJson(f"{name} is not JSON; send null where there is no number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole, parse_float=_fraction, parse_constant=_constant
)


def parse_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises MalformedJson on anything RFC 8259 leaves open or Python takes for granted: duplicate
    keys, NaN and infinities, numbers a float64 cannot hold, a byte order mark, lone surrogates.
    """
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text)
        if _SURROGATE.search(text):  # rare, so the proof may be slow
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise MalformedJson(
            f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except UnicodeDecodeError as error:
        raise MalformedJson(f"the body is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise MalformedJson("a text of the body holds half a surrogate pair") from None
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    return value


def parse_request(model: type[Request], body: bytes) -> Request:
    """The request in `body`. Raises MalformedJson, or InvalidRequest naming every problem."""
    value = parse_json(body)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        count = error.error_count()
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [to_problem(model, one) for one in found[:MOST_PROBLEMS]]
    noun = "problem" if count == 1 else "problems"
    raise InvalidRequest(f"the request has {count} {noun}", problems, _rows_by_rule(found))


def _rows_by_rule(errors: Sequence[ErrorDetails]) -> Counter[str]:
    """How many rows break each rule; what belongs to no row is one row of the body."""
    broken = set()
    for error in errors:
        steps = error["loc"]
        place = next((i + 1 for i, step in enumerate(steps) if isinstance(step, int)), 0)
        broken.add((error["type"], steps[:place]))
    return Counter(rule for rule, _ in broken)


@lru_cache(maxsize=32)
def field_names(model: type[BaseModel]) -> tuple[str, ...]:
    """Every name of ours in a model and in the models inside it."""
    schema = model.model_json_schema()
    parts = (schema, *schema.get("$defs", {}).values())
    return tuple(sorted({name for part in parts for name in part.get("properties", {})}))


def to_problem(model: type[BaseModel], error: ErrorDetails) -> Problem:
    """One of pydantic's findings in our words, without the value."""
    known = field_names(model)
    if error["type"] != "extra_forbidden":
        return Problem(_where(error["loc"], known), error["msg"])
    near = get_close_matches(str(error["loc"][-1]), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return Problem(_where(error["loc"], known), f"this field is not known{hint}")


def _where(place: tuple[int | str, ...], known: Sequence[str]) -> str:
    """The place in the body; a name that is not ours is the client's data, so it becomes `*`."""
    steps = [
        f"[{step}]" if isinstance(step, int) else f".{step if step in known else '*'}"
        for step in place
    ]
    return "".join(steps).lstrip(".") or "body"


def check_targets(wanted: list[str] | None, known: list[str]) -> list[str] | None:
    """The wanted targets, each once. Raises InvalidRequest naming the known and the nearest."""
    problems = []
    for place, target in enumerate(wanted or []):
        if target not in known:
            near = get_close_matches(target, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(Problem(f"targets[{place}]", f"not a known target{hint}"))
    if problems:
        raise InvalidRequest(f"known targets are {', '.join(sorted(known))}", problems)
    return list(dict.fromkeys(wanted)) if wanted else None
