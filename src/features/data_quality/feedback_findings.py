"""Findings about feedback from the CRM: events that are implausible, and events that came twice."""

from collections import Counter
from collections.abc import Iterator

from features.data_quality.finding import TableFinding
from features.ingest.applied_feedback import IN_TABLE, AppliedFeedback


def check_feedback(applied: AppliedFeedback) -> Iterator[TableFinding]:
    """Quarantined feedback by the rule that it breaks, and feedback that the table also holds."""
    total = len(applied.outcomes)
    broken = Counter(rule for rule in applied.outcomes["rule"].to_pylist() if rule)
    for rule, rows in sorted(broken.items()):
        column, what = rule.split(": ", 1)
        yield TableFinding(
            "events", column, "implausible feedback", "error", rows, total,
            f"{what} in {rows:,} of {total:,} events that came as feedback",
            "`goodwill feedback list` names the calls: withdraw them, or set what is plausible under "
            "feedback in the company file",
        )  # fmt: skip
    if twice := applied.counts().get(IN_TABLE, 0):
        yield TableFinding(
            "events", "", "repeated feedback", "advice", twice, total,
            f"{twice:,} of {total:,} events that came as feedback are in the table, too; each counts "
            "once",
            "nothing to do; if the table lacks events that are not the same, set "
            "feedback.same_event_minutes lower",
        )  # fmt: skip
