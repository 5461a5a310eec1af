"""Names of metrics and how their values are written."""

import pytest

from features.config.company import TargetConfig
from insight.formatting.display_names import (
    DECISIONS,
    MEASURES,
    TITLES,
    format_interval,
    format_metric,
    reason_sentence,
)
from insight.formatting.plot_images import drawable_text, plot_fonts, plot_image
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import METRICS
from models.plots.all_plots import importance
from models.targets.registry import TARGETS


def test_every_metric_target_and_decision_has_a_name():
    assert set(MEASURES) == set(METRICS)
    assert set(TITLES) == set(TARGETS)
    assert set(DECISIONS) == {"promoted", "kept", "refused", "skipped"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (format_metric(3.77, "times"), "3.8 ×"),
        (format_interval(Interval(0.5, 0.41, 0.6), "percent"), "41.0 to 60.0%"),
        (format_interval(Interval(0.5, float("nan"), 0.6), "ratio"), ""),
        (reason_sentence("gain: mae 5 against 6."), "Gain: mean absolute error 5 against 6."),
        (reason_sentence(""), ""),
    ],
)
def test_values_of_metrics_and_reasons(written, expected):
    assert written == expected


def test_targets_describe_label_window_and_population():
    silence = TargetConfig(horizon_days=56, definition="silence", active_days=180)
    assert TARGETS["churn"].describe_label(silence) == "The customer orders nothing within 56 days."
    assert "ordered in the 180 days" in TARGETS["churn"].describe_population(silence)
    later = TargetConfig(horizon_days=30, gap_days=7, definition="cancel")
    assert "from day 7 to day 37 after the cutoff" in TARGETS["churn"].describe_label(later)
    assert "open contract" in TARGETS["churn"].describe_population(later)


def test_characters_without_a_font_draw_without_a_warning():
    meaning = drawable_text("Mean satisfaction with 服务 in $ or $\U0001f600")
    assert r"\$" in meaning
    with plot_fonts():
        drawn = plot_image(importance({"service": 1.0}, {"service": meaning}))
    assert drawn.title_inside
    assert drawn.finding == "One feature carries half of the model's gain"
