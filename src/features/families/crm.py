"""CRM features: attributes and changes of the customer's record as of the cutoff."""

from features.definitions.expressions import Expression, Past
from features.definitions.feature_registry import feature


@feature(unit="attribute", each="attribute", zh="客户档案中的{value}")
def crm(past: Past, attribute: str) -> Expression:
    """{value} in the CRM"""
    return past.customers.last(attribute)


@feature(
    unit="days", en="{n} days since the customer was entered in the CRM", zh="录入客户档案已{n}天"
)
def crm_tenure_days(past: Past) -> Expression:
    """Days since the customer was entered in the CRM"""
    return past.customers.days_since_first()


@feature(
    unit="changes",
    windows=(365,),
    en="changes of the CRM record in the last {window} days",
    zh="近{window}天的客户档案变更次数",
)
def crm_changes(past: Past) -> Expression:
    """Versions of the CRM record in the last {window} days"""
    return past.customers.count()


@feature(unit="days", zh="距客户档案上次变更已{n}天")
def crm_days_since_change(past: Past) -> Expression:
    """Days since the CRM record last changed"""
    return past.customers.days_since()
