"""Survey questions of a history, answered or not, on one scale, with the customer's attributes."""

import duckdb
import numpy as np
import pandas as pd

from features.calendar_periods import bucket_sql
from features.config.toml_section import did_you_mean
from features.errors import ConfigRefused, DataRefused
from features.history_store import Manifest
from insight.satisfaction.rating_scales import Equipercentile, SurveyScale, require_one_scale
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

#: The key of a question, and the contract's optional columns with their types.
QUESTION = ["instrument", "dimension"]
#: Columns of the table of questions that cannot be used.
REFUSED_COLUMNS = [*QUESTION, "why"]
OPTIONAL = {
    "dimension": "varchar", "expectation": "double", "channel": "varchar", "weight": "double",
}  # fmt: skip
UNKNOWN = "unknown"
NO_SURVEYS = "the company has no surveys; satisfaction is measured with surveys"
#: All versions of the customers; those without `valid_from` hold from the start.
CUSTOMERS_SQL = """(select * replace (coalesce(valid_from, timestamptz '-infinity') as valid_from)
                from customers)"""


def check_attributes(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, by: list[str]
) -> list[str]:
    """Return the attributes to group by.

    Raises ConfigRefused for one that the customers do not have.
    """
    known = manifest.schema.tables.get("customers", ())
    available = [c for c in known if c not in ("customer_id", "valid_from")]
    for name in by:
        if name not in available:
            hint = (
                did_you_mean(name, available)
                if available
                else "; the company has no customers table"
            )
            raise ConfigRefused(f"insight.satisfaction.by names {name}{hint}")
    return list(by)


def read_questions(
    con: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    settings: SatisfactionSettings,
    zone: str = "UTC",
) -> pd.DataFrame:
    """Read one row per question sent.

    Columns: `customer_id`, `period` (its label, `features.calendar_periods`), `instrument`, `dimension`,
    `channel`, the attributes at that time, `weight`, `answered_at` (UTC), `score` and `expectation` on 0
    to 100, all missing without an answer before the end of the data. Raises DataRefused if no question
    was sent or the scales of a question disagree.
    """
    table, refused = read_usable_questions(con, manifest, settings, zone)
    for why in refused["why"]:
        raise DataRefused(why)
    return table


def read_usable_questions(
    con: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    settings: SatisfactionSettings,
    zone: str = "UTC",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the rows of `read_questions` for questions with one scale, and list the other questions.

    The second table has `instrument`, `dimension` and `why`. Raises DataRefused if no question was sent.
    """
    columns = manifest.schema.tables.get("surveys", ())
    if not columns:
        raise DataRefused(NO_SURVEYS)
    by = check_attributes(con, manifest, settings.by)
    end = f"timestamptz '{manifest.data_end}'"
    optional = [
        f"s.{name}::{kind} as {name}" if name in columns else f"null::{kind} as {name}"
        for name, kind in OPTIONAL.items()
    ]
    known = "s.customer_id = c.customer_id and s.sent_at >= c.valid_from"
    joined = f"asof left join {CUSTOMERS_SQL} c on {known}" if by else ""
    rows = con.sql(
        f"""
        select s.customer_id, {bucket_sql(settings.period, "s.sent_at", zone)} as period, s.instrument,
               {", ".join(optional)}, s.scale_low, s.scale_high,
               case when s.answered_at < {end} then s.score end as score,
               case when s.answered_at < {end} and s.score is not null then s.answered_at end
                   as answered_at
               {"".join(f', c."{name}"::varchar as "{name}"' for name in by)}
        from surveys s {joined} where s.sent_at < {end} order by s.customer_id, s.sent_at
        """
    ).to_arrow_table()
    table: pd.DataFrame = rows.to_pandas()
    table["dimension"] = table["dimension"].fillna("overall")
    table["weight"] = table["weight"].fillna(1.0)
    table[["channel", *by]] = table[["channel", *by]].fillna(UNKNOWN)
    if table.empty:
        raise DataRefused("no question was sent before the end of the data; nothing is measured")
    parts, refused = [table[:0]], []
    for question, part in table.groupby(QUESTION, sort=False):
        try:
            parts.append(_convert_question(part, settings))
        except DataRefused as err:
            refused.append((*question, str(err)))
    usable = pd.concat(parts).sort_index().drop(columns=["scale_low", "scale_high"])
    return usable, pd.DataFrame(refused, columns=REFUSED_COLUMNS)


def _convert_question(question: pd.DataFrame, settings: SatisfactionSettings) -> pd.DataFrame:
    """Convert the answers to one question to 0 to 100; several scales as `mixed_scales` says."""
    answered = question.dropna(subset=["score"])
    if answered.empty:
        return question
    name = " ".join(answered.iloc[0][QUESTION].astype(str))
    if settings.mixed_scales == "refuse":
        require_one_scale(
            name, answered["scale_low"].to_numpy(float), answered["scale_high"].to_numpy(float)
        )
    scales = answered.groupby(["scale_low", "scale_high"]).size().sort_values(ascending=False)
    first = SurveyScale(*map(float, scales.index[0]))
    mapped = question.copy()
    for ends in scales.index:
        scale = SurveyScale(*map(float, ends))
        rows = (question["scale_low"] == ends[0]) & (question["scale_high"] == ends[1])
        for column in ("score", "expectation"):
            values = question.loc[rows, column].to_numpy(float)
            converted = scale.to_hundred(values)
            if scale != first and settings.mixed_scales == "equipercentile" and column == "score":
                on_first = answered[
                    (answered["scale_low"] == first.low) & (answered["scale_high"] == first.high)
                ]
                mapping = Equipercentile.fit(
                    values, on_first["score"].to_numpy(float), scale, first
                )
                converted = first.to_hundred(mapping.convert(values))
            mapped.loc[rows, column] = converted
    unanswered = question["score"].isna()
    mapped.loc[unanswered, ["score", "expectation"]] = np.nan
    return mapped
