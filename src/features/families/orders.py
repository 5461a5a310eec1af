"""Order features: number, value, cadence and trend of orders."""

from features.definitions.expressions import Expression, Past, View
from features.definitions.feature_registry import HORIZON, Window, feature

WINDOWS: tuple[Window, ...] = (30, 90, 180, 365, None, HORIZON)
SALES = ("order", "return")


def _orders(past: Past) -> View:
    return past.events.where(kind="order")


@feature(unit="month", en="time of the year", zh="当前月份")
def season(past: Past) -> Expression:
    """Month of the year"""
    return past.month


@feature(unit="days", en="{n} days since the first contact of any kind", zh="首次往来至今已{n}天")
def tenure_days(past: Past) -> Expression:
    """Days since the first event of any kind"""
    return past.events.days_since_first()


@feature(unit="days", en="{n} days since the last contact of any kind", zh="距上次任何往来已{n}天")
def days_since_event(past: Past) -> Expression:
    """Days since the last event of any kind"""
    return past.events.days_since()


@feature(unit="days", zh="距上次下单已{n}天")
def days_since_order(past: Past) -> Expression:
    """Days since the last order"""
    return _orders(past).days_since()


@feature(unit="days", zh="首次下单至今已{n}天")
def days_since_first_order(past: Past) -> Expression:
    """Days since the first order"""
    return _orders(past).days_since_first()


@feature(unit="orders", windows=WINDOWS, zh="近{window}天的订单数")
def orders(past: Past) -> Expression:
    """Orders in the last {window} days"""
    return _orders(past).count()


@feature(
    unit="money",
    windows=WINDOWS,
    en="net revenue in the last {window} days",
    zh="近{window}天的净收入",
)
def revenue(past: Past) -> Expression:
    """Net revenue, orders less returns, in the last {window} days"""
    return past.events.where(kind=SALES).sum("amount")


@feature(unit="money", windows=(90, 365), zh="近{window}天的平均订单金额")
def order_value_mean(past: Past) -> Expression:
    """Mean order value in the last {window} days"""
    return _orders(past).mean("amount")


@feature(
    unit="money",
    windows=(365,),
    en="spread of the order value in the last {window} days",
    zh="近{window}天的订单金额波动",
)
def order_value_std(past: Past) -> Expression:
    """Variation (standard deviation) of the order value in the last {window} days"""
    return _orders(past).std("amount")


@feature(unit="money", windows=(365,), zh="近{window}天的最大订单金额")
def order_value_max(past: Past) -> Expression:
    """Largest order in the last {window} days"""
    return _orders(past).max("amount")


@feature(unit="money", zh="最近一单的金额")
def last_order_value(past: Past) -> Expression:
    """Value of the last order"""
    return _orders(past).last("amount")


@feature(
    unit="money per 30 days",
    windows=(365,),
    en="drift of the order value a month in the last {window} days",
    zh="近{window}天的订单金额月度变化",
    form="signed money",
)
def order_value_slope(past: Past) -> Expression:
    """Change of the order value per 30 days in the last {window} days"""
    return _orders(past).slope("amount")


@feature(unit="money", en="net revenue of late, older money counting less", zh="近期加权净收入")
def revenue_decayed(past: Past) -> Expression:
    """Net revenue in which money counts half after 90 days"""
    return past.events.where(kind=SALES).decayed_sum("amount", half_life=90)


@feature(unit="units", windows=(90, 365), zh="近{window}天的订购件数")
def quantity(past: Past) -> Expression:
    """Units ordered in the last {window} days"""
    return _orders(past).sum("quantity")


@feature(unit="categories", windows=(365,), zh="近{window}天的订购品类数")
def categories(past: Past) -> Expression:
    """Different product categories ordered in the last {window} days"""
    return _orders(past).distinct("category")


@feature(unit="category", zh="最近一单的品类")
def last_category(past: Past) -> Expression:
    """Product category of the last order"""
    return _orders(past).last("category")


@feature(unit="channels", windows=(365,), zh="近{window}天的下单渠道数")
def channels(past: Past) -> Expression:
    """Different order channels in the last {window} days"""
    return _orders(past).distinct("channel")


@feature(unit="channel", zh="最近一单的渠道")
def last_channel(past: Past) -> Expression:
    """Channel of the last order"""
    return _orders(past).last("channel")


@feature(unit="days", windows=(365, None), zh="近{window}天的平均下单间隔")
def order_gap(past: Past) -> Expression:
    """Mean days between orders in the last {window} days"""
    return _orders(past).gap_mean()


@feature(
    unit="days",
    windows=(365,),
    en="irregularity of the days between orders in the last {window} days",
    zh="近{window}天的下单间隔波动",
)
def order_gap_std(past: Past) -> Expression:
    """Variation of the days between orders in the last {window} days"""
    return _orders(past).gap_std()


@feature(
    unit="ratio",
    en="{n} times the customer's usual gap since the last order",
    zh="距上次下单已是平常间隔的{n}倍",
)
def order_overdue(past: Past) -> Expression:
    """Days since the last order, as a multiple of the customer's own mean gap"""
    return _orders(past).days_since() / _orders(past).gap_mean()


@feature(
    unit="ratio",
    en="{n} of the year's orders fell in the last 90 days",
    zh="近90天的订单占全年的{n}",
    form="share",
)
def order_trend(past: Past) -> Expression:
    """Share of the year's orders that fell in the last 90 days"""
    return _orders(past).within(90).count() / _orders(past).within(365).count()


@feature(
    unit="ratio",
    en="net revenue of the last 90 days is {n} times that of the 90 days before",
    zh="近90天的净收入是此前90天的{n}倍",
)
def revenue_trend(past: Past) -> Expression:
    """Net revenue of the last 90 days over that of the 90 days before"""
    sales = past.events.where(kind=SALES)
    recent = sales.within(90).sum("amount")
    return recent / (sales.within(180).sum("amount") - recent)
