"""The causes of an outcome, ranked by how much of it would not have happened without them."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.complaints.attributable_fraction import (
    Attribution,
    ComparisonRows,
    assign_folds,
    estimate_attribution,
    fit_probability,
)
from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.confounders import encode_confounders, read_confounders
from insight.complaints.exposures import Exposure, find_exposures
from insight.complaints.index_dates import IndexDates

Floats = NDArray[np.float64]

#: Nobody who answered stands for more than this many invitations.
MAX_WEIGHT = 20.0


@dataclass(frozen=True)
class RankedCause:
    """A cause with what it does to the outcome."""

    cause: Exposure
    found: Attribution


@dataclass(frozen=True)
class CauseOfCause:
    """A cause of a cause: how much of the latter would not have happened without the former."""

    effect: str
    cause: str
    found: Attribution


@dataclass(frozen=True)
class DoseBand:
    """The effect of a cause where its size is between two borders, against rows that did not meet it."""

    low: float
    high: float
    found: Attribution | None
    rows: int


@dataclass(frozen=True)
class CauseRanking:
    """The causes of an outcome, strongest first; what could not be judged, and why.

    `answered` is the share of invitations with an answer (1 where nothing was asked).
    """

    moments: IndexDates
    rows: int
    rate: float
    answered: float
    causes: list[RankedCause]
    whys: list[CauseOfCause]
    doses: dict[str, list[DoseBand]]
    left_out: dict[str, str]


def rank_causes(
    con: duckdb.DuckDBPyConnection,
    moments: IndexDates,
    settings: ComplaintSettings,
    complaints: pd.DataFrame | None,
) -> CauseRanking:
    """Rank everything that may cause an outcome; each is adjusted for its circumstances.

    Raises DataRefused when nothing can be judged.
    """
    con.register("moments", moments.table[["row", "customer_id", "moment"]])
    found = find_exposures(con, settings, complaints)
    around = encode_confounders(read_confounders(con, settings))
    con.unregister("moments")
    known = moments.table["outcome"].notna().to_numpy()
    rows = _rows(moments.table, around, found, known)
    found = [cause.at(known) for cause in found]
    left_out: dict[str, str] = {}
    ranked: list[RankedCause] = []
    doses: dict[str, list[DoseBand]] = {}
    for cause in found:
        beside = _beside(rows, cause, found)
        try:
            ranked.append(RankedCause(cause, estimate_attribution(beside, cause.met, cause.among)))
        except DataRefused as err:
            left_out[cause.name] = str(err)
            continue
        if cause.dose is not None:
            doses[cause.name] = _doses(beside, cause, settings.late_days)
    if not ranked:
        raise DataRefused(
            f"no cause of `{moments.title}` can be judged: {left_out or 'the tables show none'}; "
            "deliveries with due_at, returns or tickets would show some"
        )
    ranked.sort(key=lambda r: (-r.found.share.value, r.cause.name))
    rate = float(np.average(rows.outcome, weights=rows.weight))
    whys = _whys(rows, found, {r.cause.name for r in ranked if r.found.certain})
    return CauseRanking(
        moments, int(known.sum()), rate, float(known.mean()), ranked, whys, doses, left_out
    )


def _rows(
    table: pd.DataFrame, around: Floats, found: list[Exposure], known: NDArray[np.bool_]
) -> ComparisonRows:
    """The rows whose outcome is known, weighted so that they stand for all who were asked."""
    weight = table["weight"].to_numpy(float)
    customer = np.unique(table["customer_id"].to_numpy(str), return_inverse=True)[1]
    if not known.all():
        met = np.column_stack([around, *(c.met.astype(float) for c in found)])
        weight = weight / _chance_of_answer(ComparisonRows(known.astype(float), met, weight, customer))
    outcome = table["outcome"].to_numpy(float)
    return ComparisonRows(outcome, around, weight, customer).only(known)


def _chance_of_answer(rows: ComparisonRows) -> Floats:
    """How likely each invitation was to be answered, by models of other customers."""
    chance, fold = np.empty(len(rows.outcome)), assign_folds(rows.customer)
    for held in np.unique(fold):
        model = fit_probability(rows, rows.outcome, fold != held)
        chance[fold == held] = model(rows.confounders[fold == held])
    return np.maximum(chance, 1 / MAX_WEIGHT)


def _beside(rows: ComparisonRows, cause: Exposure, found: list[Exposure]) -> ComparisonRows:
    """The rows with the other causes of the same and of earlier stages among the confounders."""
    others = [c.met for c in found if c.stage <= cause.stage and c.name != cause.name]
    wide = np.column_stack([rows.confounders, *(met.astype(float) for met in others)])
    return ComparisonRows(rows.outcome, wide, rows.weight, rows.customer)


def _doses(rows: ComparisonRows, cause: Exposure, borders: list[float]) -> list[DoseBand]:
    """The effect by size; a band too thin to judge says how many rows it has."""
    bands: list[DoseBand] = []
    dose = np.zeros(len(cause.met)) if cause.dose is None else cause.dose
    for low, high in zip(borders, [*borders[1:], float("inf")], strict=True):
        inside = cause.met & (dose >= low) & (dose < high)
        part = inside | ~cause.met
        try:
            found = estimate_attribution(rows.only(part), inside[part])
        except DataRefused:
            found = None
        bands.append(DoseBand(low, high, found, int(inside.sum())))
    return bands


def _whys(rows: ComparisonRows, found: list[Exposure], certain: set[str]) -> list[CauseOfCause]:
    """For each certain cause, those of earlier stages that bring it about, strongest first.

    Why help was slow no table shows: that somebody complained comes before it, but is no reason.
    """
    whys = []
    for effect in (c for c in found if c.name in certain and c.among is None):
        earlier = [c for c in found if c.stage < effect.stage]
        for cause in earlier:
            beside = _beside(rows, cause, found)
            as_outcome = ComparisonRows(
                effect.met.astype(float), beside.confounders, rows.weight, rows.customer
            )
            try:
                why = CauseOfCause(effect.name, cause.name, estimate_attribution(as_outcome, cause.met, effect.among))
            except DataRefused:
                continue  # too rare together to say anything: no branch of the tree
            if why.found.share.low > 0:
                whys.append(why)
    return sorted(whys, key=lambda w: (w.effect, -w.found.share.value))
