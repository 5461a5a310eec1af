"""What a customer does: orders, money, deliveries, payments, returns, visits, contracts."""

from features.expressions import Expression, Past, View
from features.registry import HORIZON, Window, feature

WINDOWS: tuple[Window, ...] = (30, 90, 180, 365, None, HORIZON)
SALES = ("order", "return")


def _orders(past: Past) -> View:
    return past.events.where(kind="order")


@feature(unit="month")
def season(past: Past) -> Expression:
    """Month of the year"""
    return past.month


@feature(unit="days")
def tenure_days(past: Past) -> Expression:
    """Days since the first event of any kind"""
    return past.events.days_since_first()


@feature(unit="days")
def days_since_event(past: Past) -> Expression:
    """Days since the last event of any kind"""
    return past.events.days_since()


@feature(unit="days")
def days_since_order(past: Past) -> Expression:
    """Days since the last order"""
    return _orders(past).days_since()


@feature(unit="days")
def days_since_first_order(past: Past) -> Expression:
    """Days since the first order"""
    return _orders(past).days_since_first()


@feature(unit="orders", windows=WINDOWS)
def orders(past: Past) -> Expression:
    """Orders in the last {window} days"""
    return _orders(past).count()


@feature(unit="money", windows=WINDOWS)
def revenue(past: Past) -> Expression:
    """Net revenue, orders less returns, in the last {window} days"""
    return past.events.where(kind=SALES).sum("amount")


@feature(unit="money", windows=(90, 365))
def order_value_mean(past: Past) -> Expression:
    """Mean order value in the last {window} days"""
    return _orders(past).mean("amount")


@feature(unit="money", windows=(365,))
def order_value_std(past: Past) -> Expression:
    """Variation (standard deviation) of the order value in the last {window} days"""
    return _orders(past).std("amount")


@feature(unit="money", windows=(365,))
def order_value_max(past: Past) -> Expression:
    """Largest order in the last {window} days"""
    return _orders(past).max("amount")


@feature(unit="money")
def last_order_value(past: Past) -> Expression:
    """Value of the last order"""
    return _orders(past).last("amount")


@feature(unit="money per 30 days", windows=(365,))
def order_value_slope(past: Past) -> Expression:
    """Change of the order value per 30 days in the last {window} days"""
    return _orders(past).slope("amount")


@feature(unit="money")
def revenue_decayed(past: Past) -> Expression:
    """Net revenue in which money counts half after 90 days"""
    return past.events.where(kind=SALES).decayed_sum("amount", half_life=90)


@feature(unit="units", windows=(90, 365))
def quantity(past: Past) -> Expression:
    """Units ordered in the last {window} days"""
    return _orders(past).sum("quantity")


@feature(unit="categories", windows=(365,))
def categories(past: Past) -> Expression:
    """Different product categories ordered in the last {window} days"""
    return _orders(past).distinct("category")


@feature(unit="category")
def last_category(past: Past) -> Expression:
    """Product category of the last order"""
    return _orders(past).last("category")


@feature(unit="channels", windows=(365,))
def channels(past: Past) -> Expression:
    """Different order channels in the last {window} days"""
    return _orders(past).distinct("channel")


@feature(unit="channel")
def last_channel(past: Past) -> Expression:
    """Channel of the last order"""
    return _orders(past).last("channel")


@feature(unit="days", windows=(365, None))
def order_gap(past: Past) -> Expression:
    """Mean days between orders in the last {window} days"""
    return _orders(past).gap_mean()


@feature(unit="days", windows=(365,))
def order_gap_std(past: Past) -> Expression:
    """Variation of the days between orders in the last {window} days"""
    return _orders(past).gap_std()


@feature(unit="ratio")
def order_overdue(past: Past) -> Expression:
    """Days since the last order, as a multiple of the customer's own mean gap"""
    return _orders(past).days_since() / _orders(past).gap_mean()


@feature(unit="ratio")
def order_trend(past: Past) -> Expression:
    """Share of the year's orders that fell in the last 90 days"""
    return _orders(past).within(90).count() / _orders(past).within(365).count()


@feature(unit="ratio")
def revenue_trend(past: Past) -> Expression:
    """Net revenue of the last 90 days over that of the 90 days before"""
    sales = past.events.where(kind=SALES)
    recent = sales.within(90).sum("amount")
    return recent / (sales.within(180).sum("amount") - recent)


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


@feature(unit="visits", windows=(90, 365))
def visits(past: Past) -> Expression:
    """Sales visits in the last {window} days"""
    return past.events.where(kind="visit").count()


@feature(unit="days")
def days_since_visit(past: Past) -> Expression:
    """Days since the last sales visit"""
    return past.events.where(kind="visit").days_since()


@feature(unit="logins", windows=(30, 90))
def logins(past: Past) -> Expression:
    """Logins in the last {window} days"""
    return past.events.where(kind="login").count()


@feature(unit="ratio")
def login_trend(past: Past) -> Expression:
    """Share of the last 90 days' logins that fell in the last 30"""
    logins = past.events.where(kind="login")
    return logins.within(30).count() / logins.within(90).count()


@feature(unit="days")
def days_since_login(past: Past) -> Expression:
    """Days since the last login"""
    return past.events.where(kind="login").days_since()


@feature(unit="contracts")
def open_contracts(past: Past) -> Expression:
    """Contracts signed and not cancelled"""
    signed = past.events.where(kind="contract").count()
    return signed - past.events.where(kind="cancel").count()


@feature(unit="days")
def days_since_renewal(past: Past) -> Expression:
    """Days since a contract was signed or renewed"""
    return past.events.where(kind=("contract", "renewal")).days_since()


@feature(unit="renewals")
def renewals(past: Past) -> Expression:
    """Contracts renewed so far"""
    return past.events.where(kind="renewal").count()
