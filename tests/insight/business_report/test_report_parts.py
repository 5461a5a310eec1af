"""Tiers and migration, the value score, complaints, the closed loop, data and models."""

from insight.business_report.business_report_page import render_details
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
    ItemRaterAgreement,
    MigrationMatrix,
    Trait,
    ValueScoreSummary,
)
from insight.evaluation.indicator_schema import IntervalEstimate
from support import report_builders

from .conftest import write_evaluation_files


def test_segments_with_their_service_policy(english, chinese):
    found = {t.by: t for t in segment_tables(english)}
    assert list(found) == ["tier", "stage", "group", "stars"]
    a, b = found["tier"].rows
    assert (a.name, a.customers, a.share, a.bar) == ("A", "1", "25.0%", 33.3)
    assert a.policy == ["priority service", "dedicated account manager", "first reply within 2 h",
                        "12 visits a year", "customised products"]  # fmt: skip
    assert b.policy == []
    assert [r.name for r in found["stars"].rows] == ["★★★★☆", "★★☆☆☆"]
    assert found["group"].rows[0].rule == (
        "price ≤ 62.5 (80% of the customers it selects belong to the cluster; it finds 90% of the "
        "cluster)"
    )
    assert found["stage"].has == dict.fromkeys(found["stage"].has, False)
    assert segment_tables(chinese)[0].rows[0].policy[1] == "专属客户经理"


def test_a_rule_uses_the_names_of_the_report():
    rule = "satisfaction ≤ 37 and purchasing_power > 22.1"
    assert translate_rule(rule, Translator("en")) == "satisfaction ≤ 37 and purchasing power > 22.1"
    assert translate_rule(rule, Translator("zh")) == "满意度 ≤ 37 且 购买力 > 22.1"
    assert translate_rule("everybody", Translator("zh")) == "全部客户"


def test_migration_with_its_causes(english):
    found = migration_table(english, "tiers")
    assert found.after == ["A", "B", "no longer a customer"]
    assert [(name, [c.number for c in cells]) for name, cells in found.rows] == [
        ("A", [1, 1, 0]), ("B", [0, 2, 0]),
    ]  # fmt: skip
    assert [c.kind for c in found.rows[0][1]] == ["stayed", "moved", "moved"]
    assert found.causes == [("loyalty", "0", "1", "0")]
    assert (
        "25.0% of the customers changed. Without hysteresis, 50.0% would have changed."
        in found.note
    )
    assert migration_table(english, "stages") is None


def test_stages_that_nobody_was_in_are_not_shown(evaluated):
    """Nobody was won back: neither as a row nor as a column."""
    stages = MigrationMatrix(
        since=report_builders.AS_OF, until=report_builders.AS_OF, moved=0.1,
        before=["active", "lost", "reactivated"], after=["active", "lost", "reactivated"],
        customers=[[8, 1, 0], [0, 1, 0], [0, 0, 0]],
    )  # fmt: skip
    write_evaluation_files(evaluated[1], report_builders.evaluation(stages=stages))
    inputs = load_report_inputs(*evaluated, "en")
    found = migration_table(inputs, "stages")
    assert found.after == ["active", "lost"]
    assert [(name, [c.number for c in cells]) for name, cells in found.rows] == [
        ("active", [8, 1]), ("lost", [0, 1]),
    ]  # fmt: skip
    assert "won back" not in render_details(inputs, report_builders.AS_OF)


def test_the_value_score_with_weights_and_traits(evaluated):
    value = ValueScoreSummary(
        method="given",
        version="1",
        drawn=report_builders.AS_OF,
        top_changed=0.344,
        left_out={"margin": "no cost"},
        weights=[DimensionWeight(dimension="loyalty", by_method={"given": 0.2, "entropy": 0.29})],
        scored=4,
        unscored=1,
        star_means="brings more than 1,360 EUR",
        star_chances=[0.2, 0.4, 0.6, 0.8],
    )
    traits = [
        Trait(
            name="churn_probability",
            effect=IntervalEstimate(value=-0.9, low=-1, high=-0.8),
            best="0.01393",
            worst="0.2177",
        ),
        Trait(
            name="credit_limit", effect=IntervalEstimate(value=0.4), best="1.635e+04", worst="6550"
        ),
        Trait(
            name="customer_since", effect=IntervalEstimate(value=-0.3), best="2019", worst="2022"
        ),
        Trait(
            name="plan", effect=IntervalEstimate(value=0.3), best="47% premium", worst="11% premium"
        ),
    ]
    write_evaluation_files(evaluated[1], report_builders.evaluation(value=value, traits=traits))
    part = value_score_section(load_report_inputs(*evaluated, "zh"))
    assert part.methods == ["按配置", "熵权法"]
    assert part.weights == [("忠诚度", ["20%", "29%"])]
    assert part.left_out == [("一年毛利", "没有成本数据")]
    assert any("带来超过 1,360欧元收入" in line for line in part.lines)
    assert [(t.highest, t.lowest) for t in part.traits] == [
        ("1.4%", "21.8%"), ("16,350", "6,550"), ("2019", "2022"), ("47% 高级版", "11% 高级版"),
    ]  # fmt: skip
    assert part.traits[0].effect == "−0.90（−1.00 至 −0.80）"


