"""The report and HTTP give the same numbers: a server of an evaluated company, and both pages."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from insight.business_report.business_report_page import render_details, render_overview
from insight.business_report.indicators_section import MOST_COLUMNS, MOST_ROWS
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.trends_section import MOST_CHARTS
from serve.app import build_app
from serve.scoring.company_scorer import CompanyScorer
from serve.scoring.reload_loop import ScorerLoader
from support.http_server import running_app
from support.trained_company import copy_of_evaluated

Attributes = dict[str, str]
INTERVAL = ("value", "low", "high")


class Exact(HTMLParser):
    """The attributes `data-*` of every element that has some, without their prefix."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Attributes] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        stated = {n.removeprefix("data-"): v or "" for n, v in attrs if n.startswith("data-")}
        if stated:
            self.found.append(stated)

    def by(self, *names: str) -> dict[tuple[str, ...], Attributes]:
        """Elements with the first attribute by the names given; those that occur twice must be equal."""
        found: dict[tuple[str, ...], Attributes] = {}
        for stated in self.found:
            if names[0] in stated:
                key = tuple(stated.get(name, "") for name in names)
                numbers = {
                    n: v for n, v in stated.items() if n not in ("tip", "label", "order", *names)
                }
                assert found.setdefault(key, numbers) == numbers, key
        return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exact, dict[str, Any]]:
    """The page's numbers, and what the service answers for indicators and segments."""
    home = tmp_path_factory.mktemp("report") / "home"
    company, workspace = copy_of_evaluated(home)
    inputs, now = load_report_inputs(company, workspace, "en"), datetime.now(UTC)
    page = Exact(render_overview(inputs, now) + render_details(inputs, now))
    loader = ScorerLoader(lambda: CompanyScorer(company, workspace))
    loader.refresh()
    with running_app(build_app(loader)) as url:
        answers = {
            name: httpx.get(f"{url}/v1/{name}", trust_env=False, timeout=30).json()
            for name in ("indicators", "segments")
        }
    return page, answers


def numbers(of: dict[str, Any], *names: str) -> Attributes:
    """The numbers of an answer as attributes hold them."""
    return {name: repr(of[name]) for name in names if of[name] is not None}


def about(indicator: dict[str, Any]) -> tuple[str, str]:
    return indicator["name"], indicator["dimension"] or ""


def test_every_indicator(both: tuple[Exact, dict[str, Any]]) -> None:
    page, stated = both[0], both[1]["indicators"]["indicators"]
    rows, figures = page.by("row", "dimension"), page.by("indicator", "dimension", "of")
    assert len(stated) > 10
    assert set(rows) == {about(i) for i in stated}
    for i in stated:
        goal = numbers(i["goal"], "target", "gap") if i["goal"] else {}
        whole = numbers(i, "asked", "answered", "coverage", "customers", "before", "year") | goal
        assert rows[about(i)] == whole
        assert figures[(*about(i), "")] == numbers(i, *INTERVAL) | {"n": repr(i["answered"])}
        corrected = figures.get((*about(i), "everybody"), {})
        assert corrected == (numbers(i["everybody"], *INTERVAL) if i["everybody"] else {})


def test_every_group(both: tuple[Exact, dict[str, Any]]) -> None:
    """The table of a cut has six indicators with every group; of many groups, those that differ."""
    page, stated = both[0], both[1]["indicators"]["indicators"]
    figures = page.by("indicator", "dimension", "of")
    cuts: dict[str, set[tuple[str, str]]] = {}
    shown = set()
    for i in stated:
        for cell in i["cells"]:
            of = f"{cell['by']}={cell['group']}"
            cuts.setdefault(cell["by"], set()).add(about(i))
            if (*about(i), of) not in figures:
                continue
            shown.add((cell["by"], *about(i)))
            expected = numbers(cell, *INTERVAL) | {"n": repr(cell["answered"])}
            assert figures[(*about(i), of)] == expected
            corrected = figures.get((*about(i), f"{of} everybody"), {})
            assert corrected == (numbers(cell["everybody"], *INTERVAL) if cell["everybody"] else {})
    assert cuts
    sizes = {
        by: len({c["group"] for i in stated for c in i["cells"] if c["by"] == by}) for by in cuts
    }
    whole_cuts = {by for by, size in sizes.items() if size <= MOST_ROWS}
    assert "region" in whole_cuts
    for by in whole_cuts:
        assert len({s for s in shown if s[0] == by}) == min(len(cuts[by]), MOST_COLUMNS)
    cells = {(*about(i), f"{c['by']}={c['group']}") for i in stated for c in i["cells"]}
    groups = {k for k in figures if "=" in k[2] and not k[2].endswith((" everybody", " forecast"))}
    whole = {k for k in cells if (k[2].partition("=")[0], *k[:2]) in shown}
    assert groups <= whole
    assert {k for k in groups if k[2].partition("=")[0] in whole_cuts} == {
        k for k in whole if k[2].partition("=")[0] in whole_cuts
    }


