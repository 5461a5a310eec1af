"""The plots draw for ordinary and unusual data, and their titles state the finding."""

import io
import sys

import numpy as np
import pytest

from models.evaluation.calibration_error import wilson_interval
from models.plots.all_plots import FIGURES, draw_all, importance
from models.plots.ranking_curves import reliability

RNG = np.random.default_rng(0)
N = 200
Z = RNG.normal(size=N)
CHANCE = 1 / (1 + np.exp(-Z))
CLASSES = RNG.dirichlet(np.ones(4), N)
CASES = {
    "binary": ((RNG.random(N) < CHANCE) * 1.0, CHANCE, np.full(N, 0.5)),
    "multiclass": (CLASSES.argmax(axis=1) * 1.0, CLASSES, np.full((N, 4), 0.25)),
    "ordinal": (CLASSES.argmax(axis=1) * 1.0, CLASSES, np.full((N, 4), 0.25)),
    "regression": (np.where(Z > 0, np.exp(4 * Z), -1), np.exp(3 * Z), np.zeros(N)),
}


def draw(figure):
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=40)
    return target.getvalue()


def title(figure):
    return figure.texts[0].get_text()


@pytest.mark.parametrize("kind", list(CASES))
def test_every_plot_of_every_kind_draws(kind):
    drawn = draw_all(kind, *CASES[kind], RNG.random(N) + 0.5, {"a": 3.0, "b": 1.0})
    assert set(drawn) == {*FIGURES[kind], "importance"}
    for figure in drawn.values():
        assert draw(figure)[:4] == b"\x89PNG"
        assert title(figure)


def test_titles_state_the_finding():
    y = np.repeat([0.0, 1.0], 50)
    drawn = draw_all("binary", y, np.repeat([0.1, 0.9], 50), np.full(100, 0.5))
    assert title(drawn["roc_and_pr"]) == "Ranks 100% of pairs correctly, the rule 50%"
    assert "off by 10.0 points" in title(drawn["reliability"])
    assert title(drawn["gain_and_lift"]).startswith("The top tenth holds 20% of all cases")
    assert "80 points more" in title(drawn["score_distribution"])


def test_class_names_and_descriptions_are_shown():
    drawn = draw_all(
        "multiclass",
        *CASES["multiclass"],
        None,
        {"orders_30d": 1.0},
        descriptions={"orders_30d": "Orders in the last 30 days."},
        classes=("low", "mid", "high", "top"),
    )
    labels = [text.get_text() for text in drawn["confusion"].axes[0].get_yticklabels()]
    assert labels == ["low", "mid", "high", "top"]
    (label,) = drawn["importance"].axes[0].get_yticklabels()
    assert label.get_text() == "Orders in the last 30 days"


def test_importance_keeps_the_twenty_largest():
    figure = importance({f"f{i}": float(i) for i in range(30)})
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert (len(labels), labels[0]) == (20, "f29")
    draw(importance({f"f{i}": 1.0 for i in range(90)}))
    draw(importance({"only": 0.0}))


def test_unusual_values_draw():
    nothing, some = np.zeros(60), np.arange(60.0)
    for y, model, rule in ((some, nothing, nothing), (some, some, some), (-some, some, -some)):
        for figure in draw_all("regression", y, model, rule).values():
            draw(figure)


def test_reliability_names_the_rival():
    y, p = np.tile([0.0, 1.0], 50), np.tile([0.2, 0.8], 50)
    figure = reliability(y, p, 1 - p, rival="uncalibrated model")
    assert "the uncalibrated model's by 80.0" in figure.texts[0].get_text()
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["model", "uncalibrated model"]


def test_wilson_interval_by_the_formula():
    low, high = wilson_interval(np.array([0.0, 0.5]), np.array([10.0, 100.0]))
    np.testing.assert_allclose(low, [0, 0.4038], atol=1e-4)
    np.testing.assert_allclose(high, [0.2775, 0.5962], atol=1e-4)


def test_pyplot_is_not_used():
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(ValueError, match="ordinal"):
        draw_all("ranking", *CASES["binary"])


def test_values_of_zero_with_rounding_errors_draw():
    """Without a single order, the actual values are 0, and the predictions about 1e-17."""
    zero = np.zeros(N)
    for name in ("residuals", "value_distribution"):
        assert draw(FIGURES["regression"][name](zero, Z * 1e-17, zero, None))


@pytest.mark.parametrize(
    ("actual", "says"), [(0.0, "No row is a case"), (1.0, "All rows are cases")]
)
def test_probabilities_of_a_single_class_draw(actual, says):
    figure = FIGURES["binary"]["score_distribution"](np.full(N, actual), CHANCE, CHANCE, None)
    assert title(figure) == says
    assert draw(figure)
