"""The weekly course of the sample company: every customer of a block, one week after the other.

What happens in a week follows from the satisfaction at its beginning; its effects are felt in the
next week. So (satisfaction, traits, week) is all the future depends on, which is what lets
`features.sample_company.ground_truth` know the true probabilities.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.sample_company import parameters
from features.sample_company.parameters import BoolArray, FloatArray, IntArray, SimulationParameters, CustomerTraits

Counts = dict[str, NDArray[np.int64]]

#: What can hurt a customer, in the order of the last axis of `Lives.hurts`.
TOPICS = ("delivery", "service", "quality", "price", "staff")
PROBLEM_PERSISTENCE = 0.85
PLANS = ("basic", "standard", "premium")
OWNERS = 60


@dataclass(frozen=True)
class CrmAccount:
    """What CRM knows and may change."""

    plan: IntArray
    owner: IntArray
    credit: FloatArray


@dataclass(frozen=True)
class WeekStart:
    """The customers as a week begins: what the rest of their future depends on.

    `begin` is the day from which each is a customer in this week, its end for those still to join.
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
    def there(self) -> BoolArray:
        """Who is a customer at some time of this week."""
        return (self.begin < self.end) & np.isinf(self.cancelled)


@dataclass(frozen=True)
class CustomerHistories:
    """The drawn course of a block; arrays are (weeks, customers), days are since `START`.

    A customer is there on [begin, stop) of each week; the interval is empty before joining and
    after cancelling. `cancelled` (customers,) is infinite for those who stay.
    """

    traits: CustomerTraits
    satisfaction: FloatArray
    begin: FloatArray
    stop: FloatArray
    counts: Counts
    hurts: FloatArray
    plan: IntArray
    owner: IntArray
    credit: FloatArray
    cancelled: FloatArray


def renewal_day(traits: CustomerTraits, week: int) -> FloatArray:
    """The day in this week on which the contract ends, infinite if it does not."""
    monday = 7.0 * week
    day = monday + (traits.anniversary - monday) % 365.0
    renewal: FloatArray = np.where((day < monday + 7) & (day >= traits.anniversary), day, np.inf)
    return renewal


def simulate_weeks(rng: np.random.Generator, traits: CustomerTraits, nature: SimulationParameters) -> CustomerHistories:
    """Draw the whole course of a block of customers."""
    customers = len(traits.joined)
    state = traits.baseline + 0.4 * rng.standard_normal(customers)
    state = np.clip(state, -parameters.EXTREME, parameters.EXTREME)
    account = _first_account(rng, traits)
    cancelled = np.full(customers, np.inf)
    hurts = np.zeros((customers, len(TOPICS)))
    weeks = []
    for week in range(parameters.WEEKS):
        begin = np.minimum(np.maximum(traits.joined, 7.0 * week), 7.0 * week + 7)
        now = WeekStart(week, state, begin, cancelled)
        cancelled = draw_cancellation(rng, traits, nature, now)
        stop = np.where(now.there, np.minimum(cancelled, now.end), begin)
        counts = draw_week_counts(rng, traits, nature, now, (stop - begin) / 7.0)
        account = _account_changes(rng, account, state, nature, counts)
        weeks.append((state, begin, stop, hurts, account, counts))
        hurts = PROBLEM_PERSISTENCE * hurts + _hurt(traits, counts)
        calm = traits.baseline + nature.persistence * (state - traits.baseline)
        noise = nature.noise_sd * rng.standard_normal(customers)
        state = calm + satisfaction_effects(nature, traits, counts, week) + noise
        state = np.clip(state, -parameters.EXTREME, parameters.EXTREME)
    return _stack(traits, cancelled, weeks)


def satisfaction_effects(nature: SimulationParameters, traits: CustomerTraits, counts: Counts, week: int) -> FloatArray:
    """The change of satisfaction that a week's happenings cause in the next."""
    c = counts
    service = (
        nature.effect_on_time * (c["order"] - c["late"])
        + nature.effect_late * c["late"]
        + nature.effect_very_late * c["very_late"]
        + nature.effect_return * c["return"]
        + nature.effect_complaint * c["complaint"]
        + nature.effect_slow * (c["slow"] + 0.5 * c["slow_request"])
        + nature.effect_quick * (c["quick"] + 0.5 * c["quick_request"])
        + nature.effect_reopened * c["reopened"]
    )
    contact = nature.effect_visit * c["visit"] + nature.effect_owner_change * c["owner_change"]
    price = parameters.price_round(nature, traits, week) * c["there"]
    change: FloatArray = traits.service_sensitivity * service + contact + price
    return change


