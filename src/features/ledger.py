"""How deals went through: deliveries, payments against their due day, returns."""

from features.expressions import Expression, Past, View
from features.registry import feature


def _orders(past: Past) -> View:
    return past.events.where(kind="order")


@feature(unit="returns", windows=(90, 365))
def returns(past: Past) -> Expression:
    """Returns in the last {window} days"""
    return past.events.where(kind="return").count()


@feature(unit="share", windows=(365,))
def return_share(past: Past) -> Expression:
    """Returned money as a (negative) share of ordered money in the last {window} days"""
    return past.events.where(kind="return").sum("amount") / _orders(past).sum("amount")


@feature(unit="days")
def days_since_return(past: Past) -> Expression:
    """Days since the last return"""
    return past.events.where(kind="return").days_since()


@feature(unit="days", windows=(90, 365))
def delivery_lateness(past: Past) -> Expression:
    """Mean days of delivery after the promised day (early: negative) in the last {window} days"""
    return past.events.where(kind="shipment").mean("lateness_days")


@feature(unit="days", windows=(90,))
def delivery_lateness_max(past: Past) -> Expression:
    """Worst lateness of a delivery in the last {window} days"""
    return past.events.where(kind="shipment").max("lateness_days")


@feature(unit="days")
def last_delivery_lateness(past: Past) -> Expression:
    """Lateness of the last delivery"""
    return past.events.where(kind="shipment").last("lateness_days")


@feature(unit="share", windows=(30, 90, 365))
def late_deliveries(past: Past) -> Expression:
    """Share of deliveries after the promised day in the last {window} days"""
    return past.events.where(kind="shipment").mean("late")


@feature(unit="orders", windows=(90, 365))
def undelivered(past: Past) -> Expression:
    """Orders less deliveries in the last {window} days"""
    return _orders(past).count() - past.events.where(kind="shipment").count()


@feature(unit="days")
def delivery_days(past: Past) -> Expression:
    """Days from the last order to the last delivery (negative while the last order is on its way)"""
    shipped = past.events.where(kind="shipment")
    return _orders(past).days_since() - shipped.days_since()


@feature(unit="days", windows=(90, 365))
def payment_overdue(past: Past) -> Expression:
    """Mean days a payment came after it was due in the last {window} days"""
    return past.events.where(kind="payment").mean("overdue_days")


@feature(unit="days", windows=(365,))
def payment_overdue_max(past: Past) -> Expression:
    """Longest overdue payment in the last {window} days"""
    return past.events.where(kind="payment").max("overdue_days")


@feature(unit="share", windows=(90, 365))
def late_payments(past: Past) -> Expression:
    """Share of payments after they were due in the last {window} days"""
    return past.events.where(kind="payment").mean("late")


@feature(unit="payments", windows=(90, 365))
def payments(past: Past) -> Expression:
    """Payments in the last {window} days"""
    return past.events.where(kind="payment").count()


@feature(unit="channel")
def last_payment_channel(past: Past) -> Expression:
    """How the customer paid last"""
    return past.events.where(kind="payment").last("channel")
