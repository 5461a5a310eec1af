"""A figure as an evaluation tells it. Numbers are never NaN: what is not known is null."""

from pydantic import BaseModel, ConfigDict


class Told(BaseModel):
    """A part of an evaluation; unknown keys are refused, so that an older file is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(Told):
    """A value with its 95 % interval."""

    value: float
    low: float | None = None
    high: float | None = None
