"""Ground truth of the sample company: expected churn and value of each customer, for benchmarks only.

From a known state, the density of the satisfaction of the remaining customers is propagated week by
week as a normal one (assumed-density filtering): 7-point Gauss-Hermite nodes give the survival and
the revenue of a week, reweight the density by survival, and move its mean and variance by the exact
moments of the week's effects. Nothing is drawn. The tests compare it with brute-force simulation.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from features.sample_company import parameters
from features.sample_company.parameters import CustomerTraits, FloatArray, SimulationParameters
from features.sample_company.weekly_process import CustomerHistories, renewal_day

HORIZON = 90.0
NODES, WEIGHTS = np.polynomial.hermite.hermgauss(7)


@dataclass(frozen=True)
class ExpectedOutcomes:
    """Probability of cancelling and expected net revenue (EUR) over the horizon, per customer."""

    churn: FloatArray
    value: FloatArray


def monthly_cutoffs() -> list[datetime]:
    """The first of each month from 2024-10-01 to the end of the history, both included."""
    months = range(2024 * 12 + 9, parameters.END.year * 12 + parameters.END.month)
    return [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]


def expected_outcomes(
    params: SimulationParameters,
    traits: CustomerTraits,
    state: FloatArray,
    start: float,
    horizon: float = HORIZON,
) -> ExpectedOutcomes:
    """Expected outcomes on [start, start + horizon), in days, for active customers in `state`.

    A refund counts with its order instead of on its own day; the difference is below 1% of value.
    """
    mean, variance = state, np.zeros_like(state)
    alive, value = np.ones_like(state), np.zeros_like(state)
    day, end = start, start + horizon
    while day < end:
        week = int(day // 7)
        until = min(7.0 * week + 7, end)
        nodes = mean + np.sqrt(2 * variance) * NODES[:, None]
        weights = np.repeat(WEIGHTS[:, None] / np.sqrt(np.pi), len(state), axis=1)
        nodes = np.clip(nodes, -parameters.EXTREME, parameters.EXTREME)
        hazard = parameters.cancel_rate(params, traits, nodes)
        stay = np.exp(-hazard * (until - day) / 7)
        value += alive * (
            weights * weekly_revenue(params, traits, nodes, week) * (1 - stay) / hazard
        ).sum(axis=0)
        renewal = renewal_day(traits, week)
        renews = (renewal >= day) & (renewal < until)
        stay = stay * (1 - renews * parameters.refusal_probability(params, nodes))
        weights = weights * stay
        staying = weights.sum(axis=0)
        alive = alive * staying
        mean, variance = _next_week(params, traits, nodes, weights / staying, week)
        day = until
    return ExpectedOutcomes(churn=1 - alive, value=value)


def weekly_revenue(
    params: SimulationParameters, traits: CustomerTraits, state: FloatArray, week: int
) -> FloatArray:
    """Expected net revenue of a full week, EUR."""
    kept = 1 - params.refund_mean * parameters.return_probability(params, state)
    orders = parameters.order_rate(params, traits, state, week)
    return orders * parameters.mean_amount(params, traits, state) * kept


def effect_moments(
    params: SimulationParameters, traits: CustomerTraits, state: FloatArray, week: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of a week's `satisfaction_effects` (compound Poisson sums)."""
    order, order2 = _order_effect(params, traits, state, week)
    orders = parameters.order_rate(params, traits, state, week)
    complaint, complaint2 = _ticket_effect(params, traits, 1.0)
    complaints = parameters.complaint_rate(params, state)
    request, request2 = _ticket_effect(params, traits, 0.5)
    requests = params.request_rate
    owner, visits = params.owner_change_rate, params.visit_rate
    sense = traits.service_sensitivity
    mean = sense * (orders * order + complaints * complaint + requests * request)
    mean = mean + visits * params.effect_visit + owner * params.effect_owner_change
    mean = mean + parameters.price_round(params, traits, week)
    variance = sense**2 * (orders * order2 + complaints * complaint2 + requests * request2)
    variance = variance + visits * params.effect_visit**2
    variance = variance + owner * (1 - owner) * params.effect_owner_change**2
    return mean, variance


def state_table(
    params: SimulationParameters, histories: CustomerHistories, account_no: pa.Array
) -> pa.Table:
    """One row per customer and monthly cutoff; nulls for customers not active at the cutoff."""
    return pa.concat_tables(
        [_state_at(params, histories, account_no, cutoff) for cutoff in monthly_cutoffs()]
    ).combine_chunks()


def _state_at(
    params: SimulationParameters,
    histories: CustomerHistories,
    account_no: pa.Array,
    cutoff: datetime,
) -> pa.Table:
    day = (cutoff - parameters.START).total_seconds() / 86400
    active = (histories.traits.joined < day) & (histories.cancelled >= day)
    state = histories.satisfaction[int(day // 7)]
    ahead = expected_outcomes(params, histories.traits.only(active), state[active], day)
    churn, value = np.full_like(state, np.nan), np.full_like(state, np.nan)
    churn[active], value[active] = ahead.churn, ahead.value
    moment = pa.scalar(cutoff, pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "account_no": account_no,
            "cutoff": pa.repeat(moment, len(state)),
            "active": active,
            "satisfaction": pa.array(state, mask=~active),
            "churn_probability": pa.array(churn, mask=~active),
            "expected_value": pa.array(value, mask=~active),
        }
    )


def _next_week(
    params: SimulationParameters,
    traits: CustomerTraits,
    nodes: FloatArray,
    weights: FloatArray,
    week: int,
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of next week's satisfaction, from this week's nodes and their weights."""
    shift, spread = effect_moments(params, traits, nodes, week)
    moved = traits.baseline + params.persistence * (nodes - traits.baseline) + shift
    mean = (weights * moved).sum(axis=0)
    variance = (weights * (spread + params.noise_sd**2 + (moved - mean) ** 2)).sum(axis=0)
    return mean, variance


def _order_effect(
    params: SimulationParameters, traits: CustomerTraits, state: FloatArray, week: int
) -> tuple[FloatArray, FloatArray]:
    """First and second moment of one order's effect, before the customer's sensitivity."""
    late = parameters.late_probability(traits, week)
    back = parameters.return_probability(params, state)
    worst, on_time = params.effect_late + params.effect_very_late, params.effect_on_time
    very = params.very_late_share
    delay = late * ((1 - very) * params.effect_late + very * worst) + (1 - late) * on_time
    delay2 = late * ((1 - very) * params.effect_late**2 + very * worst**2)
    delay2 = delay2 + (1 - late) * on_time**2
    refund = params.effect_return
    return delay + back * refund, delay2 + 2 * delay * back * refund + back * refund**2


def _ticket_effect(
    params: SimulationParameters, traits: CustomerTraits, scale: float
) -> tuple[FloatArray, FloatArray]:
    """The same for one ticket: a complaint (scale 1) or a request (0.5: only speed matters)."""
    complaint = float(scale == 1.0)
    slow, quick = scale * params.effect_slow, scale * params.effect_quick
    reopened, again = complaint * params.effect_reopened, params.reopen_share
    speed = traits.slow_share * slow + params.quick_share * quick
    speed_variance = traits.slow_share * slow**2 + params.quick_share * quick**2 - speed**2
    mean = complaint * params.effect_complaint + speed + again * reopened
    variance = speed_variance + again * (1 - again) * reopened**2
    return mean, variance + mean**2
