"""Dates such as 03/04/2024 whose day and month nothing in them tells apart."""

from collections.abc import Sequence
from dataclasses import replace

from features.proposal.column_profile import Column
from features.proposal.guess import GuessBook, Question
from features.proposal.load_sources import Source
from features.proposal.time_formats import TimeForm


def settle_day_order(sources: Sequence[Source], book: GuessBook) -> list[Source]:
    """Decide the order of day and month where both are possible.

    Other dates of the same company that can be read in one order only decide; else it is asked. The
    safer order is day first, unless amounts are in US dollars.
    """
    columns = [c for s in sources for c in s.columns.values()]
    orders = {_day_first(c.time) for c in columns if c.time and not c.time.twin} - {None}
    known = orders.pop() if len(orders) == 1 else None
    dollars = any(c.number and c.number.currency == "USD" for c in columns)
    return [
        replace(
            s,
            columns={n: _settled(s, c, known, not dollars, book) for n, c in s.columns.items()},
        )
        for s in sources
    ]


def _day_first(form: TimeForm) -> bool | None:
    """Whether the day comes before the month; None where neither comes first."""
    if not form.name.startswith(("%d", "%m")):
        return None
    return form.name.startswith("%d")


def _settled(
    source: Source, column: Column, known: bool | None, day_is_safer: bool, book: GuessBook
) -> Column:
    """The column with one form of its dates."""
    form = column.time
    if form is None or form.twin is None:
        return column
    first, second = (form, form.twin) if _day_first(form) else (form.twin, form)
    place = f"{source.title}.{column.name}"
    if known is not None:
        book.add(
            place, "likely", f"read as {'day' if known else 'month'} first, as the other dates are"
        )
        return replace(column, time=first if known else second)
    answer = book.ask(
        Question(
            place,
            f"{column.name} in {source.title} has dates such as {column.low}: what comes first?",
            {"day": "the day", "month": "the month"},
            "day" if day_is_safer else "month",
        )
    )
    book.add(place, "unsure", f"dates such as {column.low} are read with the {answer} first")
    return replace(column, time=first if answer == "day" else second)
