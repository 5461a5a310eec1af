"""Population conditions: both ends are included, a missing value is not."""

import pyarrow as pa
import pytest

from models.targets.target import Condition, population_mask

TABLE = pa.table({"days": [float("nan"), 0.0, 13.9, 14.0, 14.1, -1.0]})


@pytest.mark.parametrize(
    ("condition", "inside"),
    [
        (None, [1, 1, 1, 1, 1, 1]),
        (Condition("days"), [0, 1, 1, 1, 1, 1]),
        (Condition("days", at_least=0), [0, 1, 1, 1, 1, 0]),
        (Condition("days", at_most=14), [0, 1, 1, 1, 0, 1]),
        (Condition("days", at_least=0, at_most=14), [0, 1, 1, 1, 0, 0]),
    ],
)
def test_population_mask(condition: Condition | None, inside: list[int]) -> None:
    assert population_mask(TABLE, condition).tolist() == [bool(i) for i in inside]
