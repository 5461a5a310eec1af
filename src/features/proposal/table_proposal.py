"""The proposal of one contract table: its sources, its query, and an expression for each column."""

from dataclasses import dataclass, field


@dataclass
class TableProposal:
    """A contract table of the proposal.

    `pieces` are the parts of its query that are joined by `union all by name`; each names its sources
    in SQL. `columns` maps contract columns (and attributes of customers) to SQL over the query's
    result. `drop` are rules by name. `sources` are the names of the sources that the query reads.
    """

    name: str
    sources: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    constant: list[str] = field(default_factory=list)
    drop: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        return "\nunion all by name\n".join(self.pieces)

    def use(self, *names: str) -> None:
        """Note that the query reads these sources."""
        self.sources += [name for name in names if name not in self.sources]


def select_sql(columns: dict[str, str], rest: str) -> str:
    """A select statement of named expressions; an expression that is its own name stands alone."""
    listed = ",\n       ".join(
        sql if sql == name else f"{sql} as {name if name.isidentifier() else _quoted(name)}"
        for name, sql in columns.items()
    )
    return f"select {listed}\n{rest}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
