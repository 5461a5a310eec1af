"""The description of a champion: its card, every measure, calibration on the test rows."""

import pytest

from models.bundles.champions import load_champion
from models.targets.registry import TARGETS
from support.trained_company import SAMPLE_TARGETS, trained


@pytest.mark.parametrize("target", SAMPLE_TARGETS)
def test_a_champion_has_a_summary_of_its_test_results(target: str) -> None:
    bundle = load_champion(trained()[0].serving("sample"), target)
    assert bundle is not None
    about = bundle.about
    assert about is not None
    assert about.card.startswith(f"# {TARGETS[target].title}, version {bundle.version}")
    decisive = about.measures["model"][about.primary]
    assert decisive["low"] <= decisive["value"] <= decisive["high"]
    assert about.measures.keys() >= {"model", "rule"}
    assert bool(about.calibration) == bool(TARGETS[target].classes)
    for each in about.calibration:
        assert 0 <= each["low"] <= each["observed"] <= each["high"] <= 1
        assert each["rows"] > 0
    assert (about.coverage is None) == (not bundle.manifest.ranges)
