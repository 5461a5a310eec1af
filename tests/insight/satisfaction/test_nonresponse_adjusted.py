"""Non-response-corrected figures, read from `nonresponse.json`."""

import json

from insight.satisfaction.nonresponse_adjusted import read_corrected_figures
from support.survey_builders import on, survey_answer, write_history


def figure_json(name, answered, everybody):
    return {
        "name": name, "answered": {"value": answered},
        "everybody_asked": {"value": everybody, "low": everybody - 2, "high": everybody + 2},
    }  # fmt: skip


def read_stored(folder, content):
    company, workspace, _ = write_history(folder, surveys=[survey_answer("A", on(2), 5.0)])
    if content is not None:
        path = workspace.company(company.name) / "nonresponse.json"
        path.write_text(json.dumps(content), encoding="utf-8")
    return read_corrected_figures(company, workspace, "abc")


def test_figures_are_in_the_unit_of_their_metric(tmp_path):
    questions = {
        "satisfaction": {
            "figures": [figure_json("csat", 72.0, 68.0), figure_json("satisfied", 67.0, 60.0)]
        },
        "nps": {"skipped": "40 answers"},
    }
    found, missing = read_stored(tmp_path, {"fingerprint": "abc", "questions": questions})
    assert (found["csat_index"].answered, found["csat_index"].corrected) == (7.2, 6.8)
    assert (found["satisfied"].low, found["satisfied"].high) == (0.58, 0.62)
    assert found["csat_index"].fresh
    assert missing == {"nps": "40 answers"}


def test_an_older_estimate_is_not_fresh(tmp_path):
    content = {
        "fingerprint": "old",
        "questions": {"nps": {"figures": [figure_json("nps", 30.0, 20.0)]}},
    }
    found, missing = read_stored(tmp_path, content)
    assert not found["nps"].fresh
    assert missing == dict.fromkeys(["csat_index", "satisfied"], "not estimated")


def test_without_an_estimate_the_reason_names_the_command(tmp_path):
    found, missing = read_stored(tmp_path, None)
    assert found == {}
    assert set(missing.values()) == {
        "non-response has not been estimated yet; run `goodwill nonresponse`"
    }


def test_groups_have_the_same_unit_and_the_name_of_the_attribute(tmp_path):
    both = figure_json("csat", 72.0, 68.0)
    group = {"asked": 50, "answered": 30, "said": both["answered"]}
    cut = {"groups": {"north": group | {"everybody_asked": both["everybody_asked"]}}, "hidden": 2}
    figure = both | {"by": {"crm_region": cut, "channel": {"groups": {}, "hidden": 1}}}
    content = {"fingerprint": "abc", "questions": {"satisfaction": {"figures": [figure]}}}
    found, _ = read_stored(tmp_path, content)
    by = found["csat_index"].by
    assert set(by) == {"region", "channel"}
    north = by["region"]["north"]
    assert (north.answered, north.corrected, north.low, north.high) == (7.2, 6.8, 6.6, 7.0)
