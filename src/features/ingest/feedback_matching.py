"""Events that came as feedback and that the company's own table also holds, paired one to one.

The key: the same customer and kind, and

- times at most `same_event_minutes` apart (systems cut seconds off), or, where one of the two has no
  time of day, the same day in the company's time zone;
- amounts that differ by at most half a cent, the same quantity and the same category, each where
  both give one.

Each event has at most one partner. As many events as possible are paired, the nearest first, so that
two equal orders on one day are paired with two rows of the table, and with one row only one of them.
The result depends on the contents alone, not on the order in which they arrived.
"""

from collections.abc import Mapping, Sequence

import duckdb

from features.ingest.sql import quote_literal

#: Half a cent, and the error of a float on top.
SAME_AMOUNT = 0.006
#: Quantities are equal up to this; they may come as 2 and 2.0000000001.
SAME_QUANTITY = 1e-6
#: A day in microseconds. The two times of a pair are less than two days apart: on the same day, one
#: by the company's zone and one by UTC, or `same_event_minutes`, at most a day. So rows are looked
#: up by their day; a collective customer has too many to compare all.
DAY = 86_400_000_000


def pair_with_table(
    con: duckdb.DuckDBPyConnection, time_zone: str, minutes: float
) -> dict[int, int]:
    """Pair the rows of `crm_feedback` without a state with `good_events`: row number to rowid.

    `crm_feedback` has a column `n` that numbers its rows in the order of their contents.
    """
    near = con.execute(
        f"""
        with near as (
            select s.n, e.rowid as own, abs(epoch_us(s.occurred_at) - epoch_us(e.occurred_at)) as gap,
                   (s.amount is null)::int + (e.amount is null)::int + (s.category is null)::int
                   + (e.category is null)::int as unknown,
                   dense_rank() over (order by e.occurred_at, e.amount, e.quantity, e.channel,
                                      e.category, e.due_at, e.known_at) as place
            from crm_feedback s cross join unnest([-2, -1, 0, 1, 2]) as days(shift)
            join good_events e on e.customer_id = s.customer_id and e.kind = s.kind
             and epoch_us(e.occurred_at) // {DAY} = epoch_us(s.occurred_at) // {DAY} + days.shift
            where s.state is null and ({_same_time(time_zone, minutes)}) and {_same_values()}
        )
        select n, own from near order by gap, unknown, n, place, own
        """
    ).fetchall()
    return pair_once(near)


def _same_time(time_zone: str, minutes: float) -> str:
    gap = f"abs(epoch_us(s.occurred_at) - epoch_us(e.occurred_at)) <= {round(minutes * 6e7)}"
    days = [_day(f"{table}.occurred_at", time_zone) for table in "se"]
    dates = [_is_date(f"{table}.occurred_at", time_zone) for table in "se"]
    return f"{gap} or (({' or '.join(dates)}) and {' = '.join(days)})"


def _is_date(time: str, time_zone: str) -> str:
    """Whether a time is a date alone: midnight in the company's zone or in UTC."""
    local = f"timezone({quote_literal(time_zone)}, {time})"
    return f"{_is_utc_midnight(time)} or date_trunc('day', {local}) = {local}"


def _day(time: str, time_zone: str) -> str:
    """The day of a time in the company's zone; of midnight in UTC, the date that was written."""
    zone = f"case when {_is_utc_midnight(time)} then 'UTC' else {quote_literal(time_zone)} end"
    return f"timezone({zone}, {time})::date"


def _is_utc_midnight(time: str) -> str:
    return f"epoch_us({time}) % {DAY} = 0"


def _same_values() -> str:
    return (
        f"coalesce(abs(s.amount - e.amount) < {SAME_AMOUNT}, true) "
        f"and coalesce(abs(s.quantity - e.quantity) < {SAME_QUANTITY}, true) "
        "and coalesce(s.category = e.category, true)"
    )


def pair_once(near: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Pair numbers on the left with numbers on the right that are near them, each at most once.

    As many as possible are paired; `near` lists the pairs that may be formed, the best first.
    """
    left: dict[int, int] = {}
    right: dict[int, int] = {}
    choices: dict[int, list[int]] = {}
    for one, other in near:
        choices.setdefault(one, []).append(other)
        if one not in left and other not in right:
            left[one], right[other] = other, one
    for one in choices:
        if one not in left:
            _pair_by_exchange(one, choices, left, right)
    return left


def _pair_by_exchange(
    start: int, choices: Mapping[int, Sequence[int]], left: dict[int, int], right: dict[int, int]
) -> None:
    """Pair one more where others can change their partner; Berge (1957): else no more can be paired."""
    reached_by: dict[int, int] = {}
    waiting = [start]
    for one in waiting:
        for other in choices[one]:
            if other in reached_by:
                continue
            reached_by[other] = one
            if other in right:
                waiting.append(right[other])
                continue
            while True:  # back along the path: everybody takes the partner they reached
                one = reached_by[other]
                former = left.get(one)
                left[one], right[other] = other, one
                if former is None:
                    return
                other = former
