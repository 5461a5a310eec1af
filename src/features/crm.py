"""What the CRM knows of a customer, as of the cutoff."""

from features.expressions import Expression, Past
from features.registry import feature


@feature(unit="attribute", each="attribute")
def crm(past: Past, attribute: str) -> Expression:
    """{value} in the CRM"""
    return past.customers.last(attribute)


@feature(unit="days")
def crm_tenure_days(past: Past) -> Expression:
    """Days since the customer was entered in the CRM"""
    return past.customers.days_since_first()


@feature(unit="changes", windows=(365,))
def crm_changes(past: Past) -> Expression:
    """Versions of the CRM record in the last {window} days"""
    return past.customers.count()


@feature(unit="days")
def crm_days_since_change(past: Past) -> Expression:
    """Days since the CRM record last changed"""
    return past.customers.days_since()
