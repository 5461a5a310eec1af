"""The section on non-response-corrected satisfaction and NPS."""

import json
from pathlib import Path
from typing import Any

from features.config.company import Company, load_company
from features.settings import Workspace
from insight.model_report.nonresponse_section import NonresponseSection, nonresponse_section

FIGURE = {
    "name": "nps",
    "title": "NPS, points",
    "answered": {"value": 26.54, "error": 1.7, "low": 23.2, "high": 29.9},
    "everybody_asked": {"value": 20.37, "error": 1.6, "low": 17.2, "high": 23.5},
    "all_customers": None,
    "bounds": [{"gamma": 1.0, "low": 20.37, "high": 20.37}, {"gamma": 1.25, "low": -4, "high": 41}],
    "gamma_to_answered": 1.216,
}
NPS: dict[str, Any] = {
    "from": "2025-06-01T00:00:00+00:00",
    "until": "2026-06-01T00:00:00+00:00",
    "invitations": 6250,
    "answers": 2136,
    "customers_asked": 3507,
    "figures": [FIGURE],
    "propensity": {
        "clip": 0.025,
        "clipped": 3,
        "effective_answers": 1933.2,
        "largest_difference": [0.28, 0.08],
        "differences": [{"feature": "logins_30d", "before": 0.28, "after": -0.011}],
    },
    "coverage": {"customers": 2894, "asked": 2844, "answered": 1495, "covered": 2861, "share": 0.9886},
}  # fmt: skip
RESULTS = {
    "company": "shop",
    "as_of": "2026-07-01T00:00:00+00:00",
    "fingerprint": "abc",
    "questions": {"satisfaction": {"skipped": "12 answers; 200 are needed"}, "nps": NPS},
    "ask_next": {"rows": 200, "segments": "crm_region", "excluded": {"no customer any more": 2106}},
}


def shop(home: Path, results: dict[str, Any] | None) -> tuple[Company, Workspace]:
    """A company whose only result is nonresponse.json."""
    workspace = Workspace(home)
    workspace.company("shop").mkdir(parents=True)
    if results is not None:
        (workspace.company("shop") / "nonresponse.json").write_text(json.dumps(results))
    path = workspace.data / "shop.toml"
    path.write_text(
        '[company]\nname = "shop"\n[tables.events]\nfiles = "e.csv"\n'
        '[tables.events.columns]\ncustomer_id = "a"\noccurred_at = "b"\nkind = "c"\n'
    )
    return load_company(path), workspace


def section(home: Path, results: dict[str, Any], fingerprint: str = "abc") -> NonresponseSection:
    found = nonresponse_section(*shop(home, results), fingerprint)
    assert found is not None
    return found


def test_without_a_file_there_is_no_section(tmp_path: Path) -> None:
    assert nonresponse_section(*shop(tmp_path, None), "abc") is None


def test_an_estimate_is_shown_with_the_uncorrected_value(tmp_path: Path) -> None:
    (line,) = section(tmp_path, RESULTS).estimates
    assert (line.answered, line.answered_interval) == ("26.5", "23.2 to 29.9")
    assert (line.everybody, line.everybody_interval) == ("20.4", "17.2 to 23.5")
    assert line.difference == "−6.2"
    assert line.customers == "–"
    assert line.gamma == "1.22"


def test_bounds_for_each_odds_ratio(tmp_path: Path) -> None:
    found = section(tmp_path, RESULTS)
    assert found.gammas == ("odds × 1", "odds × 1.25")
    assert found.bounds[0].bounds == ("20.4 to 20.4", "−4.0 to 41.0")


def test_the_notes_describe_the_data(tmp_path: Path) -> None:
    notes = " ".join(section(tmp_path, RESULTS).notes)
    for sentence in (
        "6,250 invitations to 3,507 customers, 1 June 2025 to 1 June 2026",
        "2,136 answers (34.2%), an effective sample of 1,933",
        "from 0.28 to 0.08",
        "98.9% of the 2,894 current customers",
        "3 invitations had a response propensity below 2.5%",
        "200 customers in ask_next.csv, balanced across crm region",
        "no customer any more: 2,106",
    ):
        assert sentence in notes
    assert "older data" not in notes


def test_skipped_questions_have_a_reason(tmp_path: Path) -> None:
    found = section(tmp_path, RESULTS)
    assert found.skipped == [("Satisfaction", "12 answers; 200 are needed")]
    assert found.differences == [("Recommendation (NPS)", "logins_30d", "+0.28", "−0.01")]


def test_estimates_of_older_data_have_a_warning(tmp_path: Path) -> None:
    assert "based on older data, as of 2026-07-01" in section(tmp_path, RESULTS, "another").notes[0]


def test_a_company_without_any_estimate(tmp_path: Path) -> None:
    nothing = {t: {"skipped": "the question was never asked"} for t in ("satisfaction", "nps")}
    results = {
        **RESULTS,
        "questions": nothing,
        "ask_next": {"skipped": "no question could be studied"},
    }
    found = section(tmp_path, results)
    assert (found.estimates, found.notes, found.gammas) == ([], [], ())
    assert len(found.skipped) == 2


def test_a_robust_correction_and_missing_invitations(tmp_path: Path) -> None:
    figure = {**FIGURE, "gamma_to_answered": None}
    results = {
        **RESULTS,
        "questions": {"nps": {**NPS, "figures": [figure]}},
        "ask_next": {"skipped": "asking.segment is 'x'"},
    }
    found = section(tmp_path, results)
    assert found.estimates[0].gamma == "more than 20"
    assert "No next invitations: asking.segment is 'x'." in found.notes