def test_every_period_of_a_trend(both: tuple[Exact, dict[str, Any]]) -> None:
    page, stated = both[0], both[1]["indicators"]["indicators"]
    figures = page.by("indicator", "dimension", "of")
    drawn = 0
    for i in stated:
        ahead = i["forecast"]["points"] if i["forecast"] else []
        points = {p["period"]: p for p in i["over_time"]}
        points |= {f"{p['period']} forecast": p for p in ahead}
        found = {of: figures.get((*about(i), of)) for of in points}
        if any(found.values()):
            drawn += 1
            assert found == {
                of: numbers(p, *INTERVAL) | {"n": repr(p["answered"])} for of, p in points.items()
            }
    assert 1 < drawn <= MOST_CHARTS


def test_every_alert(both: tuple[Exact, dict[str, Any]]) -> None:
    page, stated = both[0], both[1]["indicators"]["alerts"]
    assert page.by("alert", "dimension", "of", "value", "expected", "off").keys() == {
        (
            a["indicator"], a["dimension"] or "", f"{a['by']}={a['group']}",
            *(repr(a[name]) for name in ("value", "expected", "errors_off")),
        )
        for a in stated
    }  # fmt: skip


def test_every_segment_and_move(both: tuple[Exact, dict[str, Any]]) -> None:
    page, stated = both[0], both[1]["segments"]
    measured = (
        "customers", "share", "expected_value", "expected_low", "expected_high", "share_of_value",
        "satisfaction", "churn_probability", "rule_share", "rule_reach",
    )  # fmt: skip
    segments = {
        (s["by"], s["name"], of): {"value": repr(s[of])}
        for s in stated["segments"] for of in measured if s[of] is not None
    }  # fmt: skip
    found = page.by("segment", "name", "of")
    assert {s["by"] for s in stated["segments"]} >= {"tier", "stars", "stage", "quadrant"}
    assert {key: value for key, value in found.items() if value} == segments
    cells = page.by("moves", "name", "to", "cause")
    for which in ("tiers", "stages"):
        moves = stated[which]
        somebody = {name for name, row in zip(moves["before"], moves["customers"], strict=True)
                    if any(row)} | {name for name, column in zip(
                        moves["after"], zip(*moves["customers"], strict=True), strict=True)
                    if any(column)}  # fmt: skip
        for before, row in zip(moves["before"], moves["customers"], strict=True):
            for after, count in zip(moves["after"], row, strict=True):
                if which == "stages" and not {before, after} <= somebody:
                    assert count == 0
                    continue  # stages that nobody was in are not shown
                assert cells.pop((which, before, after, "")) == {"value": repr(count)}
        for cause in moves["causes"]:
            key = (which, "", "", cause["cause"])
            assert cells.pop(key) == numbers(cause, "up", "down", "other")
        assert cells.pop((which, "", "", "")) == numbers(moves, "moved", "plain")
    assert cells == {}


def test_how_the_value_score_is_made(both: tuple[Exact, dict[str, Any]]) -> None:
    page, stated = both[0], both[1]["segments"]["value"]
    assert page.by("weight", "name") == {
        (w["dimension"], method): {"value": repr(share)}
        for w in stated["weights"] for method, share in w["by_method"].items()
    }  # fmt: skip
    ((version,), score), *_ = page.by("score").items()
    assert version == stated["version"]
    assert {name: json.loads(value) for name, value in score.items()} == {
        "scored": stated["scored"], "unscored": stated["unscored"],
        "top-changed": stated["top_changed"], "star-chances": stated["star_chances"],
    }  # fmt: skip
