"""The judgement at rolling origins in `models.html`: literal figures, as readers see them."""

from insight.model_report.origin_section import origin_section
from models.bundles.model_manifest import ModelManifest

JUDGED = {
    "primary": "roc_auc",
    "each": [
        {"start": "2026-04-02T00:00:00+00:00", "learnt": 50193, "rows": 3069, "customers": 3069,
         "metrics": {"model": {"roc_auc": 0.7737}, "rule": {"roc_auc": 0.5468},
                     "linear": {"roc_auc": 0.7656}},
         "predicted": 0.066, "actual": 0.057, "excess": 0.0007},
        {"start": "2026-01-02T00:00:00+00:00", "learnt": 40792, "rows": 3136, "customers": 3136,
         "metrics": {"model": {"roc_auc": 0.7556}, "rule": {"roc_auc": None}},
         "predicted": 0.061, "actual": 0.070, "excess": None},
    ],
    "metrics": {
        "model": {"roc_auc": {"value": 0.7647, "low": 0.741, "high": 0.787}},
        "rule": {"roc_auc": {"value": None, "low": None, "high": None}},
    },
    "level_error": 0.0091,
}  # fmt: skip


def manifest(**known: object) -> ModelManifest:
    return ModelManifest(target="churn", kind="binary", **known)  # type: ignore[arg-type]


def test_every_origin_is_a_row_and_the_mean_has_an_interval() -> None:
    section = origin_section(manifest(origins=JUDGED, origin_limits=["Judged at 2 moments only."]))
    assert section is not None
    first, second = section.rows
    assert (first.learnt, first.tested, first.metrics) == (
        "50,193", "3,069", ["0.774", "0.547", "0.766"],
    )  # fmt: skip
    assert (first.predicted, first.actual, first.excess) == ("6.6%", "5.7%", "0.1%")
    assert second.metrics[0] == "0.756"
    assert second.metrics[1] == second.metrics[2] == "–"
    assert second.excess == ""
    assert section.mean[0][0] == "0.765"
    assert "0.741" in section.mean[0][1]
    assert section.mean[1:] == [("–", ""), ("–", "")]
    assert "judged from 2 moments" in section.summary
    assert "off by 0.9%" in section.summary
    assert section.limits == ["Judged at 2 moments only."]


def test_a_version_that_was_judged_at_one_moment_has_no_section() -> None:
    assert origin_section(manifest()) is None
