"""Complaints by category, how they are handled, and the causes of dissatisfaction and churn."""

from dataclasses import dataclass
from typing import Any

from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator

#: Causes listed for each outcome.
LISTED_CAUSES = 5


@dataclass(frozen=True)
class ParetoTableRow:
    """A category of complaints with its cumulative share, the largest first.

    `vital`: clearly more than an equal share, so that only the few are bold.
    """

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
    """A cause with its attributable fraction; bar positions in percent of the chart width."""

    name: str
    branch: str
    share: str
    interval: str
    left: float
    width: float
    dot: float
    exposed: str
    effect: str
    certain: bool


@dataclass(frozen=True)
class CauseTable:
    """The ranked causes of one outcome."""

    title: str
    note: str
    rows: list[CauseRow]
    zero: float


@dataclass(frozen=True)
class ComplaintsSection:
    """The section; `skipped` has the reason for each part that is missing.

    `weighted`: the counts represent all customers instead of the complaints received.
    """

    note: str
    weighted: bool
    pareto: list[ParetoTableRow]
    handling: list[str]
    causes: list[CauseTable]
    skipped: list[tuple[str, str]]


def complaints_section(inputs: ReportInputs) -> ComplaintsSection | None:
    """The complaints of a company; None before the first evaluation."""
    found = inputs.complaints
    if found is None:
        return None
    translate, numbers = inputs.translate, inputs.numbers
    note = ""
    if found.get("complaints"):
        note = translate(
            "complaints_note",
            n=numbers.count(found["complaints"]),
            customers=numbers.count(found["customers"]),
            source=translate.name("source", found["source"]),
        )
    causes = [_causes(name, ranking, inputs) for name, ranking in found.get("causes", {}).items()]
    skipped = [
        (translate.name("part", name), translate.message(why))
        for name, why in found.get("skipped", {}).items()
    ]
    counted = sum(row["count"] for row in found.get("pareto", []))
    return ComplaintsSection(
        note=note,
        weighted=abs(counted - found.get("complaints", 0)) >= 1,
        pareto=_pareto(found, inputs),
        handling=_handling(found, inputs),
        causes=causes,
        skipped=skipped,
    )


def _pareto(found: dict[str, Any], inputs: ReportInputs) -> list[ParetoTableRow]:
    numbers = inputs.numbers
    rows = found.get("pareto", [])
    equal = 1 / len(rows) if rows else 0.0
    most = max((r["share"] for r in rows), default=1) or 1
    return [
        ParetoTableRow(
            name=inputs.translate.name("category", r["category"]),
            count=numbers.count(r["count"]),
            share=numbers.percent(r["share"]),
            interval=numbers.interval(numbers.percent(r["low"]), numbers.percent(r["high"])),
            bar=round(100 * r["share"] / most, 1),
            cumulative=numbers.percent(round(r["cumulative"], 9), 0),
            vital=r["low"] > equal,
            exact={"complaints": r["category"], "value": repr(r["count"])},
        )
        for r in rows
    ]


def _handling(found: dict[str, Any], inputs: ReportInputs) -> list[str]:
    """Sentences on reply time, resolution time and reopened complaints."""
    translate, numbers = inputs.translate, inputs.numbers
    lines = []
    for time in found.get("cycle_times", []):
        if time["category"] == "all" and time["median"] is not None:
            step = time["step"].replace(" ", "_")
            lines.append(translate(
                f"handled_{step}", median=numbers.decimal(time["median"]),
                nine=numbers.decimal(time["nine_in_ten"]), waiting=numbers.count(time["waiting"]),
            ))  # fmt: skip
    for rate in found.get("reopened", [])[:1]:
        share, ends = numbers.percent(rate["rate"]), (rate["low"], rate["high"])
        lines.append(translate(
            "handled_reopened", rate=share,
            interval=numbers.interval(*(numbers.percent(end) for end in ends)),
        ))  # fmt: skip
    return lines


def _causes(outcome: str, ranking: dict[str, Any], inputs: ReportInputs) -> CauseTable:
    translate, numbers = inputs.translate, inputs.numbers
    ranked = ranking["ranked"][:LISTED_CAUSES]
    ends = [0.0] + [r["share"][end] or 0.0 for r in ranked for end in ("low", "high", "value")]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    note = translate(
        "causes_note",
        rows=numbers.count(ranking["rows"]),
        rate=numbers.percent(ranking["rate"]),
        beyond=numbers.count(len(ranking["ranked"]) - len(ranked)),
    )
    rows = [_cause(r, low, span, translate) for r in ranked]
    return CauseTable(translate(f"causes_{outcome}"), note, rows, round(-100 * low / span, 1))


def _cause(row: dict[str, Any], low: float, span: float, translate: Translator) -> CauseRow:
    numbers = translate.numbers
    share = row["share"]
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
        exposed=numbers.percent(row["exposed"], 0),
        effect=translate("points", by=numbers.signed(100 * row["effect"]["value"])),
        certain=bool(row["certain"]),
    )


def cause_name(cause: str, translate: Translator) -> str:
    """The name of a cause; complaints and returns have their category."""
    kind, _, category = cause.partition(": ")
    if not category:
        return translate.name("exposure", cause)
    return translate(
        "of_dimension",
        name=translate.name("exposure", kind),
        dimension=translate.name("category", category),
    )
