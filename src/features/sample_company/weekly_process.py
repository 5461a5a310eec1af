"""The weekly process of the sample company: simulates all customers of a block week by week.

The events of a week depend on the satisfaction at its start; they change the satisfaction of the
next week. The process is Markov in (satisfaction, traits, week), so that
`features.sample_company.ground_truth` can compute the true probabilities.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.sample_company import parameters
from features.sample_company.parameters import (
    BoolArray,
    CustomerTraits,
    FloatArray,
    IntArray,
    SimulationParameters,
)

Counts = dict[str, NDArray[np.int64]]

#: Topics of customer problems, in the order of the last axis of `Lives.problems`.
TOPICS = ("delivery", "service", "quality", "price", "staff")
PROBLEM_PERSISTENCE = 0.85
PLANS = ("basic", "standard", "premium")
OWNERS = 60


@dataclass(frozen=True)
class CrmAccount:
    """The CRM attributes that may change."""

    plan: IntArray
    owner: IntArray
    credit: FloatArray


@dataclass(frozen=True)
class WeekStart:
    """The customers' state at the start of a week.

    `begin` is the day from which each is a customer in this week, its end for those yet to join.
    """

    week: int
    state: FloatArray
    begin: FloatArray
    cancelled: FloatArray

    @property
    def end(self) -> float:
        """The day on which the next week begins."""
        return 7.0 * self.week + 7

    @property
    def active(self) -> BoolArray:
        """Mask of customers who are active at some time of this week."""
        return (self.begin < self.end) & np.isinf(self.cancelled)


@dataclass(frozen=True)
class CustomerHistories:
    """The simulated histories of a block; arrays are (weeks, customers), days are since `START`.

    A customer is active on [begin, stop) of each week; the interval is empty before joining and
    after cancelling. `cancelled` (customers,) is infinite for customers who stay.
    """

    traits: CustomerTraits
    satisfaction: FloatArray
    begin: FloatArray
    stop: FloatArray
    counts: Counts
    problems: FloatArray
    plan: IntArray
    owner: IntArray
    credit: FloatArray
    cancelled: FloatArray


def renewal_day(traits: CustomerTraits, week: int) -> FloatArray:
    """The renewal day within this week; infinite if there is none."""
    monday = 7.0 * week
    day = monday + (traits.anniversary - monday) % 365.0
    renewal: FloatArray = np.where((day < monday + 7) & (day >= traits.anniversary), day, np.inf)
    return renewal


def simulate_weeks(
    rng: np.random.Generator, traits: CustomerTraits, params: SimulationParameters
) -> CustomerHistories:
    """Simulate all weeks of a block of customers."""
    customers = len(traits.joined)
    state = traits.baseline + 0.4 * rng.standard_normal(customers)
    state = np.clip(state, -parameters.EXTREME, parameters.EXTREME)
    account = _first_account(rng, traits)
    cancelled = np.full(customers, np.inf)
    problems = np.zeros((customers, len(TOPICS)))
    weeks = []
    for week in range(parameters.WEEKS):
        begin = np.minimum(np.maximum(traits.joined, 7.0 * week), 7.0 * week + 7)
        now = WeekStart(week, state, begin, cancelled)
        cancelled = draw_cancellation(rng, traits, params, now)
        stop = np.where(now.active, np.minimum(cancelled, now.end), begin)
        counts = draw_week_counts(rng, traits, params, now, (stop - begin) / 7.0)
        account = _account_changes(rng, account, state, params, counts)
        weeks.append((state, begin, stop, problems, account, counts))
        problems = PROBLEM_PERSISTENCE * problems + _new_problems(traits, counts)
        calm = traits.baseline + params.persistence * (state - traits.baseline)
        noise = params.noise_sd * rng.standard_normal(customers)
        state = calm + satisfaction_effects(params, traits, counts, week) + noise
        state = np.clip(state, -parameters.EXTREME, parameters.EXTREME)
    return _stack(traits, cancelled, weeks)


def satisfaction_effects(
    params: SimulationParameters, traits: CustomerTraits, counts: Counts, week: int
) -> FloatArray:
    """The change of satisfaction that a week's events cause in the next week."""
    c = counts
    service = (
        params.effect_on_time * (c["order"] - c["late"])
        + params.effect_late * c["late"]
        + params.effect_very_late * c["very_late"]
        + params.effect_return * c["return"]
        + params.effect_complaint * c["complaint"]
        + params.effect_slow * (c["slow"] + 0.5 * c["slow_request"])
        + params.effect_quick * (c["quick"] + 0.5 * c["quick_request"])
        + params.effect_reopened * c["reopened"]
    )
    contact = params.effect_visit * c["visit"] + params.effect_owner_change * c["owner_change"]
    price = parameters.price_round(params, traits, week) * c["present"]
    change: FloatArray = traits.service_sensitivity * service + contact + price
    return change


