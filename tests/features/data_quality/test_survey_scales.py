"""Survey scales: several for one instrument, and scales used only in part."""

from features.data_quality.survey_scales import check_survey_scales
from support.checked_table_builders import build_checked_table, finding_rows


def answers(scores, low=0.0, high=10.0, channel="mail", start=0.0):
    return [
        {"customer_id": "A", "sent_at": start + i / 4, "answered_at": start + i / 4 + 0.1,
         "instrument": "nps", "score": float(score), "scale_low": low, "scale_high": high,
         "channel": channel}
        for i, score in enumerate(scores)
    ]  # fmt: skip


def test_one_fully_used_scale_has_no_finding():
    assert (
        list(check_survey_scales(build_checked_table("surveys", answers(list(range(11)) * 4))))
        == []
    )


def test_several_scales_are_reported_with_their_rows():
    rows = answers(list(range(11)) * 4) + answers([1, 5] * 20, 1, 5)
    (found,) = check_survey_scales(build_checked_table("surveys", rows))
    assert finding_rows([found]) == [("surveys.score", "scale", "advice", 40, 84)]
    assert found.says == "nps is asked on 2 scales: 0 to 10 (44), 1 to 5 (40)"


def test_a_scale_of_which_only_the_lower_half_is_used():
    (found,) = check_survey_scales(build_checked_table("surveys", answers([1, 2, 3, 4, 5] * 8)))
    assert finding_rows([found]) == [("surveys.score", "scale", "warning", 40, 40)]
    assert found.says == "40 answers to nps use 1 to 5 of a scale declared as 0 to 10"
    assert "scale_low and scale_high" in found.remedy


def test_a_channel_and_a_month_on_another_scale():
    rows = answers(list(range(11)) * 9) + answers([1, 2, 3, 4, 5] * 8, channel="phone", start=91)
    found = list(check_survey_scales(build_checked_table("surveys", rows)))
    assert [f.evidence["where"] for f in found] == ["channel phone", "2024-04"]
    assert found[0].rows == 40


def test_few_answers_may_leave_half_of_the_scale_unused():
    assert list(check_survey_scales(build_checked_table("surveys", answers([1, 2, 3] * 9)))) == []
