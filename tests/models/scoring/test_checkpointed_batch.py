"""Scores and reasons in one pass: what the two ways of their own write, in blocks that stay."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.errors import DataRefused
from features.execution.partitions import CustomerRange
from features.progress import silent_steps
from models.scoring.batch_reasons import explain_customers
from models.scoring.batch_scores import score_customers
from models.scoring.checkpointed_batch import BatchJob, score_and_explain
from support.trained_company import copy_of_trained


@pytest.mark.slow
def test_one_pass_writes_what_two_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    score_customers(company, workspace, silent_steps())
    explain_customers(company, workspace, silent_steps())
    paths = (workspace.scores("sample"), workspace.scores("sample").with_name("reasons.parquet"))
    before = [pq.read_table(path) for path in paths]
    assert score_and_explain(company, workspace, silent_steps()) == paths
    assert [path.is_file() for path in paths] == [True, True]
    assert [pq.read_table(path) for path in paths] == before

    monkeypatch.setenv("GOODWILL_BLOCK_CUSTOMERS", "600")
    made, calls = BatchJob.tables, []

    def second_fails(self: BatchJob, piece: tuple[Path, CustomerRange]):  # type: ignore[no-untyped-def]
        calls.append(piece[1])
        if len(calls) == 2:
            raise DataRefused("the disk is full")
        return made(self, piece)

    monkeypatch.setattr(BatchJob, "tables", second_fails)
    with pytest.raises(DataRefused, match="disk is full"):
        score_and_explain(company, workspace, silent_steps())
    assert [pq.read_table(path) for path in paths] == before
    score_and_explain(company, workspace, silent_steps())
    assert calls[2:] == calls[1:2]  # the first block is not made again
    scores, reasons = (pq.read_table(path) for path in paths)
    assert scores.equals(before[0])
    key = [("customer_id", "ascending"), ("target", "ascending"), ("rank", "ascending")]
    assert (
        reasons.drop_columns(["contribution"])
        .sort_by(key)
        .equals(before[1].drop_columns(["contribution"]).sort_by(key))
    )
    assert not (paths[0].parent / "unfinished").exists()
