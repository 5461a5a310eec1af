"""A company whose sources deliver a file a day; its nights only import."""

from datetime import date, timedelta
from pathlib import Path

import duckdb

from support.nights import NightEnd, Nights

#: The time at which a row is delivered, in each source; a CRM account's row changes.
DELIVERED = {
    "orders": "booked_at", "shipments": "booked_at", "returns": "booked_at", "visits": "booked_at",
    "payments": "paid_at", "logins": "logged_in_at", "contracts": "changed_at",
    "tickets": "opened_at",
}  # fmt: skip
#: Enough customers for a day of orders whose absence is no chance.
CUSTOMERS = 2000


class DailyNights(Nights):
    """Sources of one file a day; the days before `first` are one file each."""

    def __init__(self, home: Path, first: date) -> None:
        self.whole = home / "whole"
        super().__init__(home, CUSTOMERS)
        self.first = first
        for source in DELIVERED:
            self._write(source, f"< timestamptz '{first} 00:00:00+00'", "before")

    def _make(self, customers: int) -> None:
        super()._make(customers)
        self.raw.rename(self.whole)
        self.raw.mkdir()
        accounts = "crm_accounts.parquet"
        (self.raw / accounts).write_bytes((self.whole / accounts).read_bytes())
        text = self.toml.read_text(encoding="utf-8")
        text = "\n".join(x for x in text.splitlines() if not x.startswith("data_end"))
        for source in DELIVERED:
            text = text.replace(f'"{source}.parquet"', f'"{source}/*.parquet"')
        text = text.replace("[tables.events]\n", "[tables.events]\ndaily = true\n")
        text = text.replace("[tables.tickets]\n", "[tables.tickets]\ndaily = true\n")
        self.toml.write_text(f"{text}\n", encoding="utf-8")

    def file(self, source: str, day: date | str) -> Path:
        """The file of a source and day."""
        return self.raw / source / f"{day}.parquet"

    def deliver(self, day: date, without: tuple[str, ...] = ()) -> None:
        """Let every source deliver its file of a day, except some."""
        after = day + timedelta(days=1)
        for source in (s for s in DELIVERED if s not in without):
            self._write(
                source, f">= timestamptz '{day} 00:00:00+00' and {DELIVERED[source]} < "
                f"timestamptz '{after} 00:00:00+00'", day,
            )  # fmt: skip

    def _write(self, source: str, when: str, day: date | str) -> None:
        path = self.file(source, day)
        path.parent.mkdir(exist_ok=True)
        duckdb.sql(
            f"copy (select * from '{self.whole / source}.parquet' where {DELIVERED[source]} {when}) "
            f"to '{path}' (format parquet)"
        )

    def problems(self) -> list[str]:
        """What is half written or not at its usual path; there are no models."""
        return [*self.unreadable(), *self.odd_links()]

    def night(self) -> NightEnd:
        """Import what was delivered."""
        return self.run("data")

    def rows(self) -> dict[str, int]:
        """The rows of the stored history, by table."""
        files = sorted((self.folder / "history").glob("*.parquet"))
        return {f.stem: duckdb.sql(f"select count(*) from '{f}'").fetchall()[0][0] for f in files}
