"""Owner and region of a customer, by the names that companies give them in their files."""

from collections.abc import Collection

#: The columns of a customer's record that hold each, the first that a company has.
COLUMNS = {
    "owner": ("account_owner", "owner", "account_manager", "sales_rep"),
    "region": ("region", "sales_region", "area", "territory"),
}


def record_columns(known: Collection[str]) -> dict[str, str]:
    """The column of owner and region among the known columns of records; without what is not there."""
    return {
        name: column
        for name, columns in COLUMNS.items()
        if (column := next((c for c in columns if c in known), None)) is not None
    }
