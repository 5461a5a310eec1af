"""Fulfilment features: deliveries, returns, and payments against their due date."""

from features.definitions.expressions import Expression, Past, View
from features.definitions.feature_registry import feature
from features.definitions.levers import PUNCTUALITY


def _orders(past: Past) -> View:
    return past.events.where(kind="order")


@feature(unit="returns", windows=(90, 365), zh="近{window}天的退货次数")
def returns(past: Past) -> Expression:
    """Returns in the last {window} days"""
    return past.events.where(kind="return").count()


@feature(
    unit="share",
    windows=(365,),
    en="share of ordered money that was returned in the last {window} days",
    zh="近{window}天的退货金额占比",
    form="negative share",
)
def return_share(past: Past) -> Expression:
    """Returned money as a (negative) share of ordered money in the last {window} days"""
    return past.events.where(kind="return").sum("amount") / _orders(past).sum("amount")


@feature(unit="days", zh="距上次退货已{n}天")
def days_since_return(past: Past) -> Expression:
    """Days since the last return"""
    return past.events.where(kind="return").days_since()


@feature(
    unit="days",
    windows=(90, 365),
    en="deliveries in the last {window} days came {n} on average",
    zh="近{window}天的配送平均{n}",
    form="lateness",
    lever=PUNCTUALITY,
)
def delivery_lateness(past: Past) -> Expression:
    """Mean days of delivery after the promised day (early: negative) in the last {window} days"""
    return past.events.where(kind="shipment").mean("lateness_days")


@feature(
    unit="days",
    windows=(90,),
    en="the worst delivery in the last {window} days came {n}",
    zh="近{window}天最差的一次配送{n}",
    form="lateness",
    lever=PUNCTUALITY,
)
def delivery_lateness_max(past: Past) -> Expression:
    """Worst lateness of a delivery in the last {window} days"""
    return past.events.where(kind="shipment").max("lateness_days")


@feature(
    unit="days",
    en="the last delivery came {n}",
    zh="最近一次配送{n}",
    form="lateness",
    lever=PUNCTUALITY,
)
def last_delivery_lateness(past: Past) -> Expression:
    """Lateness of the last delivery"""
    return past.events.where(kind="shipment").last("lateness_days")


@feature(
    unit="share",
    windows=(30, 90, 365),
    en="share of deliveries that came late in the last {window} days",
    zh="近{window}天的配送迟到率",
    lever=PUNCTUALITY,
)
def late_deliveries(past: Past) -> Expression:
    """Share of deliveries after the promised day in the last {window} days"""
    return past.events.where(kind="shipment").mean("late")


@feature(
    unit="days",
    en="the delivery promised for the last order was due {n} ago (negative: still to come)",
    zh="最近一单承诺的送达日已过去{n}（负数表示尚未到期）",
    form="days",
)
def days_past_promise(past: Past) -> Expression:
    """Days since the promised day of the last order (before it: negative)"""
    return _orders(past).days_since() + _orders(past).last("lateness_days")


@feature(
    unit="orders",
    windows=(90, 365),
    en="orders not yet delivered in the last {window} days",
    zh="近{window}天的未送达订单数",
)
def undelivered(past: Past) -> Expression:
    """Orders less deliveries in the last {window} days"""
    return _orders(past).count() - past.events.where(kind="shipment").count()


@feature(
    unit="days",
    en="{n} from the last order to the last delivery",
    zh="最近一单到最近一次配送相隔{n}",
    form="span",
)
def delivery_days(past: Past) -> Expression:
    """Days from the last order to the last delivery (negative while the last order is on its way)"""
    shipped = past.events.where(kind="shipment")
    return _orders(past).days_since() - shipped.days_since()


@feature(
    unit="days",
    windows=(90, 365),
    en="payments in the last {window} days came {n} on average",
    zh="近{window}天的付款平均{n}",
    form="overdue",
)
def payment_overdue(past: Past) -> Expression:
    """Mean days a payment came after it was due in the last {window} days"""
    return past.events.where(kind="payment").mean("overdue_days")


@feature(
    unit="days",
    windows=(365,),
    en="the latest payment in the last {window} days came {n}",
    zh="近{window}天最晚的一笔付款{n}",
    form="overdue",
)
def payment_overdue_max(past: Past) -> Expression:
    """Longest overdue payment in the last {window} days"""
    return past.events.where(kind="payment").max("overdue_days")


@feature(
    unit="share",
    windows=(90, 365),
    en="share of payments that came late in the last {window} days",
    zh="近{window}天的逾期付款率",
)
def late_payments(past: Past) -> Expression:
    """Share of payments after they were due in the last {window} days"""
    return past.events.where(kind="payment").mean("late")


@feature(unit="payments", windows=(90, 365), zh="近{window}天的付款次数")
def payments(past: Past) -> Expression:
    """Payments in the last {window} days"""
    return past.events.where(kind="payment").count()


@feature(unit="channel", en="way of the last payment", zh="最近一次付款方式")
def last_payment_channel(past: Past) -> Expression:
    """How the customer paid last"""
    return past.events.where(kind="payment").last("channel")
