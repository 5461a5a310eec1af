"""A damaged file removes its part of the report, and the report names the file."""

import pytest

from insight.business_report.report_inputs import load_report_inputs
from insight.evaluation.evaluation_files import EVALUATION_FILE, STATUS_FILE, evaluation_folder

WHERE = {
    EVALUATION_FILE: "evaluation", STATUS_FILE: "status", "complaints.json": "complaints",
}  # fmt: skip


@pytest.mark.parametrize("name", list(WHERE))
def test_a_damaged_file_is_named_and_the_others_are_read(evaluated, name):
    company, workspace = evaluated
    folder = evaluation_folder(workspace, company.name)
    folder = folder.parent if name == "complaints.json" else folder
    (folder / name).write_text("{", encoding="utf-8")
    found = load_report_inputs(company, workspace, "en")
    assert getattr(found, WHERE[name]) is None
    assert found.unreadable.startswith(f"{name} cannot be read")
    assert "goodwill evaluate" in found.unreadable
    assert found.facts.manifest.company == company.name
