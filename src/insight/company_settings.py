"""What a company's TOML file says about one subject of evaluation, as the subject understands it."""

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from features.config.company import Company
from features.config.table_mapping import Strict, near
from features.errors import ConfigRefused

Section = TypeVar("Section", bound=Strict)


def section(company: Company, name: str, model: type[Section]) -> Section:
    """The section `[insight.<name>]` of a company's file; the defaults of `model` where it has none.

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
    """One pydantic error in the words of a TOML file."""
    path = [str(part) for part in error["loc"] if str(part) != "[key]"]
    place = ".".join(["insight", name, *path])
    if error["type"] == "extra_forbidden":
        return f"unknown key {place}{near(path[-1], _keys(_inside(model, path[:-1])))}"
    if error["type"] == "literal_error":
        return f"{place}: {error['input']!r} is not one of {error['ctx']['expected']}"
    if error["type"] == "missing":
        return f"{place} is missing; it is required"
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message} (got {error['input']!r})"


def _inside(model: type[BaseModel], path: list[str]) -> type[BaseModel]:
    """The model of a place inside a section: that of the field, of its list's or dict's items."""
    for part in path:
        fields = {f.alias or key: f for key, f in model.model_fields.items()}
        if part in fields:  # else the name of an item, whose model is already found
            model = _model_of(fields[part].annotation) or model
    return model


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model a type is or is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_of(inner) for inner in get_args(annotation))
    return next((model for model in found if model), None)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or key for key, field in model.model_fields.items()]
