"""Engagement features: visits, logins and contracts."""

from features.customer_definition import count_open_contracts
from features.definitions.expressions import Expression, Past
from features.definitions.feature_registry import feature
from features.definitions.levers import CONTACT


@feature(unit="visits", windows=(90, 365), zh="近{window}天的销售拜访次数", lever=CONTACT)
def visits(past: Past) -> Expression:
    """Sales visits in the last {window} days"""
    return past.events.where(kind="visit").count()


@feature(unit="days", zh="距上次销售拜访已{n}天", lever=CONTACT)
def days_since_visit(past: Past) -> Expression:
    """Days since the last sales visit"""
    return past.events.where(kind="visit").days_since()


@feature(unit="logins", windows=(30, 90), zh="近{window}天的登录次数")
def logins(past: Past) -> Expression:
    """Logins in the last {window} days"""
    return past.events.where(kind="login").count()


@feature(
    unit="ratio",
    en="{n} of the last 90 days' logins fell in the last 30",
    zh="近30天的登录占近90天的{n}",
    form="share",
)
def login_trend(past: Past) -> Expression:
    """Share of the last 90 days' logins that fell in the last 30"""
    logins = past.events.where(kind="login")
    return logins.within(30).count() / logins.within(90).count()


@feature(unit="days", zh="距上次登录已{n}天")
def days_since_login(past: Past) -> Expression:
    """Days since the last login"""
    return past.events.where(kind="login").days_since()


@feature(unit="contracts", zh="生效中的合同数")
def open_contracts(past: Past) -> Expression:
    """Open contracts, by contracts, renewals, orders and payments that no cancellation ended"""
    return count_open_contracts(past)


@feature(unit="days", zh="距合同签订或续签已{n}天")
def days_since_renewal(past: Past) -> Expression:
    """Days since a contract was signed or renewed"""
    return past.events.where(kind=("contract", "renewal")).days_since()


@feature(unit="renewals", en="renewals of contracts so far", zh="累计续签次数")
def renewals(past: Past) -> Expression:
    """Contracts renewed so far"""
    return past.events.where(kind="renewal").count()
