"""Errors of PostgreSQL as messages: what was wrong, where in the company's file, and the remedy."""

import re
from typing import Any

from features.config.postgres_settings import PostgresAddress
from features.errors import DataRefused

#: The remedy by SQLSTATE (PostgreSQL manual, appendix "Error Codes").
REMEDIES = {
    "42P01": "name a table that exists, with its schema if that is not in the role's search_path",
    "3F000": "name a schema that exists",
    "42703": "name a column that exists",
    "42883": "use a function or operator PostgreSQL has; this SQL runs there, not in DuckDB",
    "42601": "give a table's name or one PostgreSQL select",
    "0A000": "give a table's name or one PostgreSQL select",
    "25006": "Goodwill only reads: remove from the query whatever writes",
    "42501": "grant it: GRANT USAGE ON SCHEMA ..., GRANT SELECT ON ... TO {user}",
    "57014": "read less (columns, a where clause), add an index, or raise "
    "postgres.statement_timeout_seconds",
}
#: An error in the middle of a stream carries no SQLSTATE: words of its message, and the SQLSTATE.
STATES = {"statement timeout": "57014", "read-only": "25006", "permission denied": "42501"}
#: SQLSTATEs after which the same query may succeed: connection lost, shutdown, startup, no free slot,
#: a standby that lags.
TRANSIENT = ("08", "57P", "53300", "40001", "25P03")
TRANSIENT_WORDS = re.compile(
    "starting up|shutting down|recovery|too many|connection slots|not accepting connections"
    "|terminating connection"
)
#: Messages of a server or libpq that rejects the connection for good.
REJECTED_WORDS = re.compile(
    "FATAL|no password supplied|was required|certificate|does not support|invalid|not supported"
)


class ServerUnavailable(Exception):
    """The server is unavailable now; another try may succeed. The text is the reason."""


def unavailable_reason(address: PostgresAddress, err: Exception) -> str:
    """The reason in one line, without the driver's prefixes and without secrets."""
    text = address.without_secrets(str(err).strip()).split("SQLSTATE:")[0].split("Query was:")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^(.*?\b(FATAL|ERROR): +|(\w+: )?(\[libpq\] )?(.* failed: )?)", "", lines[0])


def translate_error(
    address: PostgresAddress, place: str, err: Any, while_connecting: bool = False
) -> DataRefused | ServerUnavailable:
    """Translate an error of the driver: DataRefused with a remedy, or ServerUnavailable."""
    text, state = str(err), getattr(err, "sqlstate", None) or ""
    reason = unavailable_reason(address, err)
    if state.startswith(TRANSIENT) or TRANSIENT_WORDS.search(text):
        return ServerUnavailable(reason)
    if while_connecting:
        if not REJECTED_WORDS.search(text):
            return ServerUnavailable(reason)
        return DataRefused(
            f"{address} rejects user {address.user}: {reason}; check user, password and database of the "
            "URL, and that the server accepts this machine (pg_hba.conf)"
        )
    for words, known in STATES.items():
        state = known if words in text and not state else state
    remedy = REMEDIES.get(state, "fix the query").format(user=address.user)
    return DataRefused(f"{place}: {address} says: {reason}; {remedy}")
