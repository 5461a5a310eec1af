"""The indicators that complaints give: how fast they are answered and solved, how many come back."""

from insight.closed_loop.target_status import Measured
from insight.complaints.handling_times import cycle_times, reopen_rates
from insight.complaints.intake import Complaints

#: Every indicator of this file; None is measured where a company does not record it.
NAMES = ("hours_to_reply", "days_to_solution", "reopen_rate")


def complaint_indicators(found: Complaints) -> dict[str, Measured | None]:
    """Median hours to the first reply, median days to the solution, and the share opened again."""
    measured: dict[str, Measured | None] = dict.fromkeys(NAMES)
    steps = {"first reply": "hours_to_reply", "solution": "days_to_solution"}
    for time in cycle_times(found.table, found.end, by_category=False):
        measured[steps[time.step]] = Measured(
            time.median, time.low, time.high, time.complaints, unit=time.unit
        )
    for rate in reopen_rates(found.table, by_category=False):
        measured["reopen_rate"] = Measured(rate.rate, rate.low, rate.high, rate.solved)
    return measured
