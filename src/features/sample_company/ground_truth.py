"""What is truly to be expected of each customer of the sample company, for benchmarks only.

From a known state, the density of the satisfaction of those who stay is carried on week by week as
a normal one (assumed-density filtering): 7-point Gauss-Hermite nodes give the survival and the
revenue of a week, tilt the density towards the satisfied, and move its mean and variance by the
exact moments of the week's effects. Nothing is drawn. `tests/features/test_simulate.py` checks it
against brute force.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from features.sample_company import parameters
from features.sample_company.parameters import FloatArray, SimulationParameters, CustomerTraits
from features.sample_company.weekly_process import CustomerHistories, renewal_day

HORIZON = 90.0
NODES, WEIGHTS = np.polynomial.hermite.hermgauss(7)


@dataclass(frozen=True)
class ExpectedOutcomes:
    """Of each customer, over the horizon: the probability of cancelling, the expected net EUR."""

    churn: FloatArray
    value: FloatArray


def monthly_cutoffs() -> list[datetime]:
    """The first of each month from 2024-10-01 to the end of the history, both included."""
    months = range(2024 * 12 + 9, parameters.END.year * 12 + parameters.END.month)
    return [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]


def expected_outcomes(
    nature: SimulationParameters, traits: CustomerTraits, state: FloatArray, start: float, horizon: float = HORIZON
) -> ExpectedOutcomes:
    """What follows on [start, start + horizon), in days, for active customers in `state`.

    A refund counts with its order, not on its own later day; the difference is under 1 % of value.
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
        hazard = parameters.cancel_rate(nature, traits, nodes)
        stay = np.exp(-hazard * (until - day) / 7)
        value += alive * (weights * weekly_revenue(nature, traits, nodes, week) * (1 - stay) / hazard).sum(
            axis=0
        )
        renewal = renewal_day(traits, week)
        renews = (renewal >= day) & (renewal < until)
        stay = stay * (1 - renews * parameters.refusal_probability(nature, nodes))
        weights = weights * stay
        staying = weights.sum(axis=0)
        alive = alive * staying
        mean, variance = _next_week(nature, traits, nodes, weights / staying, week)
        day = until
    return ExpectedOutcomes(churn=1 - alive, value=value)


def weekly_revenue(nature: SimulationParameters, traits: CustomerTraits, state: FloatArray, week: int) -> FloatArray:
    """Expected net revenue of a full week, EUR."""
    kept = 1 - nature.refund_mean * parameters.return_probability(nature, state)
    orders = parameters.order_rate(nature, traits, state, week)
    return orders * parameters.mean_amount(nature, traits, state) * kept


def effect_moments(
    nature: SimulationParameters, traits: CustomerTraits, state: FloatArray, week: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of a week's `weeks.effects` (compound Poisson sums)."""
    order, order2 = _order_effect(nature, traits, state, week)
    orders = parameters.order_rate(nature, traits, state, week)
    complaint, complaint2 = _ticket_effect(nature, traits, 1.0)
    complaints = parameters.complaint_rate(nature, state)
    request, request2 = _ticket_effect(nature, traits, 0.5)
    requests = nature.request_rate
    owner, visits = nature.owner_change_rate, nature.visit_rate
    sense = traits.service_sensitivity
    mean = sense * (orders * order + complaints * complaint + requests * request)
    mean = mean + visits * nature.effect_visit + owner * nature.effect_owner_change
    mean = mean + parameters.price_round(nature, traits, week)
    variance = sense**2 * (orders * order2 + complaints * complaint2 + requests * request2)
    variance = variance + visits * nature.effect_visit**2
    variance = variance + owner * (1 - owner) * nature.effect_owner_change**2
    return mean, variance


def state_table(nature: SimulationParameters, lives: CustomerHistories, account_no: pa.Array) -> pa.Table:
    """One row per customer and monthly cutoff; nulls for those not active then."""
    return pa.concat_tables(
        [_state_at(nature, lives, account_no, cutoff) for cutoff in monthly_cutoffs()]
    ).combine_chunks()


def _state_at(nature: SimulationParameters, lives: CustomerHistories, account_no: pa.Array, cutoff: datetime) -> pa.Table:
    day = (cutoff - parameters.START).total_seconds() / 86400
    active = (lives.traits.joined < day) & (lives.cancelled >= day)
    state = lives.satisfaction[int(day // 7)]
    ahead = expected_outcomes(nature, lives.traits.only(active), state[active], day)
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
    nature: SimulationParameters, traits: CustomerTraits, nodes: FloatArray, weights: FloatArray, week: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of next week's satisfaction, from this week's nodes and their weights."""
    shift, spread = effect_moments(nature, traits, nodes, week)
    moved = traits.baseline + nature.persistence * (nodes - traits.baseline) + shift
    mean = (weights * moved).sum(axis=0)
    variance = (weights * (spread + nature.noise_sd**2 + (moved - mean) ** 2)).sum(axis=0)
    return mean, variance


def _order_effect(
    nature: SimulationParameters, traits: CustomerTraits, state: FloatArray, week: int
) -> tuple[FloatArray, FloatArray]:
    """First and second moment of one order's effect, before the customer's sensitivity."""
    late = parameters.late_probability(traits, week)
    back = parameters.return_probability(nature, state)
    worst, on_time = nature.effect_late + nature.effect_very_late, nature.effect_on_time
    very = nature.very_late_share
    delay = late * ((1 - very) * nature.effect_late + very * worst) + (1 - late) * on_time
    delay2 = late * ((1 - very) * nature.effect_late**2 + very * worst**2)
    delay2 = delay2 + (1 - late) * on_time**2
    refund = nature.effect_return
    return delay + back * refund, delay2 + 2 * delay * back * refund + back * refund**2


def _ticket_effect(nature: SimulationParameters, traits: CustomerTraits, scale: float) -> tuple[FloatArray, FloatArray]:
    """The same of one ticket: a complaint (scale 1), or a request (0.5: only speed matters)."""
    complaint = float(scale == 1.0)
    slow, quick = scale * nature.effect_slow, scale * nature.effect_quick
    reopened, again = complaint * nature.effect_reopened, nature.reopen_share
    speed = traits.slow_share * slow + nature.quick_share * quick
    speed_variance = traits.slow_share * slow**2 + nature.quick_share * quick**2 - speed**2
    mean = complaint * nature.effect_complaint + speed + again * reopened
    variance = speed_variance + again * (1 - again) * reopened**2
    return mean, variance + mean**2
