"""Surveys of the sample company: questions, true answers and responses."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.sample_company import parameters
from features.sample_company.arrow_tables import (
    Occurrences,
    choose_labels,
    keep_before,
    number_or_null,
    select_rows,
    spread_counts,
    to_timestamps,
)
from features.sample_company.canary import is_canary, sign_canary_comments
from features.sample_company.parameters import BoolArray, FloatArray, IntArray, SimulationParameters
from features.sample_company.simulated_comments import (
    draw_comments,
    sentiment_of_score,
    worst_topic,
)
from features.sample_company.weekly_process import CustomerHistories

CSAT_EVERY, NPS_EVERY = 13, 26
OTHERS_ASKED = 3  # dimensions besides `overall` in one CSAT invitation
#: Dimension: its topic's index and the loss of CSAT per unit of that topic's problem.
PROBLEM_WEIGHTS = {"product": (2, 0.7), "service": (1, 0.5), "price": (3, 0.4)} | {
    "delivery": (0, 0.5),
    "staff": (4, 0.5),
}


@dataclass(frozen=True)
class SurveyQuestions:
    """Questions sent, one element each.

    `dimension` indexes `DIMENSIONS`; `answer` is the score the customer would give, answered or not.
    """

    found: Occurrences
    nps: bool
    dimension: IntArray
    probability: FloatArray
    answer: FloatArray
    expectation: FloatArray
    answered: FloatArray


def draw_questions(
    rng: np.random.Generator, histories: CustomerHistories, params: SimulationParameters, nps: bool
) -> SurveyQuestions:
    """Draw every question of one instrument; an invitation is answered completely or not at all."""
    found = spread_counts(
        rng, histories, _invitations(rng, histories, NPS_EVERY if nps else CSAT_EVERY)
    )
    probability = response_probability(histories, params, found)
    delay = np.minimum(0.02 + rng.exponential(4.0, len(found.day)), 28.0)
    answered = np.where(rng.random(len(found.day)) < probability, found.day + delay, np.inf)
    answered = keep_before(answered, histories.cancelled[found.customer])
    asked = 1 if nps else 1 + OTHERS_ASKED
    dimension = np.zeros((len(found.day), asked), np.int64)
    turn = rng.integers(0, 5, len(found.day))
    dimension[:, 1:] = 1 + (turn[:, None] + np.arange(asked - 1)) % 5
    invitation = np.repeat(np.arange(len(found.day)), asked)
    each = Occurrences(*(getattr(found, name)[invitation] for name in Occurrences.__annotations__))
    return SurveyQuestions(
        found=each,
        nps=nps,
        dimension=dimension.ravel(),
        probability=probability[invitation],
        answer=_nps(rng, histories, each)
        if nps
        else _csat(rng, histories, each, dimension.ravel()),
        expectation=_expectation(rng, histories, each, dimension.ravel()),
        answered=answered[invitation],
    )


def response_probability(
    histories: CustomerHistories, params: SimulationParameters, found: Occurrences
) -> FloatArray:
    """The probability of answering: higher after logins, lower after late deliveries and complaints.

    All causes are observable in the tables except the customer's survey proneness, which does not
    bias the answers, and a weak effect of satisfaction itself, which no correction can remove.
    """

    def lately(kind: str, weeks: int) -> BoolArray:
        happened: BoolArray = (
            _recent_counts(histories.counts[kind], weeks)[found.week, found.customer] > 0
        )
        return happened

    return parameters.logistic(
        params.response_logit
        + params.response_pull * histories.satisfaction[found.week, found.customer]
        + params.response_proneness * histories.traits.proneness[found.customer]
        + params.response_login * lately("login", 4)
        + params.response_late * lately("late", 13)
        + params.response_complaint * lately("complaint", 13)
    )


def survey_table(
    rng: np.random.Generator, histories: CustomerHistories, asked: SurveyQuestions, names: pa.Array
) -> pa.Table:
    """One row per question sent; the columns of the answer are null without one."""
    found, size = asked.found, len(asked.answer)
    unanswered = np.isnan(asked.answered)
    topic = worst_topic(rng, histories.problems[found.week, found.customer])
    chinese = histories.traits.region[found.customer] < parameters.CHINESE_REGIONS
    sentiment = sentiment_of_score(asked.answer, asked.nps)
    accounts = names.take(pa.array(found.customer))
    comments = (rng.random(size) < 0.45) | is_canary(accounts)
    written = ~unanswered & (asked.dimension == 0) & comments
    instrument = "nps" if asked.nps else "csat"
    columns = {
        "account_no": accounts,
        "sent_at": to_timestamps(found.day),
        "answered_at": to_timestamps(asked.answered),
        "instrument": pa.repeat(instrument, size),
        "dimension": choose_labels(asked.dimension, parameters.DIMENSIONS),
        "score": number_or_null(np.where(unanswered, np.nan, asked.answer)),
        "scale_low": pa.repeat(0 if asked.nps else 1, size),
        "scale_high": pa.repeat(10 if asked.nps else 5, size),
        "expectation": number_or_null(np.where(unanswered, np.nan, asked.expectation)),
        "comment": sign_canary_comments(
            draw_comments(rng, (chinese, sentiment, topic), written), accounts
        ),
        "channel": choose_labels(found.customer % 3 == 0, ("email", "portal")),
    }
    return select_rows(columns, found.day < parameters.END_DAY)


def answer_table(asked: SurveyQuestions, names: pa.Array) -> pa.Table:
    """Ground truth: the answer every invited customer would give, and their response probability."""
    columns = {
        "account_no": names.take(pa.array(asked.found.customer)),
        "sent_at": to_timestamps(asked.found.day),
        "instrument": pa.repeat("nps" if asked.nps else "csat", len(asked.answer)),
        "dimension": choose_labels(asked.dimension, parameters.DIMENSIONS),
        "answer": pa.array(asked.answer),
        "response_probability": pa.array(asked.probability),
        "answered": pa.array(~np.isnan(asked.answered)),
    }
    return select_rows(columns, asked.found.day < parameters.END_DAY)


def _invitations(rng: np.random.Generator, histories: CustomerHistories, every: int) -> IntArray:
    """1 in one week of every `every`, at a random phase per customer, while they are active; else 0."""
    weeks, customers = histories.satisfaction.shape
    phase = rng.integers(0, every, customers)
    due: BoolArray = (np.arange(weeks)[:, None] + phase) % every == 0
    return (due & (histories.stop > histories.begin)).astype(np.int64)


def _recent_counts(counts: IntArray, weeks: int) -> IntArray:
    """Counts over the `weeks` weeks before each week."""
    total = np.cumsum(np.concatenate((np.zeros_like(counts[:1]), counts)), axis=0)[:-1]
    before = np.concatenate((np.zeros_like(total[:weeks]), total[:-weeks]))
    recent: IntArray = total - before
    return recent


def _csat(
    rng: np.random.Generator, histories: CustomerHistories, found: Occurrences, dimension: IntArray
) -> FloatArray:
    """CSAT on 1-5: satisfaction, a bias per customer and dimension, recent problems, and noise."""
    state = histories.satisfaction[found.week, found.customer]
    customers = histories.satisfaction.shape[1]
    leaning = 0.3 * rng.standard_normal((len(parameters.DIMENSIONS), customers))
    leaning[0] = 0.0
    score = 3.05 + state + leaning[dimension, found.customer]
    problems = histories.problems[found.week, found.customer]
    for name, (topic, weight) in PROBLEM_WEIGHTS.items():
        asked = dimension == parameters.DIMENSIONS.index(name)
        score = score - np.where(asked, weight * problems[:, topic], 0.0)
    return np.clip(np.rint(score + 0.45 * rng.standard_normal(len(score))), 1, 5)


def _nps(rng: np.random.Generator, histories: CustomerHistories, found: Occurrences) -> FloatArray:
    """The 0-10 answer to the recommendation question."""
    state = histories.satisfaction[found.week, found.customer]
    return np.clip(np.rint(6.9 + 1.8 * state + 1.1 * rng.standard_normal(len(state))), 0, 10)


def _expectation(
    rng: np.random.Generator, histories: CustomerHistories, found: Occurrences, dimension: IntArray
) -> FloatArray:
    """Expectation on 1-5, for dimension questions only: demanding customers expect more."""
    demand = np.log(histories.traits.service_sensitivity[found.customer])
    score = np.rint(3.7 + 1.2 * demand + 0.6 * rng.standard_normal(len(demand)))
    return np.where(dimension > 0, np.clip(score, 1, 5), np.nan)
