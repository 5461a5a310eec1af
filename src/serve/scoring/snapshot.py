"""The features of all customers as of one cutoff, and where each customer is in them."""

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataRefused
from models.bundles.bundle import Bundle
from models.bundles.champions import snapshot_comment_model
from models.bundles.champions import match_comment_model
from models.training_set.splits import instant


@dataclass(frozen=True)
class Snapshot:
    """A row a customer; `tone` is the digest of what read the comments, None for nothing."""

    features: pa.Table
    place: dict[str, int]
    as_of: datetime
    tone: str | None

    @cached_property
    def fingerprint(self) -> str:
        """Of the history the features were made from; empty where the file does not say."""
        told = (self.features.schema.metadata or {}).get(b"goodwill", b"{}")
        return str(json.loads(told).get("fingerprint", ""))

    @cached_property
    def ids(self) -> list[str]:
        """Every customer, in the order of the ids."""
        return sorted(self.place)

    def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """The first customers whose id begins so."""
        start = bisect_left(self.ids, prefix)
        return [i for i in self.ids[start : start + limit] if i.startswith(prefix)]

    def readers(self, bundles: Mapping[str, Bundle]) -> tuple[dict[str, Bundle], dict[str, str]]:
        """The models that can read these features, and why the others cannot."""
        fit, apart = match_comment_model(dict(bundles), self.tone)
        there = set(self.features.column_names)
        for target, bundle in [*fit.items()]:
            if lacking := [name for name in bundle.columns if name not in there]:
                apart[target] = (
                    f"{target} version {bundle.version} reads {len(lacking)} columns that are not in "
                    f"the snapshot, first {lacking[0]}; run `goodwill features`, then `goodwill train`"
                )
                del fit[target]
        return fit, apart

    @classmethod
    def read(cls, path: Path, company: str) -> "Snapshot":
        """Raises DataRefused for a file that is broken, holds nobody, or is another company's."""
        try:
            table = pq.read_table(path).combine_chunks()
            told = json.loads((table.schema.metadata or {}).get(b"goodwill", b"{}"))
            ids, cutoff = table["customer_id"].to_pylist(), table["cutoff"].combine_chunks()
            tone = snapshot_comment_model(path)
        except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among them
            raise DataRefused(
                f"snapshot {path} cannot be read ({type(error).__name__}); make it again with "
                "`goodwill features`"
            ) from None
        if not ids:
            raise DataRefused(f"snapshot {path} holds no customer; run `goodwill features`")
        if told.get("company", company) != company:  # an older snapshot does not say
            raise DataRefused(f"snapshot {path} is of {told['company']}, and {company} is served")
        place = {customer: i for i, customer in enumerate(ids)}
        return cls(table, place, instant(cutoff.view(pa.int64())[0].as_py()), tone)
