"""Tiers and moves, the value score, complaints, the closed loop, data and models."""

from insight.business_report.closed_loop_section import cycle_rows
from insight.business_report.complaints_section import complaints_section
from insight.business_report.data_quality_section import data_quality_section
from insight.business_report.distributions_section import distribution_charts
from insight.business_report.model_quality_section import model_quality
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.segments_section import migration_table, segment_tables, translate_rule
from insight.business_report.translations import Translator
from insight.business_report.value_score_section import value_score_section
from insight.evaluation.evaluation_schema import (
    DimensionWeight,
    IntervalEstimate,
    Trait,
    ValueScoreSummary,
)
from support import report_builders

from .conftest import tell


def test_segments_with_what_they_are_served_with(english, chinese):
    found = {t.by: t for t in segment_tables(english)}
    assert list(found) == ["tier", "stage", "group", "stars"]
    a, b = found["tier"].rows
    assert (a.name, a.customers, a.share, a.bar) == ("A", "1", "25.0%", 33.3)
    assert a.policy == ["priority service", "a manager of their own", "first reply in 2 h",
                        "12 visits a year", "customised products"]  # fmt: skip
    assert b.policy == []
    assert [r.name for r in found["stars"].rows] == ["★★★★☆", "★★☆☆☆"]
    assert (
        found["group"].rows[0].rule == "price ≤ 62.5 (true of 80% of those it picks, finds 90%)"
    )
    assert found["stage"].has == dict.fromkeys(found["stage"].has, False)
    assert segment_tables(chinese)[0].rows[0].policy[1] == "专属客户经理"


def test_a_rule_in_the_words_of_the_report():
    rule = "satisfaction ≤ 37 and purchasing_power > 22.1"
    assert translate_rule(rule, Translator("en")) == "satisfaction ≤ 37 and purchasing power > 22.1"
    assert translate_rule(rule, Translator("zh")) == "满意度 ≤ 37 且 购买力 > 22.1"
    assert translate_rule("everybody", Translator("zh")) == "全部客户"


def test_who_moved_and_why(english):
    found = migration_table(english, "tiers")
    assert found.after == ["A", "B", "gone"]
    assert [(name, [c.number for c in cells]) for name, cells in found.rows] == [
        ("A", [1, 1, 0]), ("B", [0, 2, 0]),
    ]  # fmt: skip
    assert [c.kind for c in found.rows[0][1]] == ["stayed", "moved", "moved"]
    assert found.causes == [("loyalty", "0", "1", "0")]
    assert "25.0% moved. Plain quantiles would have moved 50.0%." in found.note
    assert migration_table(english, "stages") is None


def test_how_the_score_is_made(evaluated):
    value = ValueScoreSummary(
        method="given", version="1", drawn=report_builders.AS_OF, top_changed=0.344, left_out={"margin": "no cost"},
        weights=[DimensionWeight(dimension="loyalty", by_method={"given": 0.2, "entropy": 0.29})], scored=4,
        unscored=1, star_means="brings more than 1,360 EUR", star_chances=[0.2, 0.4, 0.6, 0.8],
    )  # fmt: skip
    traits = [
        Trait(name="churn_probability", effect=IntervalEstimate(value=-0.9, low=-1, high=-0.8), best="0.01393",
              worst="0.2177"),
        Trait(name="credit_limit", effect=IntervalEstimate(value=0.4), best="1.635e+04", worst="6550"),
        Trait(name="plan", effect=IntervalEstimate(value=0.3), best="47% premium", worst="11% premium"),
    ]  # fmt: skip
    write_evaluation_files(evaluated[1], report_builders.evaluation(value=value, traits=traits))
    part = value_score_section(load_report_inputs(*evaluated, "zh"))
    assert part.methods == ["给定", "熵权法"]
    assert part.weights == [("忠诚度", ["20%", "29%"])]
    assert part.left_out == [("一年毛利", "no cost")]
    assert any("带来超过 1,360欧元收入" in line for line in part.lines)
    assert [(t.best, t.worst) for t in part.traits] == [
        ("1.4%", "21.8%"), ("16,350", "6,550"), ("47% 高级版", "11% 高级版"),
    ]  # fmt: skip
    assert part.traits[0].effect == "−0.90（−1.00 至 −0.80）"


def test_complaints_and_what_they_cost(english, chinese):
    part = complaints_section(english)
    assert [(p.name, p.count, p.share, p.bar, p.cumulative) for p in part.pareto] == [
        ("delivery", "30", "60.0%", 100.0, "60%"), ("price", "20", "40.0%", 66.7, "100%"),
    ]  # fmt: skip
    late, price = part.causes[0].lines
    assert (late.name, late.share, late.interval, late.certain) == (
        "late delivery", "21.0%", "17.0 to 25.0%", True,
    )  # fmt: skip
    assert not price.certain
    assert part.causes[0].zero == 16.7  # from -5 to 25%
    assert part.why_not == [("Causes of leaving", "there are no labels of churn")]
    assert part.handling[0].startswith("Half have a first reply within 14.4 hours")
    assert complaints_section(chinese).causes[0].lines[1].name == "投诉：价格"


def test_the_closed_loop_in_the_language_of_the_report(english, chinese):
    missed, reached = cycle_rows(chinese)
    assert missed.plan == "不低于 +45.0，截至 2026-12-31（service）"
    assert missed.do == ["call：120 位客户，118 位留作对照"]
    assert missed.check == ["+31.2（+27.5 至 +35.0），样本 120", "call：未见效果"]
    assert (missed.act, missed.word) == ("扩大规模重做，或改用其他措施", "未达标")
    assert reached.do == ["尚无措施记录"]
    assert cycle_rows(english)[0].plan == "at least +45.0 by 2026-12-31 (service)"


def test_scores_are_spread_over_current_customers(english):
    content, leaving, value = distribution_charts(english)
    assert "Half are below 60.0" in content.note  # of 20, 80 and 60: C4 is gone
    assert content.note.endswith("3 customers")
    assert leaving.title == "Probability of leaving,%"
    assert value.note.endswith("4 customers")


def test_the_data_in_a_few_lines(chinese):
    part = data_quality_section(chinese)
    assert part.lines[0] == "数据时间范围：2025年1月1日至2026年1月1日。"
    assert "按公司文件的规定，有 7 行未纳入。" in part.lines
    assert "有 2 行违反规则，已隔离。" in part.lines
    assert part.skipped == [("生命周期阶段", "the company has no orders")]


def test_models_with_grade_and_calibration(trained_company):
    found = {g.title: g for g in model_quality(load_report_inputs(*trained_company, "en"))}
    assert list(found) == ["Satisfaction", "Recommendation (NPS)", "Leaving", "Value"]
    served = [g for g in found.values() if g.version]
    assert served
    for target in served:
        assert target.grade in "AB"
        assert target.value
        assert target.rule
    assert any(bin.rows for g in served for table in g.calibration for bin in table.bins)
    assert all(g.why_not for g in found.values() if not g.version)