def draw_cancellation(
    rng: np.random.Generator, traits: CustomerTraits, params: SimulationParameters, now: WeekStart
) -> FloatArray:
    """Draw the day of cancellation if it is in this week, else keep the previous value."""
    customers = len(now.begin)
    weeks_left = rng.exponential(1.0, customers) / parameters.cancel_rate(params, traits, now.state)
    refuses = rng.random(customers) < parameters.refusal_probability(params, now.state)
    renewal = np.where(refuses, renewal_day(traits, now.week), np.inf)
    day: FloatArray = np.minimum(now.begin + 7.0 * weeks_left, renewal)
    return np.where(now.active & (day < now.end), day, now.cancelled)


def draw_week_counts(
    rng: np.random.Generator,
    traits: CustomerTraits,
    params: SimulationParameters,
    now: WeekStart,
    share: FloatArray,
) -> Counts:
    """Draw the number of events of each kind in a week; `share` is the active part of the week."""
    state = now.state
    late = parameters.late_probability(traits, now.week)
    c: Counts = {"present": (share > 0).astype(np.int64)}
    c["order"] = rng.poisson(parameters.order_rate(params, traits, state, now.week) * share)
    c["late"] = rng.binomial(c["order"], late)
    c["very_late"] = rng.binomial(c["late"], params.very_late_share)
    c["return"] = rng.binomial(c["order"], parameters.return_probability(params, state))
    c["complaint"] = rng.poisson(parameters.complaint_rate(params, state) * share)
    c["request"] = rng.poisson(params.request_rate * share)
    quick = params.quick_share / (1 - traits.slow_share)
    for kind, suffix in (("complaint", ""), ("request", "_request")):
        c["slow" + suffix] = rng.binomial(c[kind], traits.slow_share)
        c["quick" + suffix] = rng.binomial(c[kind] - c["slow" + suffix], quick)
    c["reopened"] = rng.binomial(c["complaint"], params.reopen_share)
    c["visit"] = rng.poisson(params.visit_rate * share)
    c["login"] = rng.poisson(traits.login_rate * np.exp(params.login_pull * state) * share)
    c["owner_change"] = (rng.random(len(share)) < params.owner_change_rate * share).astype(np.int64)
    return c


def _new_problems(traits: CustomerTraits, c: Counts) -> FloatArray:
    """The problems a week adds to each topic of `TOPICS`, shape (customers, topics)."""
    return np.stack(
        (
            1.0 * c["late"] + c["very_late"],
            1.0 * c["slow"] + c["reopened"] + 0.5 * c["slow_request"],
            1.0 * c["return"],
            0.05 * traits.price_sensitivity * c["present"],
            1.0 * c["owner_change"],
        ),
        axis=1,
    )


def _first_account(rng: np.random.Generator, traits: CustomerTraits) -> CrmAccount:
    customers = len(traits.joined)
    plan = np.minimum(rng.binomial(2, 0.25 + 0.15 * traits.size), 2).astype(np.int64)
    credit = np.round(traits.spend * 12 * np.exp(0.3 * rng.standard_normal(customers)), -2)
    return CrmAccount(plan, rng.integers(0, OWNERS, customers), np.maximum(credit, 500.0))


def _account_changes(
    rng: np.random.Generator,
    account: CrmAccount,
    state: FloatArray,
    params: SimulationParameters,
    c: Counts,
) -> CrmAccount:
    """The CRM attributes after a week: satisfied customers tend to upgrade, others to downgrade."""
    uniform = rng.random((4, len(state)))
    present = c["present"] > 0
    pull = params.plan_pull * state
    up = present & (uniform[0] < params.upgrade_rate * np.exp(pull))
    down = present & (uniform[1] < params.downgrade_rate * np.exp(-pull))
    moved = present & (uniform[2] < params.credit_change_rate)
    credit = np.round(account.credit * np.where(uniform[3] < 0.3, 0.75, 1.3), -2)
    newcomer = rng.integers(0, OWNERS, len(state))
    return CrmAccount(
        plan=np.clip(account.plan + up - down, 0, len(PLANS) - 1),
        owner=np.where(c["owner_change"] > 0, newcomer, account.owner),
        credit=np.where(moved, np.maximum(credit, 500.0), account.credit),
    )


_Week = tuple[FloatArray, FloatArray, FloatArray, FloatArray, CrmAccount, Counts]


def _stack(traits: CustomerTraits, cancelled: FloatArray, weeks: list[_Week]) -> CustomerHistories:
    state, begin, stop, problems, accounts, counts = zip(*weeks, strict=True)
    return CustomerHistories(
        traits=traits,
        satisfaction=np.stack(state),
        begin=np.stack(begin),
        stop=np.stack(stop),
        counts={kind: np.stack([c[kind] for c in counts]) for kind in counts[0]},
        problems=np.stack(problems),
        plan=np.stack([account.plan for account in accounts]),
        owner=np.stack([account.owner for account in accounts]),
        credit=np.stack([account.credit for account in accounts]),
        cancelled=cancelled,
    )
