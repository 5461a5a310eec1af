"""Values as JSON holds them, which has no number for what is undefined."""

import math
from typing import Any


def finite_or_none(value: Any) -> Any:
    """The value with None for every number that is not finite, also inside of dicts and lists.

    Tuples become lists.
    """
    if isinstance(value, dict):
        return {name: finite_or_none(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
