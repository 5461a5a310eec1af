"""Calendar days, weeks, months, quarters and years, cut in a company's time zone.

A calendar day begins at midnight where the company is. Buckets are labelled by their first day, written
as midnight in UTC, so that labels of all companies compare and count alike; `start_of` gives the instant
at which a bucket begins. Instants and windows of so many days stay in UTC.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def bucket_sql(length: str, clock: str, zone: str) -> str:
    """SQL for the label of the calendar bucket of an instant (timestamptz, midnight in UTC).

    `length` is day, week, month, quarter or year, `clock` an SQL expression of an instant.
    """
    return f"timezone('UTC', date_trunc('{length}', {local_sql(clock, zone)}))"


def local_sql(clock: str, zone: str) -> str:
    """SQL for the time on the clocks of a time zone (timestamp) at an instant."""
    return f"timezone('{zone}', {clock})"


def label_of(instant: datetime, zone: str) -> datetime:
    """The time on the clocks of a time zone at an instant, written as UTC."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)


def start_of(label: datetime, zone: str) -> datetime:
    """The instant, in UTC, at which the bucket of this label begins."""
    return label.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def add_months(label: datetime, months: int) -> datetime:
    """The same day of the month, `months` later."""
    count = label.year * 12 + label.month - 1 + months
    return label.replace(year=count // 12, month=count % 12 + 1)
