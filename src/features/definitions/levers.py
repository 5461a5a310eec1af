"""Levers: values that a company can change by its own actions, declared by features."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Lever:
    """A value that a company can change, in one direction only.

    "down" is a cap: every column of the lever in its `unit` is at most the amount, and a share of
    cases above zero becomes zero with a cap of zero. "up" is a count reached in the shortest window;
    longer windows grow by as much, and days since the last event shrink as if events were evenly
    spread. `en` and `zh` are clauses with `{start}`, `{end}` and `{window}` (days); `form` is the
    format of an amount (`features.definitions.phrases`).
    """

    name: str
    unit: str
    direction: Literal["down", "up"]
    en: str
    zh: str
    form: str


def attribute_lever(attribute: str) -> Lever:
    """A number of the customer's record that the company can lower, such as a price."""
    shown = attribute.replace("_", " ")
    return Lever(
        shown,
        unit="attribute",
        direction="down",
        en=f"{shown} had been {{end}} (it is {{start}})",
        zh=f"{shown}为{{end}}（现在{{start}}）",
        form="",
    )


REPLY_TIME = Lever(
    "reply time",
    unit="hours",
    direction="down",
    en="no first reply had taken longer than {end} (the longest took {start})",
    zh="首次回复都不超过{end}（现在最长{start}）",
    form="hours",
)
PUNCTUALITY = Lever(
    "delivery lateness",
    unit="days",
    direction="down",
    en="the worst delivery had come {end} (it came {start})",
    zh="最差的一次配送为{end}（现在{start}）",
    form="lateness",
)
CONTACT = Lever(
    "contact frequency",
    unit="visits",
    direction="up",
    en="there had been {end} sales visits in {window} days (there were {start})",
    zh="{window}天内有{end}次销售拜访（现在{start}次）",
    form="visits",
)