def test_the_agreement_of_the_raters_is_one_sentence(evaluated):
    items = [
        ItemRaterAgreement(
            item="customer_credit", raters=3, customers=40,
            icc=IntervalEstimate(value=0.82, low=0.7, high=0.9), alpha=IntervalEstimate(value=0.8),
        ),
        ItemRaterAgreement(
            item="market_coverage", raters=2, customers=12, icc=None,
            alpha=IntervalEstimate(value=0.41, low=-0.02, high=0.7),
        ),
    ]  # fmt: skip
    value = ValueScoreSummary(
        method="given",
        version="1",
        drawn=report_builders.AS_OF,
        top_changed=None,
        left_out={},
        weights=[],
        scored=4,
        unscored=1,
        rater_agreement=items,
    )
    write_evaluation_files(evaluated[1], report_builders.evaluation(value=value))
    lines = {
        language: value_score_section(load_report_inputs(*evaluated, language)).lines
        for language in ("en", "zh")
    }
    assert lines["en"][-1] == (
        "Agreement of the expert raters (1: perfect): customer's credit: intraclass correlation 0.82 "
        "(0.70 to 0.90), Krippendorff's alpha 0.80, 3 raters, 40 customers; market coverage: "
        "Krippendorff's alpha 0.41 (−0.02 to 0.70), 2 raters, 12 customers."
    )
    assert lines["zh"][-1] == (
        "专家评分的一致性（1 为完全一致）：客户信用：组内相关系数 0.82（0.70 至 0.90），"
        "Krippendorff α 系数 0.80，"
        "3 位评分者，40 位客户；市场覆盖：Krippendorff α 系数 0.41（−0.02 至 0.70），"
        "2 位评分者，12 位客户。"
    )


def test_complaints_by_category_and_their_causes(english, chinese):
    part = complaints_section(english)
    assert [(p.name, p.count, p.share, p.bar, p.cumulative) for p in part.pareto] == [
        ("delivery", "30", "60.0%", 100.0, "60%"), ("price", "20", "40.0%", 66.7, "100%"),
    ]  # fmt: skip
    assert [p.vital for p in part.pareto] == [False, False]  # 50 to 70%: not clearly above a half
    late, price = part.causes[0].rows
    assert (late.name, late.share, late.interval, late.certain) == (
        "late delivery", "21.0%", "17.0 to 25.0%", True,
    )  # fmt: skip
    assert not price.certain
    assert part.causes[0].zero == 16.7  # from -5 to 25%
    assert part.skipped == [("Causes of churn", "there are no labels of churn")]
    assert part.handling[0].startswith("Half receive a first reply within 14.4 hours")
    assert complaints_section(chinese).causes[0].rows[1].name == "投诉：价格"


def test_the_closed_loop_in_the_language_of_the_report(english, chinese):
    missed, reached = cycle_rows(chinese)
    assert missed.plan == "不低于 +45.0，截至 2026-12-31（service）"
    assert missed.do == ["call：120 位客户，对照组 118 位"]
    assert missed.check == [
        "+29.5（+24.0 至 +35.0），近 12 个月，已校正无回答偏差",
        "call：未见明显效果（仅在2025年11月30日分析一次）",
    ]
    assert (missed.act, missed.verdict_name) == ("扩大规模重做，或改用其他措施", "未达标")
    assert reached.do == ["尚无措施记录"]
    assert cycle_rows(english)[0].plan == "at least +45.0 by 2026-12-31 (service)"
    assert (
        cycle_rows(english)[0].check[1]
        == "call: no clear effect (analysed once, on 30 November 2025)"
    )


def test_an_effect_that_is_not_due_says_when(evaluated):
    whole = report_builders.evaluation()
    waiting = whole.cycle[1].model_copy(
        update={
            "check": "31.25: missed; call: verdict due 2026-04-18",
            "act": "wait for the verdict",
        }
    )
    write_evaluation_files(evaluated[1], whole.model_copy(update={"cycle": [waiting]}))
    (row,) = cycle_rows(load_report_inputs(*evaluated, "en"))
    assert (row.check[1], row.act) == (
        "call: the verdict is due on 18 April 2026", "wait for the verdict",
    )  # fmt: skip
    (row,) = cycle_rows(load_report_inputs(*evaluated, "zh"))
    assert (row.check[1], row.act) == ("call：结论将于2026年4月18日得出", "等待结论")


def test_distributions_cover_current_customers(english):
    satisfaction, churn, value = distribution_charts(english)
    assert "Median 60.0" in satisfaction.note  # of 20, 80 and 60: C4 is gone
    assert satisfaction.note.endswith("3 customers")
    assert churn.title == "Probability of churn in the next 90 days"
    assert value.note.endswith("4 customers")


def test_the_data_in_a_few_sentences(chinese):
    part = data_quality_section(chinese)
    assert part.lines[0] == "数据时间范围：2025年1月1日至2026年1月1日。"
    assert "按公司文件的规则，有 7 行未纳入。" in part.lines
    assert "有 2 行无效，已隔离。" in part.lines
    assert part.skipped == [("生命周期阶段", "公司没有订单数据")]


def test_models_with_grade_and_calibration(trained_company):
    found = {g.title: g for g in model_quality(load_report_inputs(*trained_company, "en"))}
    assert list(found) == ["Satisfaction", "Recommendation (NPS)", "Churn", "Value"]
    served = [g for g in found.values() if g.version]
    assert served
    for target in served:
        assert target.grade in "AB"
        assert target.value
        assert target.rule
    assert any(bin.rows for g in served for table in g.calibration for bin in table.bins)
    assert all(g.why_not for g in found.values() if not g.version)