def draw_cancellation(
    rng: np.random.Generator, traits: CustomerTraits, nature: SimulationParameters, now: WeekStart
) -> FloatArray:
    """The day of cancelling where it falls in this week, else what it was."""
    customers = len(now.begin)
    weeks_left = rng.exponential(1.0, customers) / parameters.cancel_rate(nature, traits, now.state)
    refuses = rng.random(customers) < parameters.refusal_probability(nature, now.state)
    renewal = np.where(refuses, renewal_day(traits, now.week), np.inf)
    day: FloatArray = np.minimum(now.begin + 7.0 * weeks_left, renewal)
    return np.where(now.there & (day < now.end), day, now.cancelled)


def draw_week_counts(
    rng: np.random.Generator, traits: CustomerTraits, nature: SimulationParameters, now: WeekStart, share: FloatArray
) -> Counts:
    """How often each thing happens in a week; `share` is the part of it the customer is there."""
    state = now.state
    late = parameters.late_probability(traits, now.week)
    c: Counts = {"there": (share > 0).astype(np.int64)}
    c["order"] = rng.poisson(parameters.order_rate(nature, traits, state, now.week) * share)
    c["late"] = rng.binomial(c["order"], late)
    c["very_late"] = rng.binomial(c["late"], nature.very_late_share)
    c["return"] = rng.binomial(c["order"], parameters.return_probability(nature, state))
    c["complaint"] = rng.poisson(parameters.complaint_rate(nature, state) * share)
    c["request"] = rng.poisson(nature.request_rate * share)
    quick = nature.quick_share / (1 - traits.slow_share)
    for kind, suffix in (("complaint", ""), ("request", "_request")):
        c["slow" + suffix] = rng.binomial(c[kind], traits.slow_share)
        c["quick" + suffix] = rng.binomial(c[kind] - c["slow" + suffix], quick)
    c["reopened"] = rng.binomial(c["complaint"], nature.reopen_share)
    c["visit"] = rng.poisson(nature.visit_rate * share)
    c["login"] = rng.poisson(traits.login_rate * np.exp(nature.login_pull * state) * share)
    c["owner_change"] = (rng.random(len(share)) < nature.owner_change_rate * share).astype(np.int64)
    return c


def _hurt(traits: CustomerTraits, c: Counts) -> FloatArray:
    """What a week adds to each topic of `TOPICS`, shape (customers, topics)."""
    return np.stack(
        (
            1.0 * c["late"] + c["very_late"],
            1.0 * c["slow"] + c["reopened"] + 0.5 * c["slow_request"],
            1.0 * c["return"],
            0.05 * traits.price_sensitivity * c["there"],
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
    rng: np.random.Generator, account: CrmAccount, state: FloatArray, nature: SimulationParameters, c: Counts
) -> CrmAccount:
    """CRM after a week: content customers move to a better plan, the others to a cheaper one."""
    lot = rng.random((4, len(state)))
    there = c["there"] > 0
    pull = nature.plan_pull * state
    up = there & (lot[0] < nature.upgrade_rate * np.exp(pull))
    down = there & (lot[1] < nature.downgrade_rate * np.exp(-pull))
    moved = there & (lot[2] < nature.credit_change_rate)
    credit = np.round(account.credit * np.where(lot[3] < 0.3, 0.75, 1.3), -2)
    newcomer = rng.integers(0, OWNERS, len(state))
    return CrmAccount(
        plan=np.clip(account.plan + up - down, 0, len(PLANS) - 1),
        owner=np.where(c["owner_change"] > 0, newcomer, account.owner),
        credit=np.where(moved, np.maximum(credit, 500.0), account.credit),
    )


_Week = tuple[FloatArray, FloatArray, FloatArray, FloatArray, CrmAccount, Counts]


def _stack(traits: CustomerTraits, cancelled: FloatArray, weeks: list[_Week]) -> CustomerHistories:
    state, begin, stop, hurts, accounts, counts = zip(*weeks, strict=True)
    return CustomerHistories(
        traits=traits,
        satisfaction=np.stack(state),
        begin=np.stack(begin),
        stop=np.stack(stop),
        counts={kind: np.stack([c[kind] for c in counts]) for kind in counts[0]},
        hurts=np.stack(hurts),
        plan=np.stack([account.plan for account in accounts]),
        owner=np.stack([account.owner for account in accounts]),
        credit=np.stack([account.credit for account in accounts]),
        cancelled=cancelled,
    )
