"""The `[postgres]` section of a company's TOML file, and the database address without secrets."""

import os
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from pydantic import Field, field_validator

from features.config.toml_section import TomlSection
from features.errors import ConfigRefused

#: The URLs libpq accepts, matched strictly so that no part of a password is taken for a host.
URL = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^:@/?#\s]*))?@)?"
    r"(?P<hosts>(?:\[[0-9a-fA-F:.%]+\]|[\w.-]*)(?::\d+)?(?:,(?:\[[0-9a-fA-F:.%]+\]|[\w.-]*)(?::\d+)?)*)"
    r"(?:/(?P<database>[^@/?#:\s]*))?"
    r"(?:\?(?P<options>\w+=[^&#@\s]*(?:&\w+=[^&#@\s]*)*))?"
)
BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")

#: Defaults that detect an unreachable server or a dead connection within a minute.
CONNECTION_DEFAULTS = {
    "application_name": "goodwill",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


class PostgresSettings(TomlSection):
    """How a company's PostgreSQL database is read; the file holds no password.

    `url_from` names the environment variable that holds `postgresql://user:password@host/database`;
    without it libpq's own variables (`PGHOST` ...), service and password files apply.
    `statement_timeout_seconds` is the server's limit for one query and the transfer of its rows.
    An unavailable server is tried again `retries` times, after 1, 2, 4 ... 60 seconds. Rows arrive
    in batches of about `batch_mb` megabytes, which bounds the memory.
    """

    url_from: str | None = None
    statement_timeout_seconds: int = Field(default=3600, ge=1, le=2_000_000)
    retries: int = Field(default=5, ge=0, le=100)
    batch_mb: int = Field(default=16, ge=1, le=1024)

    @field_validator("url_from")
    @classmethod
    def _check_variable_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError(
                "name the environment variable that holds the URL, such as ACME_DATABASE_URL; "
                "the URL itself, with its password, does not belong in this file"
            )
        return name


@dataclass(frozen=True)
class PostgresAddress:
    """The address of the database; as a text it names host, port and database, never a secret."""

    url: str = field(repr=False)
    host: str
    port: str
    database: str
    user: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"PostgreSQL at host {self.host}, port {self.port}, database {self.database}"

    def without_secrets(self, text: str) -> str:
        """Mask passwords that a message of the server or its library may repeat."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def find_postgres_address(settings: PostgresSettings, toml: str) -> PostgresAddress:
    """Find the address in the environment; raises ConfigRefused when it is missing or not a URL."""
    name = settings.url_from
    url = os.environ.get(name, "").strip() if name else "postgresql://"
    if not url:
        raise ConfigRefused(
            f"{toml}: postgres.url_from names the environment variable {name}, which is not set; "
            f"set it: export {name}=postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        )
    parts = URL.fullmatch(url)
    if parts is None or BAD_PERCENT.search(url):
        raise ConfigRefused(
            f"{toml}: the environment variable {name} does not hold a URL of the form "
            "postgresql://USER:PASSWORD@HOST:5432/DATABASE (not shown: it may hold a password); "
            "write special characters of the password as percent codes, @ as %40"
        )
    given = dict(pair.split("=", 1) for pair in (parts["options"] or "").split("&") if pair)
    ends = [end.rpartition(":") if re.search(r":\d+$", end) else (end, "", "")
            for end in parts["hosts"].split(",")]  # fmt: skip
    user = unquote(parts["user"] or "") or given.get("user") or os.environ.get("PGUSER") or ""
    hosts = ",".join(h for h, _, _ in ends) or unquote(given.get("host", ""))
    ports = ",".join(p for _, _, p in ends if p) or given.get("port")
    secrets = [parts["password"], *(v for k, v in given.items() if "password" in k)]
    return PostgresAddress(
        _with_defaults(url, given),
        hosts or os.environ.get("PGHOST") or "(local socket)",
        ports or os.environ.get("PGPORT") or "5432",
        unquote(parts["database"] or "") or given.get("dbname") or os.environ.get("PGDATABASE")
        or user or "(same name as the user)",
        user or "(system user)",
        tuple(s for s in {*secrets, *map(unquote, filter(None, secrets))} if s),
    )  # fmt: skip


def _with_defaults(url: str, given: dict[str, str]) -> str:
    """The URL with the default connection parameters that it does not set itself."""
    given_keys = {*given, *(["connect_timeout"] if "PGCONNECT_TIMEOUT" in os.environ else [])}
    extra = "&".join(
        f"{key}={value}" for key, value in CONNECTION_DEFAULTS.items() if key not in given_keys
    )
    return f"{url}{'&' if given else '?'}{extra}"
