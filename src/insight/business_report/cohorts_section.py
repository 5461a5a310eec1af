"""Retention by cohort: the share of each quarter's new customers that stays, as a shaded table."""

from dataclasses import dataclass

from insight.business_report.figure_markup import data_attributes
from insight.business_report.report_inputs import ReportInputs
from insight.evaluation.business_schema import CustomerCohort


@dataclass(frozen=True)
class CohortCell:
    """The share of a cohort that is a customer; `depth` shades it from the lowest to the highest."""

    text: str
    depth: float
    exact: dict[str, str]


@dataclass(frozen=True)
class CohortRow:
    """The customers of one quarter."""

    name: str
    note: str
    customers: str
    cells: list[CohortCell]


@dataclass(frozen=True)
class CohortsSection:
    """The cohorts, the earliest first, and the number of quarters that the oldest was followed."""

    rows: list[CohortRow]
    quarters: list[int]


def cohorts_section(inputs: ReportInputs) -> CohortsSection | None:
    """The cohorts of the evaluation; None where there are none."""
    cohorts = inputs.evaluation.cohorts if inputs.evaluation else []
    if not cohorts:
        return None
    shares = [share for cohort in cohorts for share in cohort.kept]
    low, span = min(shares), (max(shares) - min(shares)) or 1.0
    rows = [_row(cohort, low, span, inputs) for cohort in cohorts]
    return CohortsSection(rows, list(range(max(len(cohort.kept) for cohort in cohorts))))


def _row(cohort: CustomerCohort, low: float, span: float, inputs: ReportInputs) -> CohortRow:
    numbers = inputs.numbers
    name = numbers.short_period(cohort.start, "quarter")
    cells = [
        CohortCell(
            numbers.percent(share, 0), round(0.1 + 0.9 * (share - low) / span, 3),
            data_attributes(cohort=cohort.start.isoformat(), after=after, value=share),
        )
        for after, share in enumerate(cohort.kept)
    ]  # fmt: skip
    note = inputs.translate("cohort_earlier") if cohort.earlier else ""
    return CohortRow(name, note, numbers.count(cohort.customers), cells)
