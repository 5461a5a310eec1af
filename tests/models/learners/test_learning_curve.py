"""Learning curves: each round of a short one, evenly spaced rounds of a long one."""

from itertools import pairwise

from models.learners.learning_curve import MOST_POINTS, LearningCurve


def test_a_short_curve_keeps_every_round() -> None:
    assert LearningCurve("l1", (3.0, 2.0), (4.0, 5.0)).points() == [(1, 3.0, 4.0), (2, 2.0, 5.0)]


def test_a_long_curve_keeps_the_first_the_last_and_evenly_spaced_rounds() -> None:
    falling = tuple(float(-i) for i in range(1000))
    points = LearningCurve("l1", falling, falling).points()
    assert len(points) == MOST_POINTS
    assert points[0] == (1, 0.0, 0.0)
    assert points[-1] == (1000, -999.0, -999.0)
    assert {b[0] - a[0] for a, b in pairwise(points)} == {5, 6}
