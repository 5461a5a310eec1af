"""The times of a source of events: when it happened, when it was recorded, until when it is due."""

from dataclasses import dataclass, field

from features.proposal.column_profile import Column
from features.proposal.kinds import kind_of_name
from features.proposal.load_sources import Source
from features.proposal.table_roles import time_columns

#: Kinds that may be further times of an order or a contract.
FOLLOWING = {
    "order": ("payment", "handover", "shipment", "return"),
    "contract": ("cancel", "renewal"),
}


@dataclass(frozen=True)
class EventTimes:
    """The times of a source: the main one, those of further kinds, of recording, and due by kind.

    `rivals` are other times that could be the main one. The due time of no kind is under None.
    """

    main: Column | None
    further: dict[str, Column] = field(default_factory=dict)
    booked: Column | None = None
    due: dict[str | None, Column] = field(default_factory=dict)
    rivals: tuple[str, ...] = ()


def find_event_times(source: Source, kind: str | None) -> EventTimes:
    """Find what each time of a source says; `kind` is that of the source."""
    main: list[tuple[float, Column]] = []
    further: dict[str, Column] = {}
    due: dict[str | None, Column] = {}
    booked = None
    for column in time_columns(source):
        means, verb = column.means, kind_of_name(column.name)
        if "due" in means:
            due.setdefault(verb if verb != "order" else None, column)
        elif "booked" in means:
            booked = booked or column
        elif "until" in means and verb != "cancel":
            # Only contracts that have ended have the time of their end.
            if kind == "contract" and 0 < column.filled < column.rows:
                further.setdefault("cancel", column)
        elif verb and kind and verb != kind and verb in FOLLOWING.get(kind, ()):
            further.setdefault(verb, column)
        else:
            main.append((_fitness(column, verb, kind), column))
    main.sort(key=lambda item: (-item[0], -item[1].filled))
    best = main[0][1] if main else booked
    rivals = tuple(c.name for f, c in main[1:] if f == main[0][0])
    return EventTimes(best, further, booked if best is not booked else None, due, rivals)


def _fitness(column: Column, verb: str | None, kind: str | None) -> float:
    """How well a time fits the moment of a kind of event: its own verb, then a plain date."""
    means = column.means
    if verb and verb == kind:
        return 3.0
    if {"changed", "signup", "closed", "leak"} & set(means.shares):
        return 1.0 if verb is None and "changed" in means else 0.5
    if verb:
        return 2.0
    return 2.5 if means.share("time") > 0 or not column.means.left else 1.5
