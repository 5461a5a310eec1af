"""One question studied: what those who answered said, and what everybody would have said."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from models.learners.labelled_rows import check_labels
from models.nonresponse.aipw import Answers, Estimate, naive
from models.nonresponse.cross_fitting_folds import Crossed, cross_fit, folds
from models.nonresponse.invitations import Invitations
from models.nonresponse.ipw_weights import Balance, Weights, balance, stabilised
from models.nonresponse.propensity import Propensity, propensity
from models.targets.target import Target

Floats = NDArray[np.float64]

FEWEST_ANSWERS = 200
#: So few who did not answer teach nothing about who does not.
FEWEST_SILENT = 100


@dataclass(frozen=True)
class Figure:
    """A number made of the answers: the worth of each class, in the order of the target's classes."""

    name: str
    title: str
    worth: tuple[float, ...]

    def of(self, level: Floats) -> Floats:
        """The worth of answers; of a missing answer that of the first class, to be left out."""
        return np.array(self.worth)[np.nan_to_num(level).astype(np.int64)]

    def expected(self, shares: Floats) -> Floats:
        """The expected worth, from the probabilities of the classes (n, K)."""
        return np.asarray(shares @ np.array(self.worth))


FIGURES = {
    "satisfaction": (
        Figure("csat", "Satisfaction, 0 to 100", (0.0, 25.0, 50.0, 75.0, 100.0)),
        Figure("satisfied", "Satisfied (75 or more), per cent", (0.0, 0.0, 0.0, 100.0, 100.0)),
    ),
    "nps": (Figure("nps", "NPS, points", (-100.0, 0.0, 100.0)),),
}


@dataclass(frozen=True)
class Study:
    """One question with its two models; `outcome` predicts the classes of the answer.

    `recent` selects the invitations the figures are about: both models learn from older ones, too.
    """

    target: Target
    asked: Invitations
    propensity: Propensity
    outcome: Crossed
    weights: Weights

    def answers(self, figure: Figure) -> Answers:
        """The recent invitations as a figure sees them."""
        recent = self.asked.recent
        return Answers(
            said=figure.of(self.asked.level[recent]),
            expected=figure.expected(self.outcome.unseen[recent]),
            weight=self.weights.weight[recent],
            base=self.asked.weight[recent],
            customer=self.asked.customer[recent],
        )

    @property
    def chance(self) -> Floats:
        """The clipped chance of an answer of the recent invitations."""
        return self.weights.chance[self.asked.recent]

    def balance(self) -> Balance:
        """How unlike those who answered are to all, before and after weighting."""
        recent = self.asked.recent
        base = self.asked.weight[recent]
        heard = np.where(self.asked.answered[recent], base, 0.0)
        features = self.asked.features.filter(pa.array(recent))
        return balance(features, base, heard, self.weights.weight[recent])


def said(asked: Invitations, figure: Figure) -> Estimate | None:
    """The figure of those who answered an invitation of the window; None if nobody did."""
    recent = asked.recent
    weight = np.where(asked.answered, asked.weight, 0.0)[recent]
    if not weight.any():
        return None
    return naive(figure.of(asked.level[recent]), weight, asked.customer[recent])


def check(asked: Invitations) -> None:
    """Refuse, in plain words, what cannot be corrected.

    Raises DataRefused with fewer than `FEWEST_ANSWERS` recent answers, or with so few unanswered
    invitations that nothing can be learnt about who does not answer.
    """
    answers = int((asked.answered & asked.recent).sum())
    if answers < FEWEST_ANSWERS:
        raise DataRefused(
            f"{answers:,} answers to the invitations of the last year; {FEWEST_ANSWERS} are needed "
            "to learn who answers"
        )
    silent = int((~asked.answered & ~asked.late & asked.recent).sum())
    if silent < FEWEST_SILENT:
        raise DataRefused(
            f"of {int(asked.recent.sum()):,} invitations of the last year {silent:,} were never "
            f"answered, and {FEWEST_SILENT} are needed to learn who does not answer. Either everybody "
            "answers, or the data hold answered questions only: nothing can be corrected"
        )


def study(target: Target, asked: Invitations) -> Study:
    """Learn who answers and what is answered, and weigh.

    Raises DataRefused when there is too little to learn from; see `check`.
    """
    check(asked)
    answered = asked.answered
    check_labels("multiclass", asked.level[answered], len(target.classes))
    fold = folds(asked.customer)
    who = propensity(asked, fold)
    what = cross_fit("multiclass", asked.features, asked.level, answered, fold, len(target.classes))
    recent = asked.recent
    inside = stabilised(answered[recent], who.chance[recent], asked.weight[recent])
    weight = np.zeros(len(recent))
    weight[recent] = inside.weight
    chance = who.chance.copy()
    chance[recent] = inside.chance
    return Study(target, asked, who, what, Weights(chance, weight, inside.clipped))
