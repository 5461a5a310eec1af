"""How close a customer is: visits, logins, contracts."""

from features.expressions import Expression, Past
from features.registry import feature


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
