"""A tone that has learnt from answers of the time of judging is a leak."""

from dataclasses import replace

import pytest

from features.progress import quiet
from features.text.comment_score_model import Tone, keep_tone
from models.training_set.build_training_sets import build_features
from support.planted_company import Planted, told


@pytest.fixture
def planted(small_company, tmp_path):
    return Planted(small_company, tmp_path / "home")


def test_a_tone_of_later_answers_is_charged_once_for_each_target(planted):
    folder = planted.workspace.features("sample")
    tone = Tone.read(folder)
    assert tone is not None
    keep_tone(replace(tone, fitted_until=tone.fitted_until + 1), folder)
    charge = told(planted.hear(), "tone of later answers")
    assert "features/tone.json" in charge
    assert "--refit-comments" in charge
    build_features(planted.company, planted.workspace, quiet(), refit_comments=True)
    assert Tone.read(folder) == tone
    assert planted.hear().charges == ()


def test_another_tone_than_the_stored_rows_were_made_with_is_noticed(planted):
    folder = planted.workspace.features("sample")
    tone = Tone.read(folder)
    keep_tone(replace(tone, levels=(tone.levels[0] - 9, tone.levels[1] - 9)), folder)
    assert "comment_tone" in told(planted.hear(), "looks ahead")
