"""The feature catalogue: meaning, unit, source and missing rate."""

import pyarrow as pa
import pyarrow.parquet as pq

from features.definitions.catalog import (
    FeatureDescription,
    as_percent,
    describe_features,
    missing_rates,
)
from features.definitions.expressions import Past
from support.table_builders import column_of

PAST = Past()
COLUMNS = [
    column_of(PAST.events.count(), "orders"),
    column_of(PAST.tickets.mean("severity") / PAST.events.count(), "pain"),
    column_of(PAST.month, "season"),
]
ROWS = pa.table(
    {
        "orders": [1.0, float("nan"), 3.0, 4.0],
        "pain": pa.array([None, "a", "b", "c"], pa.string()),
        "other": [1, 2, 3, 4],
    }
)


def test_descriptions_name_source_and_missing_rate():
    assert describe_features(COLUMNS, ROWS) == [
        FeatureDescription("orders", "orders", "unit", "events", 0.25),
        FeatureDescription("pain", "pain", "unit", "tickets, events", 0.25),
        FeatureDescription("season", "season", "unit", "calendar", None),
    ]


def test_missing_rates_of_a_file_a_folder_or_no_rows(tmp_path):
    file = tmp_path / "rows.parquet"
    assert missing_rates(file, ["orders"]) == {}
    assert missing_rates(None, ["orders"]) == {}
    pq.write_table(ROWS, file, row_group_size=1)
    folder = tmp_path / "parts"
    folder.mkdir()
    pq.write_table(ROWS.slice(0, 2), folder / "part-0.parquet")
    pq.write_table(ROWS.slice(2), folder / "part-1.parquet")
    for place in (file, folder):
        assert missing_rates(place, ["orders", "pain", "season"]) == {"orders": 0.25, "pain": 0.25}
        assert missing_rates(place) == missing_rates(place, ROWS.column_names)
    assert missing_rates(ROWS.slice(0, 0), ["orders"]) == {}


def test_as_percent():
    assert [as_percent(s) for s in (None, 0, 0.0099, 0.5, 1)] == [
        "",
        "0%",
        "< 1%",
        "50%",
        "100%",
    ]
