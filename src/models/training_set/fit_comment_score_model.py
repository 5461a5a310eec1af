"""Which tone reads a company's comments: the champions' own, or one fitted on early answers only."""

from collections import Counter
from collections.abc import Mapping

import duckdb
import numpy as np
import pyarrow as pa

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.progress import Steps
from features.settings import Workspace
from features.text.comment_score_model import LEAST, CommentScoreModel
from features.text.language_id import language
from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions
from models.targets.registry import TARGETS
from models.training_set.splits import instant, microseconds, split_by_time

#: A tone learns from the latest so many scored comments, languages are counted in as many texts.
MOST = 50_000


def select_comment_model(
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    labels: Mapping[str, pa.Table],
    steps: Steps,
    refit: bool = False,
) -> CommentScoreModel | None:
    """The tone features are made with; None where there are too few scored comments.

    While a champion reads comments, its tone stays: another would change what the champion sees.
    A new one learns from answers known before the first validation cutoff of every target in
    `labels`, and is fitted where no champion has one, where `refit` asks for it, and where the
    champion's own learnt from later answers than that.
    """
    commented = [
        n for n in ("surveys", "tickets") if "comment" in manifest.schema.tables.get(n, ())
    ]
    until = first_validation(company, labels)
    if not commented or until is None:
        return None
    with steps.step("tone of comments") as done:
        con = open_history(workspace.history(company.name))
        try:
            found = load_champions(workspace.serving(company.name))[0]
            tone, origin = (None, "") if refit else _kept(found, until)
            if tone is None:
                tone = _fitted(con, until) if "surveys" in commented else None
                origin = "new" if tone else f"none, fewer than {LEAST} differently scored comments"
            facts: dict[str, object] = {"tone": origin, **_languages(con, commented)}
            if tone:
                facts |= {
                    "learnt from": tone.comments,
                    "until": f"{instant(tone.fitted_until):%Y-%m-%d}",
                }
            done(**facts)
        finally:
            con.close()
    return tone


def first_validation(company: Company, labels: Mapping[str, pa.Table]) -> int | None:
    """The earliest validation cutoff of the targets in `labels`, in microseconds since 1970."""
    found = []
    for name, rows in labels.items():
        cutoff = rows["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC")).view(pa.int64())
        try:
            split = split_by_time(
                TARGETS[name], company.target(name), cutoff.to_numpy(zero_copy_only=False)
            )
        except DataRefused:  # training will say so
            continue
        found.append(microseconds(split.valid_start))
    return min(found, default=None)


def _kept(found: Mapping[str, Bundle], until: int) -> tuple[CommentScoreModel | None, str]:
    """The tone of the newest champion that has one, unless it has learnt from what came later."""
    having = [b for b in found.values() if b.tone and b.tone.fitted_until <= until]
    if not having:
        return None, ""
    newest = max(having, key=lambda b: str(b.manifest.trained_at))
    return newest.tone, f"that of {newest.target} version {newest.version}"


def _fitted(con: duckdb.DuckDBPyConnection, until: int) -> CommentScoreModel | None:
    """A tone of the latest scored comments before a moment; effort scores count the other way round
    in some companies and are left out."""
    rows = con.sql(
        "with scored as (select comment, answered_at, coalesce(weight, 1.0)::double as weight, "
        "100.0 * (score - scale_low) / (scale_high - scale_low) as level from surveys "
        f"where epoch_us(answered_at) < {until} and trim(comment) <> '' and instrument <> 'ces' "
        "and score is not null and scale_high <> scale_low), latest as (select * from scored "
        f"where weight > 0 order by answered_at desc, comment, level, weight limit {MOST}) "
        "select comment, level, weight from latest order by all"
    ).to_arrow_table()
    levels, weights = (np.asarray(rows[n].to_numpy(), np.float64) for n in ("level", "weight"))
    return CommentScoreModel.fit(rows["comment"].to_pylist(), levels, weights, until)


def _languages(con: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[str, str]:
    """The shares of the languages comments are written in, so that nothing is unread in silence."""
    union = " union all ".join(f"select comment from {name}" for name in tables)
    texts = con.execute(
        f"select comment, count(*) from ({union}) where trim(comment) <> '' group by 1 "
        f"order by hash(comment) limit {MOST}"
    ).fetchall()
    counts: Counter[str] = Counter()
    for text, rows in texts:
        counts[language(text) or "not read"] += rows
    return {name: f"{rows / counts.total():.1%}" for name, rows in counts.most_common()}
