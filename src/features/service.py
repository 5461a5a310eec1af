"""How a customer was served: tickets, how fast they were answered and solved."""

from features.derived import TONE
from features.expressions import Expression, Past, View
from features.filters import Bucket
from features.registry import feature


def _complaints(past: Past) -> View:
    return past.tickets.where(kind="complaint")


@feature(unit="tickets", windows=(30, 90, 365))
def tickets(past: Past) -> Expression:
    """Tickets opened in the last {window} days"""
    return past.tickets.count()


@feature(unit="complaints", windows=(30, 90, 180, 365))
def complaints(past: Past) -> Expression:
    """Complaints in the last {window} days"""
    return _complaints(past).count()


@feature(unit="days")
def days_since_ticket(past: Past) -> Expression:
    """Days since the last ticket"""
    return past.tickets.days_since()


@feature(unit="days")
def days_since_complaint(past: Past) -> Expression:
    """Days since the last complaint"""
    return _complaints(past).days_since()


@feature(unit="tickets")
def open_tickets(past: Past) -> Expression:
    """Tickets opened and not yet closed"""
    return past.tickets.count() - past.tickets.known("closed_at").count()


@feature(unit="hours", windows=(90, 365))
def reply_hours(past: Past) -> Expression:
    """Mean hours to the first reply in the last {window} days"""
    return past.tickets.mean("reply_hours")


@feature(unit="hours", windows=(90, 365))
def reply_hours_max(past: Past) -> Expression:
    """Longest wait for a first reply in the last {window} days"""
    return past.tickets.max("reply_hours")


@feature(unit="hours", windows=(90, 365))
def resolution_hours(past: Past) -> Expression:
    """Mean hours to close a ticket in the last {window} days"""
    return past.tickets.mean("resolution_hours")


@feature(unit="hours", windows=(365,))
def resolution_hours_max(past: Past) -> Expression:
    """Longest time to close a ticket in the last {window} days"""
    return past.tickets.max("resolution_hours")


@feature(unit="share", windows=(365,))
def reopen_rate(past: Past) -> Expression:
    """Share of closed tickets that were reopened in the last {window} days"""
    return past.tickets.mean("reopened")


@feature(unit="1 to 4", windows=(90, 365))
def severity(past: Past) -> Expression:
    """Mean severity of tickets in the last {window} days"""
    return past.tickets.mean("severity")


@feature(unit="ratio")
def complaint_trend(past: Past) -> Expression:
    """Share of the year's complaints that fell in the last 90 days"""
    return _complaints(past).within(90).count() / _complaints(past).within(365).count()


@feature(unit="tickets", each="tickets.category", windows=(365,))
def tickets_about(past: Past, category: str | Bucket) -> Expression:
    """Tickets about {value} in the last {window} days"""
    return past.tickets.where(category=category).count()


@feature(unit="category")
def last_ticket_category(past: Past) -> Expression:
    """Category of the last ticket"""
    return past.tickets.last("category")


@feature(unit="-1 to 1", windows=(365,))
def ticket_sentiment(past: Past) -> Expression:
    """Mean sentiment of ticket texts in the last {window} days"""
    return past.tickets.mean("sentiment")


@feature(unit="tickets", each="topic", windows=(365,))
def ticket_texts_about(past: Past, topic: str) -> Expression:
    """Tickets whose text is about {value} in the last {window} days"""
    return past.tickets.where(**{f"about_{topic}": 1.0}).count()


@feature(unit="points of 100", windows=(365,))
def ticket_tone(past: Past) -> Expression:
    """Mean score that ticket texts of the last {window} days sound like"""
    return past.tickets.mean(TONE)


@feature(unit="points of 100")
def ticket_tone_last(past: Past) -> Expression:
    """Score that the last ticket text sounds like"""
    return past.tickets.last(TONE)
