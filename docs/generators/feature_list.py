"""The page of the built-in features: every column that a company with all contract columns gets."""

from markdown import table

from features.contract import TABLES
from features.definitions.company_schema import CompanySchema
from features.definitions.feature_registry import feature_columns
from features.feature_table import FAMILIES


def page() -> str:
    """The page as Markdown."""
    tables = {name: tuple(c.name for c in contract.columns) for name, contract in TABLES.items()}
    made = feature_columns(CompanySchema(tables, {}, ()))
    parts = [
        "# Features\n",
        "The columns that a company gets if it maps every column of the contract; attributes, survey "
        "dimensions and frequent categories of its own add more. `goodwill features --describe` lists "
        "those of one company with their missing rates. [Write features](../how-to/write-features.md) "
        "explains how to add one.\n",
    ]
    for family in FAMILIES:
        rows = [
            (f"`{c.name}`", c.meaning, c.unit) for c in made if c.declared_in == family.__name__
        ]
        if rows:
            title = family.__name__.rsplit(".", 1)[1].replace("_", " ").capitalize()
            parts += [f"## {title}\n", table(("column", "meaning", "unit"), rows)]
    return "\n".join(parts)
