"""A source of events: its customer, its kind and times, and where its lines are."""

from dataclasses import dataclass, replace

from features.proposal.amounts import find_amount
from features.proposal.column_profile import Column
from features.proposal.customer_paths import CustomerPath
from features.proposal.event_times import EventTimes, find_event_times
from features.proposal.evidence import Evidence
from features.proposal.guess import Confidence
from features.proposal.joins import Join
from features.proposal.kinds import KindColumn, find_kind_column, kind_of_name
from features.proposal.load_sources import Source
from features.proposal.table_roles import has_lines, time_columns


@dataclass(frozen=True)
class EventSource:
    """What was found in a source of events.

    `lines` is the join by which another source holds its lines; `document` is set where the source
    holds several rows a document itself. `time_join` leads to the source of its times.
    """

    source: Source
    path: CustomerPath
    kind: str
    times: EventTimes
    kind_column: KindColumn | None
    document: Column | None
    lines: Join | None
    time_join: Join | None = None


def examine_event_source(evidence: Evidence, source: Source) -> EventSource:
    """Find kind, times and lines of a source of events."""
    kind = kind_of_name(source.title)
    times = find_event_times(source, kind)
    time_join = None
    if not time_columns(source):
        time_join = next(
            j for j in evidence.joins_from(source) if time_columns(evidence.sources[j.target])
        )
        times = find_event_times(evidence.sources[time_join.target], kind)
    confidence: Confidence = "sure"
    why = f"{source.title} is called so"
    if kind is None:
        kind = kind_of_name(times.main.name) if times.main else None
        why = f"{source.title} has the time {times.main.name}" if times.main else ""
        if kind is None:
            bought = find_amount(evidence, source) is not None
            kind = "order" if bought else "_".join(source.name.split()) or "other"
            confidence = "likely" if bought else "unsure"
            why = f"{source.title} has amounts" if bought else f"{source.title}: no known kind"
        times = find_event_times(source, kind) if time_join is None else times
    times = _with_earlier_record(evidence, source, times)
    kind_column = find_kind_column(source, kind)
    if kind_column:
        listed = ", ".join(f"{v} = {k}" for v, k in list(kind_column.kinds.items())[:8])
        why = f"{source.title} by {kind_column.column.name}: {listed}"
        confidence = "likely" if kind_column.unknown else "sure"
        if kind_column.unknown:
            why += f"; not understood: {', '.join(kind_column.unknown[:5])}"
    evidence.book.add(f"events.{source.name}.kind", confidence, why)
    lines = _lines_of(evidence, source) if kind == "order" else None
    return EventSource(
        source,
        evidence.paths[source.name],
        kind,
        times,
        kind_column,
        has_lines(source),
        lines,
        time_join,
    )


def _lines_of(evidence: Evidence, source: Source) -> Join | None:
    """The join by which another source holds the lines of this one's documents."""
    for join in evidence.joins_to(source):
        lines = evidence.sources[join.source]
        if evidence.roles[join.source].role == "lines" and find_amount(evidence, lines) is not None:
            return join
    return None


def _with_earlier_record(evidence: Evidence, source: Source, times: EventTimes) -> EventTimes:
    """What is recorded before it happens, such as a booked room, happened when it was recorded."""
    main, booked = times.main, times.booked
    if main is None or booked is None:
        return times
    earlier = evidence.number(
        f"select avg(({booked.sql('t')} < {main.sql('t')})::int) from {source.quoted} t"
    )
    if (earlier or 0.0) <= 0.5:
        return times
    return replace(times, main=booked, booked=None, rivals=(main.name, *times.rivals))


def note_event_guess(
    evidence: Evidence, found: EventSource, column: str, confidence: Confidence, why: str
) -> None:
    """Note a guess about a column of the piece of one source."""
    evidence.book.add(f"events.{found.source.name}.{column}", confidence, why)
