"""Ranked causes on simulated companies, on the sample company and on Olist."""

import json
import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from features.config.company import Company, load_company
from features.errors import DataRefused
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace
from insight.complaints.cause_tree import OPEN_QUESTION, build_cause_tree, format_cause_tree
from insight.complaints.causes import CauseRanking
from insight.complaints.complaint_analysis import (
    analyse_causes,
    analyse_complaints,
    write_complaints,
)
from insight.complaints.intake import read_complaints
from insight.complaints.pareto import compute_pareto
from support.complaint_history_builders import NOW, Row, answer, event, history, ticket

PROJECT = Path(__file__).parents[3]
REAL_DATA = Path(os.environ.get("GOODWILL_REAL_DATA", PROJECT.parent / "shared" / "data"))
DAY = timedelta(days=1)


def simulate_company(
    home: Path, customers: int = 2500, handover: bool = True
) -> tuple[Company, Workspace]:
    """In the north deliveries are late and ratings low; lateness adds 30 points of dissatisfaction.

    With a late handover 80% of deliveries are late, otherwise 10% (30% in the north). A third of
    the invitations are unanswered, mostly those of satisfied customers.
    """
    rng = np.random.default_rng(0)
    events: list[Row] = []
    surveys: list[Row] = []
    people: list[Row] = []
    for place in range(customers):
        name, north = f"C{place}", rng.random() < 0.5
        held = handover and rng.random() < 0.1
        late = rng.random() < (0.8 if held else 0.3 if north else 0.1)
        days = rng.uniform(1, 9) if late else -1
        answered_at = NOW - rng.integers(10, 300) * DAY
        due = answered_at - 30 * DAY
        unhappy = rng.random() < 0.1 + 0.2 * north + 0.3 * late
        silent = rng.random() < (0.1 if unhappy else 0.4)
        people.append({"customer_id": name, "region": "north" if north else "south"})
        events.append(event(name, due - 9 * DAY, "order", due_at=due, amount=100.0))
        events.append(event(name, due + days * DAY, "shipment", due_at=due))
        if handover:
            promise = due - 5 * DAY
            events.append(
                event(name, promise + (4 if held else -1) * DAY, "handover", due_at=promise)
            )
        surveys.append(answer(name, answered_at, None if silent else 1.0 if unhappy else 4.0))
    return history(home, events=events, surveys=surveys, customers=people)


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> CauseRanking:
    return analyse_causes(
        "dissatisfaction", *simulate_company(tmp_path_factory.mktemp("planted")), None
    )


def test_the_planted_effect_is_found(ranking: CauseRanking) -> None:
    late = ranking.causes[0]
    assert late.cause.name == "late delivery"
    assert late.attribution.effect.low < 0.3 < late.attribution.effect.high
    assert late.attribution.effect.high - late.attribution.effect.low < 0.2
    assert (
        late.attribution.naive_effect > late.attribution.effect.value + 0.02
    )  # the north is less satisfied anyway


def test_an_indirect_cause_is_a_cause_of_the_direct_one(
    ranking: CauseRanking,
) -> None:
    """The effect of the handover is entirely mediated by the delivery."""
    held = next(r for r in ranking.causes if r.cause.name == "late handover")
    assert held.attribution.effect.low < 0.8 * 0.3 < held.attribution.effect.high + 0.05
    (link,) = ranking.secondary_causes
    assert (link.effect, link.cause) == ("late delivery", "late handover")
    assert link.attribution.effect.low < 0.6 < link.attribution.effect.high


def test_non_response_is_corrected(ranking: CauseRanking) -> None:
    """Satisfied customers answer less often, so the answers overstate dissatisfaction."""
    assert 0.6 < ranking.answered < 0.8
    plain = float(np.mean(ranking.index_dates.table["outcome"].dropna()))
    assert ranking.rate < plain


def test_dose_bands_contain_the_effect(ranking: CauseRanking) -> None:
    bands = ranking.doses["late delivery"]
    assert [(b.low, b.high) for b in bands] == [(1, 3), (3, 7), (7, 14), (14, float("inf"))]
    assert bands[3].attribution is None
    assert bands[3].rows == 0
    inner = [b.attribution for b in bands[:3] if b.attribution]
    assert len(inner) == 3
    assert all(f.effect.low < 0.34 and f.effect.high > 0.26 for f in inner)


