"""What became of new models and snapshots: taken up, refused with the old one kept, or failed."""

from collections.abc import Collection, Sequence
from typing import Any

from models.targets.registry import TARGETS

SNAPSHOT = "snapshot"
#: In the order of a stamp: the pointer of each target, then the snapshot.
PARTS = (*TARGETS, SNAPSHOT)


def reload_results(
    before: Sequence[Any], after: Sequence[Any], held: Collection[str], found: Collection[str]
) -> dict[str, str]:
    """By part whose file changed between two stamps: `loaded`, `kept` (the old one) or `failed`.

    `held` are the parts that served before, `found` those that could be read now. A part that
    went away and was not served is nobody's concern.
    """
    return {
        part: "loaded" if part in found else "kept" if part in held else "failed"
        for part, old, new in zip(PARTS, before, after, strict=True)
        if new != old and (new is not None or part in held)
    }
