"""Parameters of the simulation, customer traits, and the rates that follow from a satisfaction state.

`docs/background/sample-company.md` states every formula. Time is counted in days since `START`; a
state holds for a week. Traits have shape (customers,); a state may carry further axes in front of
that one.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

START = datetime(2024, 7, 1, tzinfo=UTC)
END = datetime(2026, 7, 1, tzinfo=UTC)
END_DAY = float((END - START).days)
WEEKS = int(END_DAY // 7) + 1
#: Bound of the satisfaction scale on both sides.
EXTREME = 3.5

INDUSTRIES = ("automotive", "construction", "food", "healthcare", "hospitality", "logistics")
SIZES = ("small", "medium", "large")
REGIONS = (
    "East China",
    "South China",
    "North China",
    "Western Europe",
    "Northern Europe",
    "North America",
)
CHINESE_REGIONS = 3  # customers of the first regions write Chinese
DIMENSIONS = ("overall", "product", "service", "price", "delivery", "staff")


@dataclass(frozen=True)
class SimulationParameters:
    """The parameters of the generative model; rates are per week, effects in units of S."""

    present_share: float = 0.7
    persistence: float = 0.95
    baseline_mean: float = 0.45
    baseline_sd: float = 0.9
    noise_sd: float = 0.08
    order_rate_median: float = 0.12
    order_rate_sigma: float = 0.45
    order_pull: float = 0.5
    season: float = 0.12
    spend_median: float = 420.0
    spend_sigma: float = 0.9
    spend_pull: float = 0.12
    amount_sigma: float = 0.6
    late_share: float = 0.14
    very_late_share: float = 0.3
    return_share: float = 0.05
    return_pull: float = -0.4
    refund_mean: float = 0.6
    complaint_rate: float = 0.014
    complaint_pull: float = -0.8
    request_rate: float = 0.012
    slow_share: float = 0.25
    quick_share: float = 0.35
    reopen_share: float = 0.12
    visit_rate: float = 0.035
    login_rate_median: float = 0.1
    login_rate_sigma: float = 0.2
    login_pull: float = 0.95
    owner_change_rate: float = 0.004
    upgrade_rate: float = 0.003
    downgrade_rate: float = 0.003
    plan_pull: float = 0.7
    credit_change_rate: float = 0.006
    effect_on_time: float = 0.06
    effect_late: float = -0.4
    effect_very_late: float = -0.35
    effect_return: float = -0.3
    effect_complaint: float = -0.3
    effect_slow: float = -0.45
    effect_quick: float = 0.4
    effect_reopened: float = -0.5
    effect_visit: float = 0.15
    effect_owner_change: float = -0.2
    effect_price_round: float = -0.25
    cancel_log_rate: float = -5.35
    cancel_pull: float = -1.8
    cancel_price: float = 0.2
    refusal_logit: float = -2.5
    refusal_pull: float = -1.7
    response_logit: float = -1.0
    response_pull: float = 0.02
    response_proneness: float = 0.8
    response_login: float = 0.6
    response_late: float = -0.4
    response_complaint: float = -0.6


PARAMETERS = SimulationParameters()


@dataclass(frozen=True)
class CustomerTraits:
    """Constant traits of each customer of a block; `joined` and `anniversary` are days since `START`."""

    industry: IntArray
    size: IntArray
    region: IntArray
    joined: FloatArray
    anniversary: FloatArray
    baseline: FloatArray
    service_sensitivity: FloatArray
    price_sensitivity: FloatArray
    order_rate: FloatArray
    spend: FloatArray
    late_share: FloatArray
    slow_share: FloatArray
    login_rate: FloatArray
    undiscipline: FloatArray
    proneness: FloatArray
    coverage: FloatArray

    def only(self, chosen: IntArray | BoolArray) -> "CustomerTraits":
        """The traits of the chosen customers."""
        return CustomerTraits(*(getattr(self, field.name)[chosen] for field in fields(self)))


def draw_traits(
    rng: np.random.Generator, customers: int, params: SimulationParameters
) -> CustomerTraits:
    """Draw the traits of a block of customers.

    `joined` is negative for customers present at the start; renewals are on `anniversary` + 365 k.
    """
    size = rng.choice(3, customers, p=(0.6, 0.3, 0.1))
    region = rng.integers(0, len(REGIONS), customers)
    present = rng.random(customers) < params.present_share
    since = rng.uniform(0.0, 6 * 365.0, customers)
    joined = np.where(present, -since, rng.uniform(0.0, 608.0, customers))
    normal = rng.standard_normal((8, customers))
    late_by_region = np.array((0.8, 1.0, 1.3, 0.7, 0.9, 1.3))[region]
    slow_by_region = np.array((0.9, 1.3, 0.8, 1.2, 0.7, 1.1))[region]
    return CustomerTraits(
        industry=rng.integers(0, len(INDUSTRIES), customers),
        size=size,
        region=region,
        joined=joined,
        anniversary=np.where(present, (-since) % 365.0, joined + 365.0),
        baseline=params.baseline_mean + params.baseline_sd * normal[0],
        service_sensitivity=np.exp(0.35 * normal[1]),
        price_sensitivity=np.exp(0.4 * normal[2]),
        order_rate=params.order_rate_median * np.exp(params.order_rate_sigma * normal[3]),
        spend=params.spend_median
        * np.array((1.0, 2.2, 6.0))[size]
        * np.exp(params.spend_sigma * normal[4]),
        late_share=np.minimum(params.late_share * late_by_region * np.exp(0.5 * normal[5]), 0.5),
        slow_share=params.slow_share * slow_by_region,
        login_rate=params.login_rate_median * np.exp(params.login_rate_sigma * normal[6]),
        undiscipline=np.exp(0.4 * normal[7]),
        proneness=rng.standard_normal(customers),
        coverage=rng.beta(2.0, 3.0, customers),
    )


def season(params: SimulationParameters, week: int) -> float:
    """Seasonal factor on the order rate: highest in early November, lowest in early May."""
    return float(1.0 + params.season * np.sin(2 * np.pi * (week - 5) / 52.18))


def late_probability(traits: CustomerTraits, week: int) -> FloatArray:
    """Probability that an order of this week arrives late; 1.6 times higher in December."""
    peak = 1.6 if week % 52 in (22, 23, 24, 25) else 1.0
    return np.minimum(traits.late_share * peak, 0.8)


def price_round(params: SimulationParameters, traits: CustomerTraits, week: int) -> FloatArray:
    """Effect of the yearly price increase in January on satisfaction."""
    return params.effect_price_round * traits.price_sensitivity * float(week % 52 == 27)


def order_rate(
    params: SimulationParameters, traits: CustomerTraits, state: FloatArray, week: int
) -> FloatArray:
    """Orders per week."""
    return traits.order_rate * np.exp(params.order_pull * state) * season(params, week)


def mean_amount(
    params: SimulationParameters, traits: CustomerTraits, state: FloatArray
) -> FloatArray:
    """Expected net amount of one order before returns, EUR."""
    return traits.spend * np.exp(params.spend_pull * state)


def return_probability(params: SimulationParameters, state: FloatArray) -> FloatArray:
    """Probability that part of an order is returned."""
    return np.minimum(params.return_share * np.exp(params.return_pull * state), 0.5)


def complaint_rate(params: SimulationParameters, state: FloatArray) -> FloatArray:
    """Complaints per week."""
    return params.complaint_rate * np.exp(params.complaint_pull * state)


def cancel_rate(
    params: SimulationParameters, traits: CustomerTraits, state: FloatArray
) -> FloatArray:
    """Hazard of cancelling per week, apart from the renewal day."""
    price = params.cancel_price * np.log(traits.price_sensitivity)
    return np.exp(params.cancel_log_rate + params.cancel_pull * state + price)


def refusal_probability(params: SimulationParameters, state: FloatArray) -> FloatArray:
    """Probability of cancelling on the renewal day instead of renewing."""
    return logistic(params.refusal_logit + params.refusal_pull * state)


def logistic(x: FloatArray) -> FloatArray:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-x))
