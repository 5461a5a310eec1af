"""What PostgreSQL refuses, in words: what was wrong, where in the company's file, what to do."""

import re
from typing import Any

from features.config.postgres_settings import PostgresAddress
from features.errors import DataRefused

#: SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): what mends it.
REMEDIES = {
    "42P01": "name a table that exists, with its schema if that is not in the role's search_path",
    "3F000": "name a schema that exists",
    "42703": "name a column that exists",
    "42883": "use a function or operator PostgreSQL has; this SQL runs there, not in DuckDB",
    "42601": "give a table's name or one PostgreSQL select",
    "0A000": "give a table's name or one PostgreSQL select",
    "25006": "Goodwill only reads: take what writes out of the query",
    "42501": "grant it: GRANT USAGE ON SCHEMA ..., GRANT SELECT ON ... TO {user}",
    "57014": "read less (columns, a where clause), add an index, or raise "
    "postgres.statement_timeout_seconds",
}
#: A stream that breaks carries no SQLSTATE: words of its message, and what they stand for.
STATES = {"statement timeout": "57014", "read-only": "25006", "permission denied": "42501"}
#: SQLSTATEs after which the same query may well work: connection lost, shutdown, start, no slot
#: left, a standby that had to catch up.
PASSING = ("08", "57P", "53300", "40001", "25P03")
PASSING_WORDS = re.compile(
    "starting up|shutting down|recovery|too many|connection slots|not accepting connections"
    "|terminating connection"
)
#: What a server or libpq says when it will not let us in, however often it is asked.
CLOSED_WORDS = re.compile(
    "FATAL|no password supplied|was required|certificate|does not support|invalid|not supported"
)


class ServerUnavailable(Exception):
    """The server cannot be reached now; another try may succeed. Its text is the reason."""


def unavailable_reason(address: PostgresAddress, err: Exception) -> str:
    """The reason in one line, without the driver's own words before it and without secrets."""
    told = address.without_secrets(str(err).strip()).split("SQLSTATE:")[0].split("Query was:")[0]
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return re.sub(r"^(.*?\b(FATAL|ERROR): +|(\w+: )?(\[libpq\] )?(.* failed: )?)", "", lines[0])


def translate_error(
    address: PostgresAddress, place: str, err: Any, while_connecting: bool = False
) -> DataRefused | ServerUnavailable:
    """What to raise for an error of the driver: the remedy by its SQLSTATE, or that it is away."""
    told, state = str(err), getattr(err, "sqlstate", None) or ""
    why = unavailable_reason(address, err)
    if state.startswith(PASSING) or PASSING_WORDS.search(told):
        return ServerUnavailable(why)
    if while_connecting:
        if not CLOSED_WORDS.search(told):
            return ServerUnavailable(why)
        return DataRefused(
            f"{address} does not let user {address.user} in: {why}; check user, password and "
            "database of the URL, and that the server lets this machine in (pg_hba.conf)"
        )
    for words, known in STATES.items():
        state = known if words in told and not state else state
    remedy = REMEDIES.get(state, "mend the query").format(user=address.user)
    return DataRefused(f"{place}: {address} says: {why}; {remedy}")
