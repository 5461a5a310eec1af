"""The plots of slices and staleness draw, and their titles state the finding."""

import io

from models.evaluation.bootstrap import Interval
from models.plots.slices_and_staleness import MAX_GROUPS, age_curve, latin, slice_gains
from models.validation.slice_metrics import Slice, Slices
from models.validation.staleness import ModelAge, Staleness


def one(value, gain, worse=1.0):
    level = Interval(0.7, 0.6, 0.8)
    spread = Interval(gain, gain - 0.1, gain + 0.1)
    return Slice("crm_region", value, 300, 300, level, level, spread, worse, 0.1, 0.5, 0.5)


def title(figure):
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    return figure.texts[0].get_text()


def test_groups_are_ranked_and_counted():
    good = Slices("roc_auc", "rule", (one("north", 0.2), one("east", 0.1)), ("far (3)",), ())
    figure = slice_gains(good)
    assert title(figure) == "Ahead of the rule in all 2 groups; worst: region: east"
    assert "1 groups are too small" in figure.texts[1].get_text()
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert shown == ["region: east  (300)", "region: north  (300)"]
    bad = Slices("roc_auc", "rule", (one("north", 0.2), one("east", -0.3, 0.01)), (), ())
    assert title(slice_gains(bad)).startswith(
        "Behind the rule in 1 of 2 groups, in 1 beyond chance"
    )


def test_the_number_of_groups_is_limited():
    many = Slices("mae", "rule", tuple(one(f"r{i}", 0.1 * i) for i in range(40)), (), ())
    figure = slice_gains(many)
    assert len(figure.axes[0].get_yticks()) == MAX_GROUPS
    assert f"the {MAX_GROUPS} worst of 40" in figure.texts[1].get_text()


def test_names_with_unsupported_characters_or_dollars_are_drawn():
    odd = Slices("roc_auc", "rule", (one("华东", 0.2), one("$ a $", 0.1)), (), ())
    assert title(slice_gains(odd)).endswith("worst: region: \\$ a \\$")
    assert latin("华a") == "\N{WHITE SQUARE}a"


def ages(*losses):
    return tuple(
        ModelAge(
            3 * i,
            100,
            Interval(0.8 - loss, 0.7, 0.9),
            Interval(loss, loss - 0.02, loss + 0.02),
            0.9,
        )
        for i, loss in enumerate(losses)
    )


def test_the_staleness_curve_states_how_long_a_model_lasts():
    figure = age_curve(Staleness("roc_auc", 0.6, ages(0.0, 0.01, 0.05, 0.1)))
    assert title(figure) == "As good as a fresh model for 3 months, worse from month 6 on"
    (bars,) = figure.axes[0].containers
    low, high = (bars[2][0].get_segments()[2][end][1] for end in (0, 1))
    assert (round(low, 3), round(high, 3)) == (0.73, 0.77)  # 0.75, which lost 0.03 to 0.07 of 0.8
    alone = Staleness("mae", 10.0, ages(0.0))
    assert title(age_curve(alone)) == "The history is too short to train an older model"
