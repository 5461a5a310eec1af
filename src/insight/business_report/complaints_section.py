"""What customers complain about, how it is handled, and what it costs: the Pareto table and causes."""

from dataclasses import dataclass
from typing import Any

from insight.business_report.translations import Translator
from insight.business_report.report_inputs import ReportInputs

#: Causes shown of each outcome.
MOST_CAUSES = 8


@dataclass(frozen=True)
class ParetoTableRow:
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
class CauseRow:
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
    lines: list[CauseRow]
    zero: float


@dataclass(frozen=True)
class ComplaintsSection:
    """All that is told of complaints; `why_not` by part where something is missing.

    `weighted`: the counts of the table stand for everybody, not for the complaints received.
    """

    note: str
    weighted: bool
    pareto: list[ParetoTableRow]
    handling: list[str]
    causes: list[CauseTable]
    why_not: list[tuple[str, str]]


def complaints_section(inputs: ReportInputs) -> ComplaintsSection | None:
    """The complaints of a company; None where they were never looked at."""
    told = inputs.complaints
    if told is None:
        return None
    translate, numbers = inputs.translate, inputs.numbers
    note = ""
    if told.get("complaints"):
        note = translate(
            "complaints_note",
            n=numbers.count(told["complaints"]),
            customers=numbers.count(told["customers"]),
            source=translate.name("source", told["source"]),
        )
    causes = [_causes(name, found, inputs) for name, found in told.get("causes", {}).items()]
    skipped = [(translate.name("part", n), why) for n, why in told.get("skipped", {}).items()]
    counted = sum(row["count"] for row in told.get("pareto", []))
    return ComplaintsSection(
        note=note,
        weighted=abs(counted - told.get("complaints", 0)) >= 1,
        pareto=_pareto(told, inputs),
        handling=_handling(told, inputs),
        causes=causes,
        why_not=skipped,
    )


def _pareto(told: dict[str, Any], inputs: ReportInputs) -> list[ParetoTableRow]:
    numbers = inputs.numbers
    rows = told.get("pareto", [])
    most = max((r["share"] for r in rows), default=1) or 1
    return [
        ParetoTableRow(
            name=inputs.translate.name("category", r["category"]),
            count=numbers.count(r["count"]),
            share=numbers.percent(r["share"]),
            interval=numbers.interval(numbers.percent(r["low"]), numbers.percent(r["high"])),
            bar=round(100 * r["share"] / most, 1),
            cumulative=numbers.percent(r["cumulative"], 0),
            vital=bool(r["vital"]),
            exact={"complaints": r["category"], "value": repr(r["count"])},
        )
        for r in rows
    ]


def _handling(told: dict[str, Any], inputs: ReportInputs) -> list[str]:
    """How fast complaints are answered and solved, and how many come back, in a sentence each."""
    translate, numbers = inputs.translate, inputs.numbers
    lines = []
    for time in told.get("cycle_times", []):
        if time["category"] == "all" and time["median"] is not None:
            step = time["step"].replace(" ", "_")
            lines.append(translate(
                f"handled_{step}", median=numbers.decimal(time["median"]),
                nine=numbers.decimal(time["nine_in_ten"]), waiting=numbers.count(time["waiting"]),
            ))  # fmt: skip
    for rate in told.get("reopened", [])[:1]:
        share, ends = numbers.percent(rate["rate"]), (rate["low"], rate["high"])
        lines.append(translate(
            "handled_reopened", rate=share,
            interval=numbers.interval(*(numbers.percent(end) for end in ends)),
        ))  # fmt: skip
    return lines


def _causes(outcome: str, found: dict[str, Any], inputs: ReportInputs) -> CauseTable:
    translate, numbers = inputs.translate, inputs.numbers
    ranked = found["ranked"][:MOST_CAUSES]
    ends = [0.0] + [r["share"][end] or 0.0 for r in ranked for end in ("low", "high", "value")]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    note = translate(
        "causes_note",
        rows=numbers.count(found["rows"]),
        rate=numbers.percent(found["rate"]),
        beyond=numbers.count(len(found["ranked"]) - len(ranked)),
    )
    lines = [_cause(r, low, span, translate) for r in ranked]
    return CauseTable(translate(f"causes_{outcome}"), note, lines, round(-100 * low / span, 1))


def _cause(row: dict[str, Any], low: float, span: float, translate: Translator) -> CauseRow:
    numbers = translate.numbers
    translate, share = translate, row["share"]
    ends = [share["value"] if share[e] is None else share[e] for e in ("low", "high")]
    left, dot, right = (
        round(100 * (v - low) / span, 1) for v in (ends[0], share["value"], ends[1])
    )
    return CauseRow(
        name=cause_name(row["cause"], translate),
        branch=translate.name("branch", row["branch"]),
        share=numbers.percent(share["value"]),
        interval=numbers.interval(*(numbers.percent(end) for end in ends)),
        left=left,
        width=max(round(right - left, 1), 0.8),
        dot=dot,
        met=numbers.percent(row["exposed"], 0),
        effect=translate("points", by=numbers.signed(100 * row["effect"]["value"])),
        certain=bool(row["certain"]),
    )


def cause_name(cause: str, translate: Translator) -> str:
    """A cause in words; complaints and returns are named with their category."""
    kind, _, category = cause.partition(": ")
    if not category:
        return translate.name("happening", cause)
    return translate("of_dimension", name=translate.name("happening", kind),
                 dimension=translate.name("category", category))  # fmt: skip
