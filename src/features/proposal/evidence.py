"""All that was found out about the sources before a table of the contract is proposed."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from features.ingest.sql import quote_literal
from features.proposal.column_profile import Column
from features.proposal.company_facts import CompanyFacts
from features.proposal.customer_paths import CustomerPath
from features.proposal.guess import GuessBook
from features.proposal.joins import Join
from features.proposal.load_sources import Source
from features.proposal.table_roles import SourceRole


@dataclass(frozen=True)
class Evidence:
    """The sources by name, with their joins, ways to the customer and roles."""

    con: duckdb.DuckDBPyConnection
    sources: Mapping[str, Source]
    joins: list[Join]
    paths: Mapping[str, CustomerPath]
    roles: Mapping[str, SourceRole]
    facts: CompanyFacts
    book: GuessBook

    def having(self, role: str) -> list[Source]:
        """The sources of a role, the largest last so that the details come first in a query."""
        return [self.sources[name] for name, found in self.roles.items() if found.role == role]

    def joins_from(self, source: Source) -> list[Join]:
        return [j for j in self.joins if j.source == source.name]

    def joins_to(self, source: Source) -> list[Join]:
        return [j for j in self.joins if j.target == source.name]

    def time_sql(self, column: Column, alias: str) -> str:
        """SQL of a time; one without a zone becomes an instant where other sources have zones."""
        sql = column.sql(alias)
        if column.has_zone or not self.zones_are_mixed:
            return sql
        return f"timezone({quote_literal(self.facts.time_zone)}, {sql}::timestamp)"

    @property
    def zones_are_mixed(self) -> bool:
        """Whether some times carry a zone and others do not."""
        times = [
            c for s in self.sources.values() for c in s.columns.values() if c.is_time and c.filled
        ]
        return len({c.has_zone for c in times}) > 1

    def count(self, sql: str) -> int:
        """The single number that a query gives."""
        return int(self.con.execute(sql).fetchall()[0][0] or 0)

    def number(self, sql: str) -> float | None:
        value = self.con.execute(sql).fetchall()[0][0]
        return None if value is None else float(value)
