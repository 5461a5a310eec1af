"""What customers complain about, how it is handled, and what it costs: the Pareto table and causes."""

from dataclasses import dataclass
from typing import Any

from insight.business_report.numerals import Numerals
from insight.business_report.report_inputs import Material

#: Causes shown of each outcome.
MOST_CAUSES = 8


@dataclass(frozen=True)
class ParetoLine:
    """A category of complaints, summed up from the largest."""

    name: str
    count: str
    share: str
    interval: str
    bar: float
    cumulative: str
    vital: bool
    exact: dict[str, str]


@dataclass(frozen=True)
class CauseLine:
    """A cause with the share of the outcome it accounts for; bars in per cent of the widest interval."""

    name: str
    branch: str
    share: str
    interval: str
    left: float
    width: float
    dot: float
    met: str
    effect: str
    certain: bool


@dataclass(frozen=True)
class CauseTable:
    """The ranked causes of one outcome."""

    title: str
    note: str
    lines: list[CauseLine]
    zero: float


@dataclass(frozen=True)
class ComplaintPart:
    """All that is told of complaints; `why_not` by part where something is missing.

    `weighted`: the counts of the table stand for everybody, not for the complaints received.
    """

    note: str
    weighted: bool
    pareto: list[ParetoLine]
    handling: list[str]
    causes: list[CauseTable]
    why_not: list[tuple[str, str]]


def complaint_part(material: Material) -> ComplaintPart | None:
    """The complaints of a company; None where they were never looked at."""
    told = material.complaints
    if told is None:
        return None
    words, numerals = material.words, material.numerals
    note = ""
    if told.get("complaints"):
        note = words(
            "complaints_note",
            n=numerals.count(told["complaints"]),
            customers=numerals.count(told["customers"]),
            source=words.named("source", told["source"]),
        )
    causes = [_causes(name, found, material) for name, found in told.get("causes", {}).items()]
    skipped = [(words.named("part", n), why) for n, why in told.get("skipped", {}).items()]
    counted = sum(row["count"] for row in told.get("pareto", []))
    return ComplaintPart(
        note=note,
        weighted=abs(counted - told.get("complaints", 0)) >= 1,
        pareto=_pareto(told, material),
        handling=_handling(told, material),
        causes=causes,
        why_not=skipped,
    )


def _pareto(told: dict[str, Any], material: Material) -> list[ParetoLine]:
    numerals = material.numerals
    rows = told.get("pareto", [])
    most = max((r["share"] for r in rows), default=1) or 1
    return [
        ParetoLine(
            name=material.words.named("category", r["category"]),
            count=numerals.count(r["count"]),
            share=numerals.share(r["share"]),
            interval=numerals.between(numerals.share(r["low"]), numerals.share(r["high"])),
            bar=round(100 * r["share"] / most, 1),
            cumulative=numerals.share(r["cumulative"], 0),
            vital=bool(r["vital"]),
            exact={"complaints": r["category"], "value": repr(r["count"])},
        )
        for r in rows
    ]


def _handling(told: dict[str, Any], material: Material) -> list[str]:
    """How fast complaints are answered and solved, and how many come back, in a sentence each."""
    words, numerals = material.words, material.numerals
    lines = []
    for time in told.get("cycle_times", []):
        if time["category"] == "all" and time["median"] is not None:
            step = time["step"].replace(" ", "_")
            lines.append(words(
                f"handled_{step}", median=numerals.decimal(time["median"]),
                nine=numerals.decimal(time["nine_in_ten"]), waiting=numerals.count(time["waiting"]),
            ))  # fmt: skip
    for rate in told.get("reopened", [])[:1]:
        share, ends = numerals.share(rate["rate"]), (rate["low"], rate["high"])
        lines.append(words(
            "handled_reopened", rate=share,
            interval=numerals.between(*(numerals.share(end) for end in ends)),
        ))  # fmt: skip
    return lines


def _causes(outcome: str, found: dict[str, Any], material: Material) -> CauseTable:
    words, numerals = material.words, material.numerals
    ranked = found["ranked"][:MOST_CAUSES]
    ends = [0.0] + [r["share"][end] or 0.0 for r in ranked for end in ("low", "high", "value")]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    note = words(
        "causes_note",
        rows=numerals.count(found["rows"]),
        rate=numerals.share(found["rate"]),
        beyond=numerals.count(len(found["ranked"]) - len(ranked)),
    )
    lines = [_cause(r, low, span, numerals) for r in ranked]
    return CauseTable(words(f"causes_{outcome}"), note, lines, round(-100 * low / span, 1))


def _cause(row: dict[str, Any], low: float, span: float, numerals: Numerals) -> CauseLine:
    words, share = numerals.words, row["share"]
    ends = [share["value"] if share[e] is None else share[e] for e in ("low", "high")]
    left, dot, right = (
        round(100 * (v - low) / span, 1) for v in (ends[0], share["value"], ends[1])
    )
    return CauseLine(
        name=cause_name(row["cause"], numerals),
        branch=words.named("branch", row["branch"]),
        share=numerals.share(share["value"]),
        interval=numerals.between(*(numerals.share(end) for end in ends)),
        left=left,
        width=max(round(right - left, 1), 0.8),
        dot=dot,
        met=numerals.share(row["exposed"], 0),
        effect=words("points", by=numerals.signed(100 * row["effect"]["value"])),
        certain=bool(row["certain"]),
    )


def cause_name(cause: str, numerals: Numerals) -> str:
    """A cause in words; complaints and returns are named with their category."""
    words = numerals.words
    kind, _, category = cause.partition(": ")
    if not category:
        return words.named("happening", cause)
    return words("of_dimension", name=words.named("happening", kind),
                 dimension=words.named("category", category))  # fmt: skip
