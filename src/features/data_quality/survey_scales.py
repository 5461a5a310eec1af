"""Check of survey scales: several for one instrument, or declared 0 to 10 but used as 1 to 5."""

from collections.abc import Iterator
from typing import NamedTuple

from features.calendar_periods import local_sql
from features.data_quality.checked_table import CheckedTable
from features.data_quality.finding import TableFinding

#: From this number of answers, an unused half of a scale is not chance.
LEAST = 30


class DeclaredScale(NamedTuple):
    """A declared scale, its number of answers, and the smallest and largest score given."""

    low: float
    high: float
    answers: int
    least: float
    most: float


def check_survey_scales(table: CheckedTable) -> Iterator[TableFinding]:
    """Instruments with several scales, and scales of which only half is used."""
    if table.name != "surveys":
        return
    scales: dict[str, list[DeclaredScale]] = {}
    for instrument, *scale in table.query(
        "select instrument, scale_low, scale_high, count(score), min(score), max(score) "
        "from good_surveys where score is not null group by 1, 2, 3 order by 1, 4 desc"
    ):
        scales.setdefault(instrument, []).append(DeclaredScale(*scale))
    for instrument, found in scales.items():
        if len(found) > 1:
            yield _several(table, instrument, found)
        for each in found:
            yield from _used_in_part(table, instrument, each)


def _several(table: CheckedTable, instrument: str, found: list[DeclaredScale]) -> TableFinding:
    listed = ", ".join(f"{s.low:g} to {s.high:g} ({s.answers:,})" for s in found)
    return TableFinding(
        table.name, "score", "scale", "advice", sum(s.answers for s in found[1:]), table.rows,
        f"{instrument} is asked on {len(found)} scales: {listed}",
        "nothing if they are right: all answers are converted to 0 to 100, see the row audit",
        {"instrument": instrument, "scales": [[s.low, s.high, s.answers] for s in found]},
    )  # fmt: skip


def _used_in_part(
    table: CheckedTable, instrument: str, scale: DeclaredScale
) -> Iterator[TableFinding]:
    """A scale of which one half is never used, in all rows or in those of a channel or month."""
    middle = (scale.low + scale.high) / 2
    if scale.answers < LEAST:
        return
    if scale.most <= middle or scale.least >= middle:
        yield _part(table, instrument, scale, "")
        return
    month = f"strftime({local_sql('answered_at', table.time_zone)}, '%Y-%m')"
    for words, group in (("channel ", "channel"), ("", month)):
        for name, answers, least, most in table.connection.execute(
            f"select {group} as part, count(*), min(score), max(score) from good_surveys "
            "where instrument = ? and scale_low = ? and scale_high = ? and score is not null "
            f"and part is not null group by 1 having count(*) >= {LEAST} and max(score) <= ? order by 1",
            [instrument, scale.low, scale.high, middle],
        ).fetchall():
            part = DeclaredScale(scale.low, scale.high, answers, least, most)
            yield _part(table, instrument, part, f"{words}{name}")


def _part(table: CheckedTable, instrument: str, scale: DeclaredScale, where: str) -> TableFinding:
    part = f" in {where}" if where else ""
    return TableFinding(
        table.name, "score", "scale", "warning", scale.answers, table.rows,
        f"{scale.answers:,} answers to {instrument}{part} use {scale.least:g} to {scale.most:g} of a "
        f"scale declared as {scale.low:g} to {scale.high:g}",
        "if they were given on a shorter scale, map scale_low and scale_high for these rows",
        {"instrument": instrument, "scale": [scale.low, scale.high],
         "used": [scale.least, scale.most], "where": where},
    )  # fmt: skip
