"""Causes of an outcome, ranked by their attributable fraction."""

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

#: Largest number of invitations that one answer may represent.
MAX_WEIGHT = 20.0


@dataclass(frozen=True)
class RankedCause:
    """An exposure with its effect on the outcome."""

    cause: Exposure
    attribution: Attribution


@dataclass(frozen=True)
class CauseOfCause:
    """An exposure that causes another one: the attributable fraction of `effect` due to `cause`."""

    effect: str
    cause: str
    attribution: Attribution


@dataclass(frozen=True)
class DoseBand:
    """The effect of an exposure whose size is between two bounds, against unexposed rows."""

    low: float
    high: float
    attribution: Attribution | None
    rows: int


@dataclass(frozen=True)
class CauseRanking:
    """The causes of an outcome, strongest first; exposures left out, with the reason.

    `answered` is the share of invitations with an answer (1 for outcomes that are not asked).
    """

    index_dates: IndexDates
    rows: int
    rate: float
    answered: float
    causes: list[RankedCause]
    secondary_causes: list[CauseOfCause]
    doses: dict[str, list[DoseBand]]
    left_out: dict[str, str]


def rank_causes(
    con: duckdb.DuckDBPyConnection,
    index_dates: IndexDates,
    settings: ComplaintSettings,
    complaints: pd.DataFrame | None,
) -> CauseRanking:
    """Rank all exposures as causes of the outcome, each adjusted for its confounders.

    Raises DataRefused if no exposure can be assessed.
    """
    con.register("index_dates", index_dates.table[["row", "customer_id", "index_date"]])
    exposures = find_exposures(con, settings, complaints)
    confounders = encode_confounders(read_confounders(con, settings))
    con.unregister("index_dates")
    known = index_dates.table["outcome"].notna().to_numpy()
    rows = _rows(index_dates.table, confounders, exposures, known)
    exposures = [exposure.select(known) for exposure in exposures]
    left_out: dict[str, str] = {}
    ranked: list[RankedCause] = []
    doses: dict[str, list[DoseBand]] = {}
    for exposure in exposures:
        adjusted = _adjusted_rows(rows, exposure, exposures)
        try:
            ranked.append(
                RankedCause(
                    exposure, estimate_attribution(adjusted, exposure.exposed, exposure.eligible)
                )
            )
        except DataRefused as err:
            left_out[exposure.name] = str(err)
            continue
        if exposure.dose is not None:
            doses[exposure.name] = _doses(adjusted, exposure, settings.late_days)
    if not ranked:
        raise DataRefused(
            f"no causes of '{index_dates.title}' can be compared: {left_out or 'the tables hold none'}; "
            "they come from deliveries with due_at, returns and tickets"
        )
    ranked.sort(key=lambda r: (-r.attribution.share.value, r.cause.name))
    rate = float(np.average(rows.outcome, weights=rows.weight))
    whys = _secondary_causes(
        rows, exposures, {r.cause.name for r in ranked if r.attribution.certain}
    )
    return CauseRanking(
        index_dates, int(known.sum()), rate, float(known.mean()), ranked, whys, doses, left_out
    )


def _rows(
    table: pd.DataFrame, confounders: Floats, exposures: list[Exposure], known: NDArray[np.bool_]
) -> ComparisonRows:
    """Return the rows with a known outcome, weighted to represent all who were asked."""
    weight = table["weight"].to_numpy(float)
    customer = np.unique(table["customer_id"].to_numpy(str), return_inverse=True)[1]
    if not known.all():
        covariates = np.column_stack([confounders, *(c.exposed.astype(float) for c in exposures)])
        weight = weight / _response_propensity(
            ComparisonRows(known.astype(float), covariates, weight, customer)
        )
    outcome = table["outcome"].to_numpy(float)
    return ComparisonRows(outcome, confounders, weight, customer).select(known)


def _response_propensity(rows: ComparisonRows) -> Floats:
    """Return the response propensity of each invitation, from models of other customers."""
    propensity, fold = np.empty(len(rows.outcome)), assign_folds(rows.customer)
    for held_out in np.unique(fold):
        model = fit_probability(rows, rows.outcome, fold != held_out)
        propensity[fold == held_out] = model(rows.confounders[fold == held_out])
    return np.maximum(propensity, 1 / MAX_WEIGHT)


def _adjusted_rows(
    rows: ComparisonRows, exposure: Exposure, exposures: list[Exposure]
) -> ComparisonRows:
    """Return the rows with the other exposures of the same and earlier stages as confounders."""
    others = [c.exposed for c in exposures if c.stage <= exposure.stage and c.name != exposure.name]
    wide = np.column_stack([rows.confounders, *(met.astype(float) for met in others)])
    return ComparisonRows(rows.outcome, wide, rows.weight, rows.customer)


def _doses(rows: ComparisonRows, exposure: Exposure, bounds: list[float]) -> list[DoseBand]:
    """Estimate the effect by size; a band with too few rows has only its row count."""
    bands: list[DoseBand] = []
    dose = np.zeros(len(exposure.exposed)) if exposure.dose is None else exposure.dose
    for low, high in zip(bounds, [*bounds[1:], float("inf")], strict=True):
        inside = exposure.exposed & (dose >= low) & (dose < high)
        part = inside | ~exposure.exposed
        try:
            attribution = estimate_attribution(rows.select(part), inside[part])
        except DataRefused:
            attribution = None
        bands.append(DoseBand(low, high, attribution, int(inside.sum())))
    return bands


def _secondary_causes(
    rows: ComparisonRows, exposures: list[Exposure], certain: set[str]
) -> list[CauseOfCause]:
    """Find, for each certain exposure, the exposures of earlier stages that cause it, strongest first.

    Handling exposures are excluded: no table shows why handling was slow, and the complaint that
    precedes it is not its cause.
    """
    results = []
    for effect in (c for c in exposures if c.name in certain and c.eligible is None):
        earlier = [c for c in exposures if c.stage < effect.stage]
        for cause in earlier:
            adjusted = _adjusted_rows(rows, cause, exposures)
            as_outcome = ComparisonRows(
                effect.exposed.astype(float), adjusted.confounders, rows.weight, rows.customer
            )
            try:
                result = CauseOfCause(
                    effect.name,
                    cause.name,
                    estimate_attribution(as_outcome, cause.exposed, effect.eligible),
                )
            except DataRefused:
                continue  # too few joint rows: no branch of the tree
            if result.attribution.share.low > 0:
                results.append(result)
    return sorted(results, key=lambda w: (w.effect, -w.attribution.share.value))
