"""Invalid bodies for each operation that takes one: refused, or answered correctly."""

import copy
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serve.http.openapi import Lines, Operation
from serve.routes import OPERATIONS
from support.served_company import Served, error_code, figure, served

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

POSTS = {o.path: o for o in OPERATIONS if o.method == "POST"}
#: Stands in every text that is sent: where an error repeats it, it was echoed.
CANARY = "zq5550123"
#: JSON texts that replace each value of an operation's example.
VALUES = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e308", "5e-324", "-0.0"),
    *("true", "null", "12", '"12"', "-1", "9007199254740993", "9" * 5_000, "[]", "{}", "[[[]]]"),
    *(f'"{CANARY}"', '""', f'"{CANARY * 3_000}"', f'"{CANARY}\\u0000"'),
    *(f'"{CANARY}\\ud800"', f'"\\udc00{CANARY}"', f'"{CANARY}\\ud83d\\ude00"'),
    *(f'"{CANARY}😀👩‍👩‍👧"', f'"\u202eאבג{CANARY}"', f'"مرحبا{CANARY}"', f'"非常{CANARY}"'),
    f'"{CANARY}\'; DROP TABLE customers; --"',
    f'"=HYPERLINK(\\"http://{CANARY}\\")"',
    f'"{{{{7*7}}}}${{jndi:ldap://{CANARY}}}<script>{CANARY}</script>"',
    f'{{"{CANARY}": 1}}',
    f'["{CANARY}"]',
)
DEEP = 50_000
_HERE = "@here@"
EXAMPLE = "C-1001"


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("rough") / "home") as running:
        yield running
        text = running.log()
    assert CANARY not in text
    assert "Traceback" not in text


