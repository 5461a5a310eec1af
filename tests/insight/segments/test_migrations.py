"""Migrations between tiers: the matrix adds up, and every migration has a cause."""

import numpy as np
import pandas as pd
import pytest

from insight.segments.migrations import count_causes, find_migrations, migration_matrix
from insight.segments.tier_thresholds import TierThresholds

OLD = TierThresholds(("A", "B"), (50.0,))
SHARE = {"loyalty": 0.5, "power": 0.5}


def table(rows: dict[str, tuple[str | None, float, float]]) -> pd.DataFrame:
    found = pd.DataFrame.from_dict(rows, orient="index", columns=["tier", "loyalty", "power"])
    return found.assign(value_score=(found["loyalty"] + found["power"]) / 2)


BEFORE = table(
    {
        "stays": ("A", 60, 60), "falls": ("A", 60, 60), "rises": ("B", 40, 40), "leaves": ("B", 1, 1),
        "confirmed": ("A", 30, 30), "vanishes": ("A", 70, 70), "appears": (None, np.nan, np.nan),
        "redrawn": ("A", 55, 55),
    }
)  # fmt: skip
AFTER = table(
    {
        "stays": ("A", 62, 60), "falls": ("B", 10, 65), "rises": ("A", 45, 70), "enters": ("B", 9, 9),
        "confirmed": ("B", 31, 30), "vanishes": (None, np.nan, np.nan), "appears": ("A", 80, 80),
        "redrawn": ("B", 56, 54),
    }
)  # fmt: skip


def test_every_migration_has_its_cause() -> None:
    found = find_migrations(BEFORE, AFTER, SHARE, OLD, TierThresholds(("A", "B"), (56.0,)))
    assert found["cause"].to_dict() == {
        "falls": "loyalty", "rises": "power", "leaves": "left", "enters": "entered",
        "confirmed": "confirmed", "vanishes": "score vanished", "appears": "score appeared",
        "redrawn": "borders",
    }  # fmt: skip
    assert found["points"].dropna().to_dict() == {"falls": -25.0, "rises": 15.0}
    assert found.loc["falls", ["before", "after"]].tolist() == ["A", "B"]


def test_unchanged_thresholds_are_no_cause() -> None:
    found = find_migrations(BEFORE, AFTER, SHARE, OLD, OLD)
    assert found.loc["redrawn", "cause"] == "confirmed"


def test_no_migrations() -> None:
    same = find_migrations(BEFORE, BEFORE, SHARE, OLD, OLD)
    assert same.empty
    assert list(same) == ["before", "after", "change", "cause", "points"]


def test_the_matrix_adds_up_to_both_dates() -> None:
    found = migration_matrix(BEFORE["tier"], AFTER["tier"], OLD.names)
    assert found.to_numpy().sum() == 9
    for names, tier in ((found.T, BEFORE["tier"]), (found, AFTER["tier"])):
        counted = names[list(OLD.names)].sum()
        assert counted.to_dict() == tier.value_counts().to_dict()
    assert found.loc["A", "B"] == 3
    assert found.loc["(entered)", "B"] == found.loc["B", "(left)"] == 1


def test_causes_are_counted_up_and_down() -> None:
    found = count_causes(find_migrations(BEFORE, AFTER, SHARE, OLD, OLD), OLD.names)
    assert found.loc["confirmed"].tolist() == [0, 2, 0]
    assert found.loc["power"].tolist() == [1, 0, 0]
    assert found.loc["entered", "other"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_points_have_the_sign_of_the_migration(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def draw() -> pd.DataFrame:
        found = pd.DataFrame(rng.uniform(0, 100, (300, 2)), columns=list(SHARE))
        found["value_score"] = found.mean(axis=1)
        return found.assign(tier=np.where(found["value_score"] >= 50, "A", "B"))

    moves = find_migrations(draw(), draw(), SHARE, OLD, OLD)
    up = moves["after"] == "A"
    assert (moves["points"][up] > 0).all()
    assert (moves["points"][~up] < 0).all()
    assert set(moves["cause"]) == set(SHARE)
