"""The snapshot: the features of all customers as of one cutoff."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataRefused
from features.execution.file_metadata import read_metadata
from insight.calls.customer_record import record_columns
from models.bundles.bundle import Bundle
from models.bundles.champions import match_comment_model, snapshot_comment_model
from models.training_set.splits import instant

#: Features that hold the customer's record begin with this.
RECORD = "crm_"


@dataclass(frozen=True)
class Snapshot:
    """One row per customer; `row_of` is the row number by id.

    `tone` is the digest of the comment score model, None where no model reads comments.
    """

    features: pa.Table
    row_of: dict[str, int]
    as_of: datetime
    tone: str | None

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of the history behind the features; empty where the file does not hold it."""
        return str(read_metadata(self.features.schema).get("fingerprint", ""))

    @cached_property
    def ids(self) -> list[str]:
        """All customer ids, sorted."""
        return sorted(self.row_of)

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The company's names of owner and region, without those that its records do not hold."""
        texts = [
            f.name.removeprefix(RECORD) for f in self.features.schema
            if f.name.startswith(RECORD) and not pa.types.is_floating(f.type)
        ]  # fmt: skip
        return record_columns(texts)

    def owner_and_region(self, customer_id: str) -> dict[str, str | None]:
        """Return owner and region of a customer by their names in `attributes`; None where not known."""
        row = self.row_of[customer_id]
        found = {n: self.features[RECORD + c][row].as_py() for n, c in self.attributes.items()}
        return {name: None if value is None else str(value) for name, value in found.items()}

    def find_ids(self, prefix: str, limit: int) -> list[str]:
        """Return the first ids that start with `prefix`."""
        start = bisect_left(self.ids, prefix)
        return [i for i in self.ids[start : start + limit] if i.startswith(prefix)]

    def usable_bundles(
        self, bundles: Mapping[str, Bundle]
    ) -> tuple[dict[str, Bundle], dict[str, str]]:
        """Return the models that can read these features, and the reason for each that cannot."""
        fit, incompatible = match_comment_model(dict(bundles), self.tone)
        columns = set(self.features.column_names)
        for target, bundle in [*fit.items()]:
            if missing := [name for name in bundle.columns if name not in columns]:
                incompatible[target] = (
                    f"{target} version {bundle.version} reads {len(missing)} columns that are not in "
                    f"the snapshot, first {missing[0]}; run `goodwill features`, then `goodwill train`"
                )
                del fit[target]
        return fit, incompatible

    @classmethod
    def read(cls, path: Path, company: str) -> "Snapshot":
        """Read a snapshot file.

        Raises DataRefused for a file that is broken, empty, or belongs to another company.
        """
        try:
            table = pq.read_table(path).combine_chunks()
            metadata = read_metadata(table.schema)
            ids, cutoff = table["customer_id"].to_pylist(), table["cutoff"].combine_chunks()
            tone = snapshot_comment_model(path)
        except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among them
            raise DataRefused(
                f"snapshot {path} cannot be read ({type(error).__name__}); build it again with "
                "`goodwill features`"
            ) from None
        if not ids:
            raise DataRefused(f"snapshot {path} holds no customers; run `goodwill features`")
        if metadata.get("company", company) != company:  # older files do not name it
            raise DataRefused(
                f"snapshot {path} belongs to {metadata['company']}; this service is for {company}"
            )
        row_of = {customer: i for i, customer in enumerate(ids)}
        return cls(table, row_of, instant(cutoff.view(pa.int64())[0].as_py()), tone)
