"""A comment score model that learnt from answers of the validation period is a leak."""

from dataclasses import replace

import pytest

from features.progress import silent_steps
from features.text.comment_score_model import CommentScoreModel, write_comment_score_model
from models.training_set.build_training_sets import build_features
from support.planted_company import PlantedCompany, findings_text


@pytest.fixture
def planted(small_company, tmp_path):
    return PlantedCompany(small_company, tmp_path / "home")


@pytest.mark.slow
def test_a_comment_model_fitted_on_later_answers_is_found_once_for_each_target(planted):
    folder = planted.workspace.features("sample")
    tone = CommentScoreModel.read(folder)
    assert tone is not None
    write_comment_score_model(replace(tone, fitted_until=tone.fitted_until + 1), folder)
    text = findings_text(planted.check_leakage(), "comment model lookahead")
    assert "features/comment_score_model.json" in text
    assert "--refit-comments" in text
    build_features(planted.company, planted.workspace, silent_steps(), refit_comments=True)
    assert CommentScoreModel.read(folder) == tone
    assert planted.check_leakage().findings == ()


@pytest.mark.slow
def test_a_comment_model_other_than_that_of_the_stored_rows_is_found(planted):
    folder = planted.workspace.features("sample")
    tone = CommentScoreModel.read(folder)
    write_comment_score_model(
        replace(tone, levels=(tone.levels[0] - 9, tone.levels[1] - 9)), folder
    )
    assert "comment_tone" in findings_text(planted.check_leakage(), "looks ahead")
