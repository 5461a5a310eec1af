"""Refuse amounts in several currencies: they cannot be added."""

import re

import duckdb

from features.config.company import Company
from features.config.table_mapping import TableMapping
from features.errors import DataRefused
from features.ingest.sql import quote_identifier, run_company_sql

#: Names of columns that say in which currency an amount is.
_CURRENCY = re.compile(
    r"(currency|(^|[^a-z])(curr|ccy|w(ä|ae)hrung|devise|moneda|moeda|valuta))([^a-z]?(code|iso|symbol))?$"
    "|^(币种|货币|货币代码)$",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Z]{3}")
#: Codes in use that are not those of ISO 4217.
_ALIASES = {"RMB": "CNY"}


def check_one_currency(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, mapping: TableMapping, kept: str
) -> None:
    """Raise DataRefused when the amounts of a table are in several currencies, or not in the company's.

    `kept` is the relation after query and drop rules. A currency column that the expression of the
    amount names is taken as converted, and so is one of a source that the query names and does not
    return.
    """
    amount = mapping.columns.get("amount")
    if amount is None:
        return
    place = f"tables.{table}.columns.amount"
    returned = _currency_columns(con, kept)
    for column in returned:
        if not _names(amount, column):
            _check(con, company, table, column, kept, place, f"({amount}) is not null")
    if mapping.query is None:
        return
    for source in mapping.origins:
        for column in _currency_columns(con, quote_identifier(source)):
            if column not in returned and not _names(mapping.query, column):
                _check(con, company, table, column, quote_identifier(source), place, "true")


def _check(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, column: str, relation: str,
    place: str, condition: str,
) -> None:  # fmt: skip
    """Check the currencies of the rows of a relation that hold a condition."""
    currency = f"nullif(upper(trim({quote_identifier(column)}::varchar)), '')"
    rows = run_company_sql(
        con,
        f"select {currency}, count(*) from {relation} where {condition} group by 1 having {currency} "
        "is not null order by 2 desc, 1",
        company,
        place,
    )
    counts: dict[str, int] = {}
    for code, count in rows:
        code = _ALIASES.get(code, code)
        counts[code] = counts.get(code, 0) + count
    where = f"{company.path.name}: tables.{table}"
    if len(counts) > 1:
        found = ", ".join(f"{code} ({count:,} rows)" for code, count in list(counts.items())[:5])
        raise DataRefused(
            f"{where}: amounts are in several currencies, which cannot be added: {column} is {found}; "
            f"keep the rows of one currency ([tables.{table}.drop] or the query), or convert the "
            "amounts in the expression of amount"
        )
    own = company.info.currency
    for code in counts:
        if _CODE.fullmatch(code) and code != own:
            raise DataRefused(
                f'{where}: amounts are in {code} ({column}), and company.currency is "{own}"; set '
                f'currency = "{code}" under [company], or convert the amounts in the expression of '
                "amount"
            )


def _currency_columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    described = con.execute(f"describe select * from {relation}").fetchall()
    return [str(row[0]) for row in described if _CURRENCY.search(str(row[0]))]


def _names(sql: str, column: str) -> bool:
    """Whether SQL names a column."""
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", sql, re.IGNORECASE) is not None
