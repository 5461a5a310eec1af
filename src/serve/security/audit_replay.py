"""Reproduces past scores from the audit log, the stored models and the history.

The history is cut at the cutoff of the call, so later rows do not count. Earlier rows may have been
changed since: a different fingerprint shows that this is possible.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.config.company import Company
from features.errors import DataRefused
from features.execution.partitions import CustomerRange
from features.feature_table import feature_table, plan_for
from features.history.build_history import History, build_history
from features.history_store import Manifest, read_block
from features.settings import Workspace
from models.bundles.bundle import Bundle, read_bundle
from models.bundles.predict import OUTPUTS, predict
from models.training_set.splits import microseconds
from serve.errors import ApiError
from serve.http.request_parsing import parse_request
from serve.schemas.score_schemas import Output, RecordsRequest
from serve.scoring.assemble_scores import to_json_values
from serve.scoring.records_to_arrow import records_to_tables
from serve.security.audit_log import AuditEntry, AuditLog

#: customer -> target -> output -> value
Scores = dict[str, dict[str, dict[str, Output]]]


@dataclass(frozen=True)
class Replay:
    """A reproduced call: its line of the audit log, the scores, and notes on possible differences."""

    line: AuditEntry
    scores: Scores
    notes: list[str] = field(default_factory=list)

    def rows(self) -> list[tuple[tuple[str, str, str], str]]:
        """One row per customer and target: both and the version, and all outputs in full precision."""
        return [
            (
                (customer, target, self.line.versions[target]),
                ", ".join(f"{name}={json.dumps(value)}" for name, value in outputs.items()),
            )
            for customer, targets in self.scores.items()
            for target, outputs in targets.items()
        ]


def replay_calls(
    company: Company,
    workspace: Workspace,
    customer: str | None = None,
    request: str | None = None,
    records: Path | None = None,
) -> list[Replay]:
    """Reproduce all calls about a customer, or with the request body of a file.

    `request` selects the call with this id. Raises DataRefused when the audit log has no such call.
    """
    if (customer is None) == (records is None):
        raise DataRefused("give either --customer, or --records with the file that was sent")
    audit = AuditLog(workspace, company.name)
    body = records.read_bytes() if records else b""
    found = list(_matching_lines(audit, customer, body, request))
    if not found:
        what = "this customer" if customer is not None else "these rows"
        raise DataRefused(f"{audit.folder} has no call about {what}, or none with this request id")
    replayer = _Replayer(company, workspace)
    if customer is None:
        return [replayer.with_rows(line, body) for line in found]
    return [replayer.with_history(line, customer) for line in found]


def _matching_lines(
    audit: AuditLog, customer: str | None, body: bytes, request: str | None
) -> Iterator[AuditEntry]:
    pseudonym = audit.pseudonym(body if customer is None else customer)
    for line in audit.lines():
        if request is not None and line.request_id != request:
            continue
        if pseudonym == line.digest if customer is None else pseudonym in line.customers:
            yield line


class _Replayer:
    """Reproduces calls of one company."""

    def __init__(self, company: Company, workspace: Workspace) -> None:
        self._history = workspace.history(company.name)
        self._serving = workspace.serving(company.name)
        self._fingerprint = Manifest.read(workspace, company.name).fingerprint

    def with_history(self, line: AuditEntry, customer: str) -> Replay:
        """Reproduce a customer's scores from today's history, cut at the cutoff of the call."""
        bundles, notes = self._bundles(line)
        if line.digest:
            notes.append("this call sent rows along; give the file that was sent, with --records")
            return Replay(line, {}, notes)
        if line.fingerprint != self._fingerprint:
            notes.append(
                f"the fingerprint of the history was {line.fingerprint or 'not recorded'} and is now "
                f"{self._fingerprint}: rows before {line.as_of[:10]} may have changed or arrived since"
            )
        past = read_block(self._history, CustomerRange(customer, customer))
        if customer not in past.customer_ids:
            return Replay(line, {}, [*notes, "the history no longer holds this customer"])
        return Replay(line, _scores(bundles, past, line), notes)

    def with_rows(self, line: AuditEntry, body: bytes) -> Replay:
        """Reproduce the scores of all customers in a request body."""
        bundles, notes = self._bundles(line)
        if not bundles:
            return Replay(line, {}, notes)
        try:
            request = parse_request(RecordsRequest, body)
        except ApiError as error:
            raise DataRefused(f"the file is not what the call sent: {error.message}") from None
        newest = max(bundles.values(), key=lambda bundle: str(bundle.manifest.trained_at))
        past = build_history(records_to_tables(request.records, newest.schema))
        return Replay(line, _scores(bundles, past, line), notes)

    def _bundles(self, line: AuditEntry) -> tuple[dict[str, Bundle], list[str]]:
        """The models of a call, and for each that cannot be read why."""
        found: dict[str, Bundle] = {}
        notes: list[str] = []
        for target, version in line.versions.items():
            try:
                found[target] = read_bundle(self._serving / target / version)
            except DataRefused as refused:
                notes.append(f"{target} version {version} cannot be read: {refused}")
        return found, notes


def _scores(bundles: dict[str, Bundle], past: History, line: AuditEntry) -> Scores:
    ids = pa.array(past.customer_ids, pa.string())
    moment = microseconds(datetime.fromisoformat(line.as_of))
    cutoff = np.full(len(ids), moment, np.int64)
    scores: Scores = {customer: {} for customer in past.customer_ids}
    for target, bundle in bundles.items():
        plan = plan_for(bundle.schema, bundle.columns, bundle.tone)
        outputs = predict(bundle, feature_table(past, ids, cutoff, plan))
        listed = {name: to_json_values(outputs[name]) for name in OUTPUTS[target]}
        for i, customer in enumerate(past.customer_ids):
            scores[customer][target] = {name: values[i] for name, values in listed.items()}
    return scores
