"""Survey scales whose best answer is the lower number, such as school marks from 5 (worst) to 1 (best).

A mapping says so by `scale_low`, the worst answer, above `scale_high`, the best one. Such answers are
turned around once, at the import, so that everywhere else a larger score is a better one.
"""

import duckdb

from features.row_audit import RowAudit

#: How the row audit names the step, after the instrument and before the scale.
TURNED_AROUND = "turned around"


def turn_reversed_scales(con: duckdb.DuckDBPyConnection, audit: RowAudit) -> None:
    """Turn the answers of `typed_surveys` on reversed scales, and record their number by scale."""
    reversed_rows = "scale_low > scale_high and isfinite(scale_low) and isfinite(scale_high)"
    counted = con.execute(
        "select coalesce(instrument, '?'), scale_low, scale_high, count(*) from typed_surveys "
        f"where {reversed_rows} group by all order by all"
    ).fetchall()
    for instrument, low, high, rows in counted:
        scale = f"{low:g} (worst) to {high:g} (best): score = {low + high:g} - score"
        audit.add_changed("surveys", "scale", f"{instrument} {TURNED_AROUND}, {scale}", rows)
    con.execute(
        "update typed_surveys set score = scale_low + scale_high - score, "
        "expectation = scale_low + scale_high - expectation, "
        f"scale_low = scale_high, scale_high = scale_low where {reversed_rows}"
    )
