"""The sample company's surveys: what is asked, what would be answered, and who answers."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.sample_company import parameters
from features.sample_company.arrow_tables import (
    Occurrences,
    to_timestamps,
    number_or_null,
    spread_counts,
    select_rows,
    keep_before,
    choose_labels,
)
from features.sample_company.canary import is_canary, sign_canary_comments
from features.sample_company.parameters import BoolArray, FloatArray, IntArray, SimulationParameters
from features.sample_company.simulated_comments import draw_comments, sentiment_of_score, worst_topic
from features.sample_company.weekly_process import CustomerHistories

CSAT_EVERY, NPS_EVERY = 13, 26
OTHERS_ASKED = 3  # dimensions besides `overall` in one CSAT invitation
#: Effect on the CSAT of a dimension, per unit of each topic's hurt.
PROBLEM_WEIGHTS = {"product": (2, 0.7), "service": (1, 0.5), "price": (3, 0.4)} | {
    "delivery": (0, 0.5),
    "staff": (4, 0.5),
}


@dataclass(frozen=True)
class SurveyQuestions:
    """Questions sent, one element each. `dimension` indexes `DIMENSIONS`; `answer` is the score
    the customer would give, answered or not."""

    found: Occurrences
    nps: bool
    dimension: IntArray
    probability: FloatArray
    answer: FloatArray
    expectation: FloatArray
    answered: FloatArray


def draw_questions(rng: np.random.Generator, lives: CustomerHistories, nature: SimulationParameters, nps: bool) -> SurveyQuestions:
    """Every question of one instrument; an invitation is answered as a whole or not at all."""
    found = spread_counts(rng, lives, _invitations(rng, lives, NPS_EVERY if nps else CSAT_EVERY))
    probability = response_probability(lives, nature, found)
    delay = np.minimum(0.02 + rng.exponential(4.0, len(found.day)), 28.0)
    answered = np.where(rng.random(len(found.day)) < probability, found.day + delay, np.inf)
    answered = keep_before(answered, lives.cancelled[found.customer])
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
        answer=_nps(rng, lives, each) if nps else _csat(rng, lives, each, dimension.ravel()),
        expectation=_expectation(rng, lives, each, dimension.ravel()),
        answered=answered[invitation],
    )


def response_probability(lives: CustomerHistories, nature: SimulationParameters, found: Occurrences) -> FloatArray:
    """Who answers: the survey-prone, those who dealt with the company lately and were not let down.

    All this shows in the tables but for the proneness, which is harmless, and a weak pull of the
    satisfaction itself, which no correction can see.
    """

    def lately(kind: str, weeks: int) -> BoolArray:
        happened: BoolArray = _lately(lives.counts[kind], weeks)[found.week, found.customer] > 0
        return happened

    return parameters.logistic(
        nature.response_logit
        + nature.response_pull * lives.satisfaction[found.week, found.customer]
        + nature.response_proneness * lives.traits.proneness[found.customer]
        + nature.response_login * lately("login", 4)
        + nature.response_late * lately("late", 13)
        + nature.response_complaint * lately("complaint", 13)
    )


def survey_table(
    rng: np.random.Generator, lives: CustomerHistories, asked: SurveyQuestions, names: pa.Array
) -> pa.Table:
    """One row a question sent; everything about the answer is null without one."""
    found, size = asked.found, len(asked.answer)
    silent = np.isnan(asked.answered)
    topic = worst_topic(rng, lives.hurts[found.week, found.customer])
    chinese = lives.traits.region[found.customer] < parameters.CHINESE_REGIONS
    sentiment = sentiment_of_score(asked.answer, asked.nps)
    accounts = names.take(pa.array(found.customer))
    talks = (rng.random(size) < 0.45) | is_canary(accounts)
    written = ~silent & (asked.dimension == 0) & talks
    instrument = "nps" if asked.nps else "csat"
    columns = {
        "account_no": accounts,
        "sent_at": to_timestamps(found.day),
        "answered_at": to_timestamps(asked.answered),
        "instrument": pa.repeat(instrument, size),
        "dimension": choose_labels(asked.dimension, parameters.DIMENSIONS),
        "score": number_or_null(np.where(silent, np.nan, asked.answer)),
        "scale_low": pa.repeat(0 if asked.nps else 1, size),
        "scale_high": pa.repeat(10 if asked.nps else 5, size),
        "expectation": number_or_null(np.where(silent, np.nan, asked.expectation)),
        "comment": sign_canary_comments(draw_comments(rng, (chinese, sentiment, topic), written), accounts),
        "channel": choose_labels(found.customer % 3 == 0, ("email", "portal")),
    }
    return select_rows(columns, found.day < parameters.END_DAY)


def answer_table(asked: SurveyQuestions, names: pa.Array) -> pa.Table:
    """The truth: what every customer asked would have answered, and how likely he answers."""
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


def _invitations(rng: np.random.Generator, lives: CustomerHistories, every: int) -> IntArray:
    """1 in each customer's own week of every `every` in which he is there, else 0."""
    weeks, customers = lives.satisfaction.shape
    phase = rng.integers(0, every, customers)
    due: BoolArray = (np.arange(weeks)[:, None] + phase) % every == 0
    return (due & (lives.stop > lives.begin)).astype(np.int64)


def _lately(counts: IntArray, weeks: int) -> IntArray:
    """Counts over the `weeks` weeks before each week."""
    total = np.cumsum(np.concatenate((np.zeros_like(counts[:1]), counts)), axis=0)[:-1]
    before = np.concatenate((np.zeros_like(total[:weeks]), total[:-weeks]))
    recent: IntArray = total - before
    return recent


def _csat(
    rng: np.random.Generator, lives: CustomerHistories, found: Occurrences, dimension: IntArray
) -> FloatArray:
    """CSAT on 1-5: the satisfaction, a customer's leaning, what hurt lately, and noise."""
    state = lives.satisfaction[found.week, found.customer]
    customers = lives.satisfaction.shape[1]
    leaning = 0.3 * rng.standard_normal((len(parameters.DIMENSIONS), customers))
    leaning[0] = 0.0
    score = 3.05 + state + leaning[dimension, found.customer]
    hurts = lives.hurts[found.week, found.customer]
    for name, (topic, weight) in PROBLEM_WEIGHTS.items():
        asked = dimension == parameters.DIMENSIONS.index(name)
        score = score - np.where(asked, weight * hurts[:, topic], 0.0)
    return np.clip(np.rint(score + 0.45 * rng.standard_normal(len(score))), 1, 5)


def _nps(rng: np.random.Generator, lives: CustomerHistories, found: Occurrences) -> FloatArray:
    """The 0-10 answer to the question of recommending."""
    state = lives.satisfaction[found.week, found.customer]
    return np.clip(np.rint(6.9 + 1.8 * state + 1.1 * rng.standard_normal(len(state))), 0, 10)


def _expectation(
    rng: np.random.Generator, lives: CustomerHistories, found: Occurrences, dimension: IntArray
) -> FloatArray:
    """Expectation on 1-5, of the dimension questions only: demanding customers expect more."""
    demand = np.log(lives.traits.service_sensitivity[found.customer])
    score = np.rint(3.7 + 1.2 * demand + 0.6 * rng.standard_normal(len(demand)))
    return np.where(dimension > 0, np.clip(score, 1, 5), np.nan)