@pytest.fixture(scope="module")
def client(now: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=now.server.url, trust_env=False, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
def customer(now: Served) -> str:
    """A customer whose reply time can be set as in the example of what-if."""
    for found in now.ids[:200]:
        levers = {
            lever["lever"]: lever for lever in now.get(f"/v1/customers/{found}").json()["levers"]
        }
        reply = levers.get("reply time")
        if reply and reply["least"] <= 12.0 <= reply["most"] and "churn" in reply["targets"]:
            return found
    raise AssertionError("no customer's reply time can be set to 12 hours")


def examples(operation: Operation, customer: str) -> list[Any]:
    """The examples of a body in the OpenAPI document, for an existing customer."""
    if isinstance(operation.body, Lines):
        found: list[Any] = [operation.body.example]
    else:
        assert operation.body is not None
        found = operation.body.model_config["json_schema_extra"]["examples"]  # type: ignore[index]
    text = json.dumps(found)
    assert EXAMPLE in text
    about: list[Any] = json.loads(text.replace(EXAMPLE, customer))
    return about


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The path of each value inside a JSON value, itself included."""
    yield ()
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from ((key, *place) for place in places(part))


def with_value(example: Any, place: tuple[Any, ...], text: str) -> bytes:
    """The example as JSON, with a JSON text at one path."""
    if not place:
        return text.encode("utf-8")
    made = copy.deepcopy(example)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = _HERE
    return json.dumps(made).replace(f'"{_HERE}"', text).encode("utf-8")


def raw_bodies(example: Any) -> dict[str, bytes]:
    """Bodies that are invalid as a whole."""
    plain = json.dumps(example).encode()
    return {
        "empty": b"",
        "not-json": f"{CANARY}: yes".encode(),
        "cut": plain[: len(plain) // 2],
        "bom": b"\xef\xbb\xbf" + plain,
        "utf-16": plain.decode().encode("utf-16"),
        "invalid-utf-8": plain[:-2] + b'\xff\xfe"' + plain[-2:],
        "overlong-utf-8": plain[:-2] + b"\xc0\xaf" + plain[-2:],
        "raw-surrogate": plain[:-2] + b"\xed\xa0\x80" + plain[-2:],
        "nul": plain[:-1] + b"\x00" + plain[-1:],
        "duplicate-keys": plain[:-1] + b", " + plain[1:],
        "deep-lists": b"[" * DEEP + b"]" * DEEP,
        "deep-objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        "two-values": plain + b" " + plain,
        "comment": b"/* " + CANARY.encode() + b" */" + plain,
        "gzip-unsaid": gzip.compress(plain),
        "many-fields": json.dumps({f"{CANARY}{n}": n for n in range(5_000)}).encode(),
    }


def assert_answered_correctly(answer: httpx.Response, operation: Operation) -> None:
    """Refused with our error answer, or answered; errors repeat nothing that was sent."""
    details = f"{operation.path} {answer.request.content[:300]!r}: {answer.text[:300]}"
    assert answer.status_code < 500, details
    if answer.status_code != 200:
        assert answer.status_code >= 400, details
        error_code(answer.content)
        assert CANARY not in answer.text, details
        assert not any(CANARY in value for value in answer.headers.values()), details
    elif isinstance(operation.body, Lines):
        *lines, last = [json.loads(line) for line in answer.text.splitlines()]
        errors = [line["error"] for line in lines if "error" in line]
        assert last["failed"] == len(errors), details
        assert last.get("end") is True or last["error"]["code"] == "line_too_long", details
        assert CANARY not in json.dumps([errors, last]), details
    else:
        _strictly_json(answer.text)


def _strictly_json(text: str) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in an answer")

    json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("path", POSTS)
def test_an_invalid_value_at_any_path(client: httpx.Client, customer: str, path: str) -> None:
    operation, statuses = POSTS[path], list[int]()
    for example in examples(operation, customer):
        plain = client.post(path, content=json.dumps(example), headers=_json(operation))
        assert plain.status_code == 200, plain.text
        for place in places(example):
            for value in VALUES:
                body = with_value(example, place, value)
                answer = client.post(path, content=body, headers=_json(operation))
                assert_answered_correctly(answer, operation)
                statuses.append(answer.status_code)
    figure(f"rough values for {path}", {s: statuses.count(s) for s in sorted(set(statuses))})
    assert len(statuses) >= 2 * len(VALUES)


def _json(operation: Operation) -> dict[str, str]:
    is_lines = isinstance(operation.body, Lines)
    return {"content-type": operation.body.media if is_lines else "application/json"}  # type: ignore[union-attr]


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_invalid_as_a_whole(client: httpx.Client, customer: str, path: str) -> None:
    operation = POSTS[path]
    for name, body in raw_bodies(examples(operation, customer)[0]).items():
        answer = client.post(path, content=body, headers=_json(operation))
        assert_answered_correctly(answer, operation)
        if not isinstance(operation.body, Lines):
            assert answer.status_code in (400, 422), (name, answer.text[:300])
        elif name != "empty":
            assert '"error"' in answer.text, (name, answer.text[:300])


@pytest.mark.parametrize("path", POSTS)
def test_another_encoding_is_refused(client: httpx.Client, customer: str, path: str) -> None:
    body = json.dumps(examples(POSTS[path], customer)[0]).encode()
    zipped = {**_json(POSTS[path]), "content-encoding": "gzip"}
    for content, headers in (
        (gzip.compress(body), zipped),
        (body, zipped),
        (body, {"content-type": "text/plain"}),
        (body, {"content-type": f"application/{CANARY}"}),
        (body, {"content-type": "application/json; charset=utf-16"}),
        (body, {}),
    ):
        answer = client.post(path, content=content, headers=headers)
        assert_answered_correctly(answer, POSTS[path])
        assert (answer.status_code, error_code(answer.content)) == (415, "wrong_media_type")


@pytest.mark.parametrize("text", [v for v in VALUES if CANARY in v and "\\ud8" not in v])
def test_an_unknown_id_comes_back_as_it_was_sent(client: httpx.Client, text: str) -> None:
    """The correct answer to an odd id is that the customer is unknown."""
    if text[0] != '"' or "\\udc" in text or len(text) > 200 or "\\u0000" in text:
        return
    body = f'{{"customer_ids": [{text}]}}'.encode()
    answer = client.post("/v1/scores", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["unknown_customers"] == [json.loads(text)]


def test_the_service_still_answers(now: Served) -> None:
    assert len(now.score()["scores"]) == 5
    served_well = r'goodwill_requests_total\{method="\w+",route="/v1/[^"]*",status="([^"]*)"'
    statuses = set(re.findall(served_well, now.get("/metrics").text))
    assert statuses >= {"200", "400", "415", "422"}
    assert not any(status >= "500" for status in statuses)
