"""How the loss on training and validation rows falls while trees grow, round by round."""

from dataclasses import dataclass

import numpy as np

#: At most so many points of a curve are kept: more cannot be told apart in a chart.
MOST_POINTS = 200


@dataclass(frozen=True)
class LearningCurve:
    """The loss after each round, on the rows that the trees learn from and on later ones.

    `loss` is LightGBM's name of it, such as `binary_logloss`.
    """

    loss: str
    train: tuple[float, ...]
    validation: tuple[float, ...]

    def points(self) -> list[tuple[int, float, float]]:
        """(round, training loss, validation loss), evenly spaced; the first and last are among them."""
        rounds = len(self.train)
        places = np.unique(np.linspace(0, rounds - 1, min(rounds, MOST_POINTS)).round().astype(int))
        return [(int(i) + 1, self.train[i], self.validation[i]) for i in places]
