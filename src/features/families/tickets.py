"""Ticket features: complaints and requests, and how fast they were answered and solved."""

from features.definitions.expressions import Expression, Past, View
from features.definitions.feature_registry import feature
from features.definitions.filters import HashBucket
from features.definitions.levers import REPLY_TIME
from features.history.derived_columns import TONE


def _complaints(past: Past) -> View:
    return past.tickets.where(kind="complaint")


@feature(unit="tickets", windows=(30, 90, 365), zh="近{window}天的工单数")
def tickets(past: Past) -> Expression:
    """Tickets opened in the last {window} days"""
    return past.tickets.count()


@feature(unit="complaints", windows=(30, 90, 180, 365), zh="近{window}天的投诉数")
def complaints(past: Past) -> Expression:
    """Complaints in the last {window} days"""
    return _complaints(past).count()


@feature(unit="days", zh="距上次工单已{n}天")
def days_since_ticket(past: Past) -> Expression:
    """Days since the last ticket"""
    return past.tickets.days_since()


@feature(unit="days", zh="距上次投诉已{n}天")
def days_since_complaint(past: Past) -> Expression:
    """Days since the last complaint"""
    return _complaints(past).days_since()


@feature(unit="tickets", zh="未关闭的工单数")
def open_tickets(past: Past) -> Expression:
    """Tickets opened and not yet closed"""
    return past.tickets.count() - past.tickets.known("closed_at").count()


@feature(
    unit="hours",
    windows=(90, 365),
    en="mean wait for a first reply in the last {window} days",
    zh="近{window}天的平均首次回复用时",
    lever=REPLY_TIME,
)
def reply_hours(past: Past) -> Expression:
    """Mean hours to the first reply in the last {window} days"""
    return past.tickets.mean("reply_hours")


@feature(unit="hours", windows=(90, 365), zh="近{window}天的最长首次回复用时", lever=REPLY_TIME)
def reply_hours_max(past: Past) -> Expression:
    """Longest wait for a first reply in the last {window} days"""
    return past.tickets.max("reply_hours")


@feature(
    unit="hours",
    windows=(90, 365),
    en="mean time to close a ticket in the last {window} days",
    zh="近{window}天的平均工单解决用时",
)
def resolution_hours(past: Past) -> Expression:
    """Mean hours to close a ticket in the last {window} days"""
    return past.tickets.mean("resolution_hours")


@feature(unit="hours", windows=(365,), zh="近{window}天的最长工单解决用时")
def resolution_hours_max(past: Past) -> Expression:
    """Longest time to close a ticket in the last {window} days"""
    return past.tickets.max("resolution_hours")


@feature(unit="share", windows=(365,), zh="近{window}天的工单重开率")
def reopen_rate(past: Past) -> Expression:
    """Share of closed tickets that were reopened in the last {window} days"""
    return past.tickets.mean("reopened")


@feature(
    unit="1 to 4", windows=(90, 365), zh="近{window}天的平均工单严重程度（最高4级）", form="of 4"
)
def severity(past: Past) -> Expression:
    """Mean severity of tickets in the last {window} days"""
    return past.tickets.mean("severity")


@feature(
    unit="ratio",
    en="{n} of the year's complaints fell in the last 90 days",
    zh="近90天的投诉占全年的{n}",
    form="share",
)
def complaint_trend(past: Past) -> Expression:
    """Share of the year's complaints that fell in the last 90 days"""
    return _complaints(past).within(90).count() / _complaints(past).within(365).count()


@feature(
    unit="tickets", each="tickets.category", windows=(365,), zh="近{window}天关于{value}的工单数"
)
def tickets_about(past: Past, category: str | HashBucket) -> Expression:
    """Tickets about {value} in the last {window} days"""
    return past.tickets.where(category=category).count()


@feature(unit="category", zh="最近一个工单的类别")
def last_ticket_category(past: Past) -> Expression:
    """Category of the last ticket"""
    return past.tickets.last("category")


@feature(unit="-1 to 1", windows=(365,), zh="近{window}天的工单文本情绪")
def ticket_sentiment(past: Past) -> Expression:
    """Mean sentiment of ticket texts in the last {window} days"""
    return past.tickets.mean("sentiment")


@feature(
    unit="tickets",
    each="topic",
    windows=(365,),
    en="tickets that speak of {value} in the last {window} days",
    zh="近{window}天提到{value}的工单数",
)
def ticket_texts_about(past: Past, topic: str) -> Expression:
    """Tickets whose text is about {value} in the last {window} days"""
    return past.tickets.where(**{f"about_{topic}": 1.0}).count()


@feature(
    unit="points of 100",
    windows=(365,),
    en="score that ticket texts sound like in the last {window} days",
    zh="近{window}天工单文本语气对应的评分",
)
def ticket_tone(past: Past) -> Expression:
    """Mean score that ticket texts of the last {window} days sound like"""
    return past.tickets.mean(TONE)


@feature(unit="points of 100", zh="最近一个工单文本语气对应的评分")
def ticket_tone_last(past: Past) -> Expression:
    """Score that the last ticket text sounds like"""
    return past.tickets.last(TONE)
