"""The API documentation as an HTML page that loads nothing from the internet."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem;
border-top:1px solid #8886;padding-top:1rem}
h3{font-size:1rem;margin-bottom:.2rem}
pre{background:#8881;padding:.8rem;border-radius:.4rem;overflow:auto;font-size:.85rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .8rem .3rem 0;
border-bottom:1px solid #8884;vertical-align:top}
code{font-size:.9em}.method{font-weight:700}.wide{overflow:auto}
"""
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def docs_page(document: Mapping[str, Any]) -> HTMLResponse:
    """Render the OpenAPI document as an HTML page."""
    info = document["info"]
    parts = [f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>"]
    parts.append(f"<p>{escape(info['description'])}</p>")
    parts.append('<p><a href="openapi.json">openapi.json</a> · <a href=".">console</a></p>')
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(document, method, path, operation))
    parts.append("<h2>Schemas</h2>")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(f"<h3 id='{escape(name)}'>{escape(name)}</h3>")
        parts.append(f"<p>{escape(schema.get('description', ''))}</p>{_fields(schema)}")
    return _page("Goodwill API", "".join(parts))


def _operation(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]
) -> str:
    title = f"<span class='method'>{method.upper()}</span> <code>{escape(path)}</code>"
    parts = [f"<h2>{title}</h2><p>{escape(operation['description'])}</p>"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        parts.append(f"<h3>Request {_schema_link(body)}</h3>{_example(body)}")
    for status, response in operation["responses"].items():
        if status == "200":
            for media, content in response["content"].items():
                parts.append(f"<h3>Answer {escape(media)} {_schema_link(content)}</h3>")
                parts.append(_example(content))
    errors = [
        (status, _response(document, response)["description"])
        for status, response in operation["responses"].items()
        if status != "200"
    ]
    parts.append(f"<h3>Errors</h3>{_table(('Status', 'Meaning'), errors)}")
    return "".join(parts)


def _response(document: Mapping[str, Any], response: Mapping[str, Any]) -> Mapping[str, Any]:
    name = response["$ref"].rsplit("/", 1)[-1]
    found: Mapping[str, Any] = document["components"]["responses"][name]
    return found


def _schema_link(content: Mapping[str, Any]) -> str:
    ref = content["schema"].get("$ref")
    if ref is None:
        return ""
    name = escape(ref.rsplit("/", 1)[-1])
    return f"<a href='#{name}'>{name}</a>"


def _example(content: Mapping[str, Any]) -> str:
    if "example" not in content:
        return ""
    text = json.dumps(content["example"], indent=2, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (name, _kind(field), "yes" if name in required else "", field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]
    return _table(("Field", "Type", "Required", "Meaning"), rows)


def _kind(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"])
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}))}"
    return str(field.get("format") or field.get("type", "any"))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<div class='wide'><table><tr>{top}</tr>{body}</table></div>"


def _page(title: str, body: str) -> HTMLResponse:
    text = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
    return HTMLResponse(text, headers=_POLICY)
