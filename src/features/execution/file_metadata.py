"""What a Parquet file of ours says about itself: company, data, models, as metadata of its schema."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_KEY = b"goodwill"


def with_metadata(table: pa.Table, about: Mapping[str, Any]) -> pa.Table:
    """The table with this metadata, in place of any other."""
    return table.replace_schema_metadata({_KEY: json.dumps(about).encode()})


def read_metadata(schema: pa.Schema) -> dict[str, Any]:
    """The metadata of a schema; empty for a file that has none. Raises ValueError for a damaged one."""
    found: dict[str, Any] = json.loads((schema.metadata or {}).get(_KEY, b"{}"))
    return found
