"""The page of a company's TOML file: every section and key, from the models that validate it."""

import re
from typing import Any, get_args

from markdown import doc, table
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from features.config.company import Company
from features.contract import TABLES
from insight.evaluation.evaluation_settings import SECTIONS


def page() -> str:
    """The page as Markdown."""
    parts = [
        "# Company file\n",
        "One TOML file `data/<name>.toml` describes a company. Unknown keys are errors that list the "
        "known ones. [Connect your data](../how-to/connect-your-data.md) shows complete examples.\n",
        _contract(),
    ]
    for key, field in Company.model_fields.items():
        name = field.alias or key
        model = _model_of(field.annotation)
        if model is None or name == "path":
            continue
        place = {
            "tables": "tables.<table>",
            "targets": "targets.<target>",
            "references": "[references]",
        }
        parts += _section(place.get(name, name), model)
    for name, model in SECTIONS.items():
        parts += _section(f"insight.{name}", model)
    return "\n".join(parts)


def _contract() -> str:
    rows = [
        (f"`{name}`", f"`{column.name}`", column.kind, "yes" if column.required else "")
        for name, contract in TABLES.items()
        for column in contract.columns
    ]
    return "## Columns of the contract\n\n" + table(("table", "column", "type", "required"), rows)


def _section(name: str, model: type[BaseModel]) -> list[str]:
    heading = name if name.startswith("[") else f"[{name}]"
    if name.startswith("["):
        heading = f"[{name}]"
    parts = [
        f"## `{heading}`\n",
        f"{doc(model)}\n",
        table(("key", "type", "default"), _rows(model)),
    ]
    for key, field in model.model_fields.items():
        inner = _model_of(field.annotation)
        if inner is not None and inner is not model:
            many = "dict" in str(field.annotation)
            parts += _section(f"{name}.{field.alias or key}" + (".<name>" if many else ""), inner)
    return parts


def _rows(model: type[BaseModel]) -> list[tuple[str, str, str]]:
    return [
        (f"`{field.alias or key}`", _type(field.annotation), _default(field))
        for key, field in model.model_fields.items()
    ]


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined or isinstance(value, BaseModel) or value is None:
        return ""
    return f"`{value!r}`"


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    text = getattr(annotation, "__name__", None) if not get_args(annotation) else str(annotation)
    text = str(text or annotation)
    for noise in ("typing.", "datetime.", "pathlib.", "<class '", "'>"):
        text = text.replace(noise, "")
    text = re.sub(r"\b(?:features|insight)\.[\w.]+\b", "section", text)
    return f"`{text.split('.')[-1] if '[' not in text else text}`"


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_of(inner) for inner in get_args(annotation))
    return next((model for model in found if model), None)
