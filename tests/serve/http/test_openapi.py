"""The document is valid OpenAPI 3.1, its examples fit its schemas, and it has all routes."""

import re
from pathlib import Path
from typing import Any

import pytest

from serve.http.openapi import build_openapi
from serve.routes import OPERATIONS
from support.service_in_process import Service

DOCUMENT = build_openapi(OPERATIONS, "1", ["churn", "value"])
MEDIA = [
    pytest.param(content, id=f"{method} {path} {side}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    for side, holder in [
        ("body", operation.get("requestBody", {"content": {}})),
        ("200", operation["responses"]["200"]),
    ]
    for content in holder["content"].values()
    if "example" in content
] + [
    pytest.param(response["content"]["application/json"], id=name)
    for name, response in DOCUMENT["components"]["responses"].items()
]  # fmt: skip


def check(value: Any, schema: Any) -> None:
    """Validate against a schema of the document. Importing jsonschema takes five seconds."""
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    resource: Resource[Any] = Resource(contents=DOCUMENT, specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:api", resource)
    absolute = {"$ref": "urn:api" + schema["$ref"]} if "$ref" in schema else schema
    Draft202012Validator(absolute, registry=registry, format_checker=FormatChecker()).validate(
        value
    )


def errors_of(document: dict[str, Any]) -> list[Any]:
    """What is wrong with an OpenAPI document."""
    from openapi_spec_validator import OpenAPIV31SpecValidator

    return list(OpenAPIV31SpecValidator(document).iter_errors())


def test_the_document_is_valid() -> None:
    assert errors_of(DOCUMENT) == []


@pytest.mark.parametrize("content", MEDIA)
def test_each_example_fits_its_schema(content: Any) -> None:
    check(content["example"], content["schema"])


def test_all_routes_are_documented() -> None:
    listed = {(m.upper(), p) for p, methods in DOCUMENT["paths"].items() for m in methods}
    assert listed == {(o.method, o.path) for o in OPERATIONS}
    names = [o.name for o in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(o.handle.__doc__ for o in OPERATIONS)


def test_the_reference_lists_exactly_the_routes() -> None:
    text = (Path(__file__).parents[3] / "docs/reference/http-api.md").read_text("utf-8")
    listed = set(re.findall(r"^\| (GET|POST) \| `([^`]+)` \|", text, re.MULTILINE))
    assert listed == {(o.method, o.path) for o in OPERATIONS}


def test_the_known_targets_are_listed() -> None:
    targets = DOCUMENT["components"]["schemas"]["ScoreRequest"]["properties"]["targets"]
    assert targets["anyOf"][0]["items"]["enum"] == ["churn", "value"]
    no_targets = build_openapi(OPERATIONS, "1", [])
    assert errors_of(no_targets) == []


def test_answers_fit_the_document(service: Service) -> None:
    body = {"customer_ids": ["C-1", "C-13", "no"], "reasons": 2}
    score = {"$ref": "#/components/schemas/ScoreAnswer"}
    check(service.post("/v1/scores", json=body).json(), score)
    customer = {"$ref": "#/components/schemas/CustomerAnswer"}
    check(service.get("/v1/customers/C-13").json(), customer)
    check(service.get("/v1/customers").json(), {"$ref": "#/components/schemas/FoundCustomers"})
    check(service.get("/v1/calls").json(), {"$ref": "#/components/schemas/CallsAnswer"})
    check(service.get("/v1/models/churn").json(), {"$ref": "#/components/schemas/ModelAnswer"})
    check(service.get("/v1/models").json(), {"$ref": "#/components/schemas/ModelsAnswer"})
    check(service.get("/v1/customers/C-7").json(), customer)
    for name in ("indicators", "segments"):
        schema = {"$ref": f"#/components/schemas/{name.capitalize()}Answer"}
        check(service.get(f"/v1/{name}").json(), schema)
    check(service.get("/readyz").json(), {"$ref": "#/components/schemas/HealthAnswer"})
    check(service.get("/nothing").json(), {"$ref": "#/components/schemas/ErrorAnswer"})


def test_the_document_is_served(service: Service) -> None:
    served = service.get("/openapi.json").json()
    assert served["openapi"] == "3.1.0"
    assert set(served["paths"]) == set(DOCUMENT["paths"])


def test_the_docs_page_shows_all_routes_and_schemas(service: Service) -> None:
    page = service.get("/docs").text
    for name in [o.path for o in OPERATIONS] + list(DOCUMENT["components"]["schemas"]):
        assert f">{name}<" in page