def test_the_tree_has_branch_cause_and_cause_of_the_cause(ranking: CauseRanking) -> None:
    root = build_cause_tree(ranking)
    assert root.name == "dissatisfaction with the service"
    assert [bone.name for bone in root.causes] == ["delivery"]
    first = root.causes[0].causes[0]
    assert first.name == "late delivery"
    assert [inner.name for inner in first.causes] == ["late handover"]
    stored = json.loads(json.dumps(root.to_dict()))
    assert stored["causes"][0]["causes"][0]["share"] == first.share
    lines = format_cause_tree(root).splitlines()
    assert lines[1] == "└─ delivery"
    assert lines[2].startswith("   ├─ late delivery: ")
    assert lines[3].startswith("   │  ├─ late handover: ")
    certain = [n for n in (first, first.causes[0], *root.causes[0].causes[1:]) if n.certain]
    assert sum(OPEN_QUESTION in line for line in lines) == len(certain)


def test_too_few_dissatisfied_answers_are_refused(tmp_path: Path) -> None:
    rows = [answer(f"C{n}", NOW - DAY, 1.0) for n in range(12)]
    with pytest.raises(DataRefused, match=r"0 answers of dissatisfied customers; at least 50"):
        analyse_causes("dissatisfaction", *history(tmp_path, surveys=rows), None)


def test_a_company_without_exposures_is_refused(tmp_path: Path) -> None:
    rows = [answer(f"C{n}", NOW - DAY, 1.0 + n % 2 * 3) for n in range(400)]
    with pytest.raises(DataRefused, match="deliveries with due_at, returns and tickets"):
        analyse_causes("dissatisfaction", *history(tmp_path, surveys=rows), None)


def test_skipped_parts_are_listed_with_the_reason(tmp_path: Path) -> None:
    rows = [ticket("C1", NOW - n * DAY, "complaint", "price", channel="mail") for n in range(1, 31)]
    company, workspace = history(tmp_path, tickets=rows)
    path = write_complaints(company, workspace)
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored == analyse_complaints(company, workspace)
    assert stored["pareto"][0]["category"] == "price"
    assert stored["pareto"][0]["severity"] is None
    assert set(stored["skipped"]) == {"dissatisfaction", "churn"}
    assert "no answers to a survey" in stored["skipped"]["dissatisfaction"]
    assert "make them with `goodwill features`" in stored["skipped"]["churn"]


def test_departures_of_the_sample_company_have_causes(
    small_company: tuple[Company, Workspace],
) -> None:
    """Simulated customers churn when disappointed: more often after a complaint."""
    company, workspace = small_company
    found = read_complaints(company, workspace)
    ranking = analyse_causes("churn", company, workspace, found)
    assert ranking.answered == 1
    complained = [r for r in ranking.causes if r.cause.branch in ("complaints", "delivery")]
    assert max(r.attribution.share.high for r in complained) > 0
    table = ranking.index_dates.table
    gaps = table.groupby("customer_id")["index_date"].apply(lambda m: m.sort_values().diff().min())
    assert gaps.dropna().min() >= timedelta(days=85)  # windows that do not overlap


@pytest.mark.real_data
@pytest.mark.skipif(
    not (REAL_DATA / "olist_sample").is_dir(), reason=f"no real data at {REAL_DATA}"
)
def test_on_olist_late_delivery_is_first_and_grows_with_the_delay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODWILL_REAL_DATA", str(REAL_DATA))
    company = load_company(PROJECT / "data" / "olist.toml")
    workspace = Workspace(tmp_path)
    import_history(company, workspace, silent_steps())
    found = read_complaints(company, workspace)
    ranking = analyse_causes("dissatisfaction", company, workspace, found)
    first = ranking.causes[0]
    assert first.cause.name == "late delivery"
    assert 0.25 < first.attribution.share.value < 0.40
    assert first.attribution.share.low > max(r.attribution.share.high for r in ranking.causes[1:])
    assert first.attribution.effect.low > 0.35
    one, three, seven = (d.attribution for d in ranking.doses["late delivery"][:3])
    assert one is not None
    assert three is not None
    assert seven is not None
    assert 0.3 < one.effect.value < three.effect.value < seven.effect.value + 0.05
    assert found.source == "surveys"
    assert compute_pareto(found.table)[0].category == "delivery"
