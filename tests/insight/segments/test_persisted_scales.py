"""Stored scales are read back unchanged; damage is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.segments.persisted_scales import PersistedScales, read_persisted_scales
from insight.segments.star_rating import StarScale, assign_stars
from insight.segments.tier_thresholds import TierThresholds, classify_tiers
from insight.value.value_score import Dimension, ValueScale, ValueSettings, compute_value_score
from insight.value.weights import DimensionWeights

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"revenue": RNG.lognormal(5, 2, 300), "orders": RNG.poisson(3, 300).astype(float)}
)
SETTINGS = ValueSettings(
    dimensions={
        "power": Dimension(weight=0.5, measures={"revenue": 1.0}),
        "loyalty": Dimension(weight=0.5, measures={"orders": 1.0}),
    }
)
STORED = PersistedScales(
    datetime(2026, 1, 1, tzinfo=UTC),
    ValueScale.fit(TABLE, SETTINGS),
    DimensionWeights(
        "learned", {"power": 0.7, "loyalty": 0.3}, {"power": (0.6, 0.8)}, "300 customers"
    ),
    TierThresholds(("A", "B"), (61.7,)),
    StarScale((0.0, 33.3, 100.0), (0.0, 0.1, 1.0), (0.2, 0.4, 0.6, 0.8)),
)


def test_scores_tiers_and_stars_are_identical(tmp_path: Path) -> None:
    STORED.write(tmp_path / "tiers.json")
    back = read_persisted_scales(tmp_path / "tiers.json")
    assert (back.as_of, back.weights, back.thresholds, back.stars) == (
        STORED.as_of, STORED.weights, STORED.thresholds, STORED.stars,
    )  # fmt: skip
    assert back.version == STORED.version
    one, other = (compute_value_score(TABLE, k.scale, SETTINGS, k.weights) for k in (STORED, back))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert classify_tiers(one["value_score"], STORED.thresholds).equals(
        classify_tiers(other["value_score"], back.thresholds)
    )
    assert assign_stars(one["value_score"], STORED.stars).equals(
        assign_stars(other["value_score"], back.stars)
    )
    assert [p.name for p in tmp_path.iterdir()] == ["tiers.json"]


def test_other_thresholds_are_another_version() -> None:
    assert replace(STORED, thresholds=TierThresholds(("A", "B"), (61.8,))).version != STORED.version


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "tiers.json"
    with pytest.raises(DataRefused, match=r"no file tiers\.json: draw the tiers"):
        read_persisted_scales(file)
    STORED.write(file)
    whole = file.read_text(encoding="utf-8")
    for text in (whole[:-20], "[]", whole.replace('"borders"', '"border"'), '{"weights": 3}'):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(DataRefused, match=r"tiers\.json cannot be read .* delete it"):
            read_persisted_scales(file)
