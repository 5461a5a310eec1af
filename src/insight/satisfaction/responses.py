"""Every question of a history, answered or not, on one scale, with what was known of the customer."""

import duckdb
import numpy as np
import pandas as pd

from features.config.table_mapping import near
from features.errors import ConfigRefused, DataRefused
from features.history_store import Manifest
from insight.satisfaction.rating_scales import Equipercentile, SurveyScale, require_one_scale
from insight.satisfaction.satisfaction_settings import Satisfaction

#: What a question is, and what of it is optional in the contract.
QUESTION = ["instrument", "dimension"]
#: What is said of a question that cannot be used.
REFUSED = [*QUESTION, "why"]
OPTIONAL = {
    "dimension": "varchar", "expectation": "double", "channel": "varchar", "weight": "double",
}  # fmt: skip
UNKNOWN = "unknown"
#: The customers, those without `valid_from` as they have always been.
DESCRIBED = """(select * replace (coalesce(valid_from, timestamptz '-infinity') as valid_from)
                from customers)"""


def attributes(con: duckdb.DuckDBPyConnection, manifest: Manifest, by: list[str]) -> list[str]:
    """The attributes to cut by, checked.

    Raises ConfigRefused for one the customers do not have.
    """
    known = manifest.schema.tables.get("customers", ())
    able = [c for c in known if c not in ("customer_id", "valid_from")]
    for name in by:
        if name not in able:
            raise ConfigRefused(
                f"insight.satisfaction.by names {name}{near(name, able) if able else ';'}"
                f"{'' if able else ' the company has no customers table'}"
            )
    return list(by)


def read_questions(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, choices: Satisfaction
) -> pd.DataFrame:
    """One row a question sent: `customer_id`, `period` (its first instant, UTC), `instrument`,
    `dimension`, `channel`, the attributes as they were then, `weight`, `score` and `expectation` on
    0 to 100 (NaN without an answer before the end of the data).

    Raises DataRefused where nothing was asked or the scales of a question disagree.
    """
    table, refused = usable(con, manifest, choices)
    for why in refused["why"]:
        raise DataRefused(why)
    return table


def usable(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, choices: Satisfaction
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of `asked` without the questions whose scales disagree, and those: `instrument`,
    `dimension`, `why`.

    Raises DataRefused where nothing was asked.
    """
    columns = manifest.schema.tables.get("surveys", ())
    if not columns:
        raise DataRefused("the company has no surveys; satisfaction is measured by asking")
    by = attributes(con, manifest, choices.by)
    end = f"timestamptz '{manifest.data_end}'"
    optional = [
        f"s.{name}::{kind} as {name}" if name in columns else f"null::{kind} as {name}"
        for name, kind in OPTIONAL.items()
    ]
    known = "s.customer_id = c.customer_id and s.sent_at >= c.valid_from"
    joined = f"asof left join {DESCRIBED} c on {known}" if by else ""
    rows = con.sql(
        f"""
        select s.customer_id, date_trunc('{choices.period}', s.sent_at) as period, s.instrument,
               {", ".join(optional)}, s.scale_low, s.scale_high,
               case when s.answered_at < {end} then s.score end as score
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
            parts.append(_on_one_scale(part, choices))
        except DataRefused as err:
            refused.append((*question, str(err)))
    said = pd.concat(parts).sort_index().drop(columns=["scale_low", "scale_high"])
    return said, pd.DataFrame(refused, columns=REFUSED)


def _on_one_scale(question: pd.DataFrame, choices: Satisfaction) -> pd.DataFrame:
    """The answers to one question on 0 to 100, several scales as the company chose."""
    said = question.dropna(subset=["score"])
    if said.empty:
        return question
    name = " ".join(said.iloc[0][QUESTION].astype(str))
    if choices.mixed_scales == "refuse":
        require_one_scale(name, said["scale_low"].to_numpy(float), said["scale_high"].to_numpy(float))
    scales = said.groupby(["scale_low", "scale_high"]).size().sort_values(ascending=False)
    first = SurveyScale(*map(float, scales.index[0]))
    mapped = question.copy()
    for ends in scales.index:
        scale = SurveyScale(*map(float, ends))
        rows = (question["scale_low"] == ends[0]) & (question["scale_high"] == ends[1])
        for column in ("score", "expectation"):
            values = question.loc[rows, column].to_numpy(float)
            hundred = scale.to_hundred(values)
            if scale != first and choices.mixed_scales == "equipercentile" and column == "score":
                there = said[(said["scale_low"] == first.low) & (said["scale_high"] == first.high)]
                like = Equipercentile.fit(values, there["score"].to_numpy(float), scale, first)
                hundred = first.to_hundred(like.of(values))
            mapped.loc[rows, column] = hundred
    unanswered = question["score"].isna()
    mapped.loc[unanswered, ["score", "expectation"]] = np.nan
    return mapped
