"""Categories unknown at training are counted, and reported when they are many."""

from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq

from models.bundles.bundle import Bundle
from models.bundles.model_manifest import ModelManifest
from models.bundles.unknown_categories import unknown_category_warnings, unknown_shares
from models.learners.calibration import Calibrator
from models.learners.feature_encoder import Encoder

ENCODER = Encoder(("region", "orders"), {"region": ("east", "north")})


def bundle(**manifest):
    estimator = SimpleNamespace(encoder=ENCODER)
    return Bundle(
        estimator, Calibrator("binary"), ModelManifest(target="churn", version="3", **manifest)
    )


def rows(*regions):
    return pa.table(
        {
            "region": pa.array(regions, pa.string()).dictionary_encode(),
            "orders": [1.0] * len(regions),
        }
    )


def test_a_category_unknown_to_the_model_counts_and_a_missing_one_does_not(tmp_path):
    table = rows("east", "west", None, "west")
    assert unknown_shares(ENCODER, table) == {"region": 0.5}
    pq.write_table(table, tmp_path / "snapshot.parquet")
    assert unknown_shares(ENCODER, tmp_path / "snapshot.parquet") == {"region": 0.5}
    assert unknown_shares(ENCODER, rows("east", None)) == {"region": 0.0}
    assert unknown_shares(ENCODER, rows()) == {}


def test_a_notable_increase_gives_a_warning_with_both_shares():
    (warning,) = unknown_category_warnings(
        bundle(unknown_categories={"region": 0.02}), rows("east", "west", "north", "west")
    )
    assert warning.startswith(
        "region: 50% of the customers are in categories that churn version 3 "
    )
    assert "(2% of its test rows)" in warning


def test_a_small_increase_gives_no_warning():
    few = rows(*["east"] * 50, "west")
    assert unknown_category_warnings(bundle(unknown_categories={"region": 0.02}), few) == []
    assert (
        unknown_category_warnings(
            bundle(unknown_categories={"region": 0.62}), rows("west", "x", "east")
        )
        == []
    )
    assert unknown_category_warnings(bundle(), rows("west")) == []
