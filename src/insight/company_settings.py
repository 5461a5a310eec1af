"""Read and validate the sections `[insight.<name>]` of a company's TOML file."""

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from features.config.company import Company
from features.config.toml_section import TomlSection, did_you_mean
from features.errors import ConfigRefused

SectionModel = TypeVar("SectionModel", bound=TomlSection)


def read_section(company: Company, name: str, model: type[SectionModel]) -> SectionModel:
    """Read the section `[insight.<name>]` of a company's file; the defaults of `model` if it is absent.

    Raises ConfigRefused with every problem found: unknown keys with the known ones, wrong values.
    """
    raw = company.insight.get(name, {})
    if not isinstance(raw, dict):
        raise ConfigRefused(
            f"{company.path.name}: insight.{name} is {raw!r}; it should be a section [insight.{name}]"
            f" with keys {', '.join(_keys(model))}"
        )
    try:
        return model.model_validate(raw)
    except ValidationError as err:
        lines = "\n".join(f"  - {_explain(name, model, e)}" for e in err.errors())
        raise ConfigRefused(f"{company.path.name} cannot be used:\n{lines}") from None


def _explain(name: str, model: type[BaseModel], error: Any) -> str:
    """Describe one pydantic error in terms of the TOML file."""
    path = [str(part) for part in error["loc"] if str(part) != "[key]"]
    key = ".".join(["insight", name, *path])
    if error["type"] == "extra_forbidden":
        return f"unknown key {key}{did_you_mean(path[-1], _keys(_model_at(model, path[:-1])))}"
    if error["type"] == "literal_error":
        return f"{key}: {error['input']!r} is not one of {error['ctx']['expected']}"
    if error["type"] == "missing":
        return f"{key} is missing; it is required"
    message = error["msg"].removeprefix("Value error, ")
    return f"{key}: {message} (got {error['input']!r})"


def _model_at(model: type[BaseModel], path: list[str]) -> type[BaseModel]:
    """Return the model at a path inside a section: of the field, or of the items of its list or dict."""
    for part in path:
        fields = {f.alias or key: f for key, f in model.model_fields.items()}
        if part in fields:  # else the name of an item: its model is already known
            model = _model_of(fields[part].annotation) or model
    return model


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the pydantic model that a type is or contains."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_of(inner) for inner in get_args(annotation))
    return next((model for model in found if model), None)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or key for key, field in model.model_fields.items()]
