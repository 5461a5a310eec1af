"""What a call says behind the question mark of its address, checked like a body."""

from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.types import Scope

from serve.errors import InvalidRequest, Problem
from serve.http.request_parsing import to_problem

Query = TypeVar("Query", bound=BaseModel)

#: A longer one is refused before it is taken apart.
QUERY_BYTES = 4_096


def parse_query(model: type[Query], scope: Scope) -> Query:
    """The parameters of a call. Raises InvalidRequest naming every problem, never a value."""
    raw: bytes = scope["query_string"]
    if len(raw) > QUERY_BYTES:
        raise InvalidRequest(f"the query is longer than {QUERY_BYTES} bytes")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise InvalidRequest("the query is not percent-encoded UTF-8") from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise InvalidRequest("a parameter of the query is given twice")
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [
            Problem(f"query.{p.where}", p.problem)
            for p in (to_problem(model, one) for one in found)
        ]
    raise InvalidRequest(f"the query has {len(problems)} problem(s)", problems)
