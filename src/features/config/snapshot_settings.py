"""The `[snapshot]` section of a company's TOML file: one row a customer with a label and no dates."""

from pydantic import Field

from features.config.toml_section import TomlSection

#: The column of the history's customers that holds the label; no feature reads it.
LABEL = "snapshot_label"
#: What every result of a snapshot has to say.
WEAKER_EVIDENCE = (
    "Weaker evidence: no time order. The table shows each customer once and has no dates, so the model "
    "is judged on customers whom it has not seen, not on later ones; whether a column was filled in "
    "after the outcome cannot be proved."
)
#: In place of a number of days.
NO_HORIZON = "none: the table has no dates"
#: Why whatever compares times cannot be made from a snapshot.
NO_DATES = "the customers are a snapshot without dates"


class SnapshotSettings(TomlSection):
    """A table of customers that shows each of them once, with a label and without dates.

    `label` is SQL over the source of customers: true (or 1) for those who left, false (or 0) for those
    who stayed, null where that is unknown. A source column that it names becomes no attribute through
    `columns = "*"`. Churn is learned from it; a share of the customers, `targets.churn.test_share`, is
    held out by a hash of their ids. `customers` is then the only table, and all of its attributes are
    used: none needs a `valid_from` or to be `constant`. `levers` are attributes that the company can
    lower, numbers such as a price: what-if asks what a lower one would change.
    """

    label: str = Field(min_length=1)
    levers: list[str] = Field(default_factory=list)
