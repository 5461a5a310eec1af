"""The cards of the trained company hold what a reader of a score must know."""

import re

import pytest

from features.config.company import load_company
from models.bundles.champions import load_champion
from models.bundles.mlflow_registry import Registry
from models.model_card.card_content import _figure
from models.targets.registry import TARGETS
from support.trained_company import SAMPLE_TARGETS, trained


@pytest.fixture(scope="module", params=list(SAMPLE_TARGETS))
def shown(request):
    """A target's name, its serving bundle and its card in Markdown."""
    workspace = trained()[0]
    bundle = load_champion(workspace.serving("sample"), request.param)
    assert bundle is not None
    text = (workspace.cards("sample") / f"{request.param}.md").read_text(encoding="utf-8")
    return request.param, bundle, text


def part(text, title):
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_part_is_there(shown):
    titles = re.findall(r"^## (.+)$", shown[2], re.MULTILINE)
    assert titles == [
        "The data", "The label", "How well, on later data", "At several moments (rolling origins)",
        *(["Active customers apart"] if shown[0] == "value" else []),
        "Groups of customers, the worst first",
        "Calibration", *(["Sums"] if shown[0] == "value" else []),
        "Ageing: today's test by older models", "What moves it", "Limits",
        "What it reads",
    ]  # fmt: skip


def test_data_window_label_and_measures_are_those_of_the_manifest(shown):
    target, bundle, text = shown
    manifest = bundle.manifest
    company = load_company(trained()[0].data / "sample.toml")
    assert f"- Version: {bundle.version}\n" in text
    assert f"- Data fingerprint: {manifest.fingerprint}\n" in text
    assert f"{manifest.cutoffs[0][:10]} to {manifest.cutoffs[-1][:10]}" in text
    assert TARGETS[target].describe_label(company.target(target)) in part(text, "The label")
    for label, rows in manifest.label_counts.items():
        assert f"| {label} | {rows:,} |" in part(text, "The label")
    measures = part(text, "How well, on later data")
    for name in (n for n in manifest.metrics if f"rule_{n}" in manifest.metrics):
        ends = [_figure(manifest.metrics[k]) for k in (name, f"{name}_low", f"{name}_high")]
        assert f"| {name} | {ends[0]} ({ends[1]} to {ends[2]}) |" in measures


def test_reasons_add_up_to_less_than_all_and_name_known_features(shown):
    _, bundle, text = shown
    rows = [line.split(" | ") for line in part(text, "What moves it").splitlines() if " | " in line]
    shares = [float(row[-1].rstrip("% |")) for row in rows[1:]]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 100.5
    assert {row[0].strip("| ") for row in rows[1:]} <= set(bundle.columns)


def test_calibration_has_all_test_rows(shown):
    lines = [
        line for line in part(shown[2], "Calibration").splitlines() if line.startswith("| fifth")
    ]
    counts = [int(line.split("|")[2].replace(",", "")) for line in lines]
    said = re.search(r"([\d,]+) rows of", part(shown[2], "How well, on later data"))
    assert said is not None
    assert sum(counts) == int(said[1].replace(",", ""))


def test_probabilities_have_a_calibration_error_and_that_of_chance(shown):
    _, bundle, text = shown
    off = re.search(
        r"Off by ([\d.]+) points on average; .* off by ([\d.]+) on", part(text, "Calibration")
    )
    name = {"binary": "ece"}.get(bundle.manifest.kind, "class_ece")
    measured = bundle.manifest.metrics.get(name)
    assert (off is None) == (measured is None)
    if off and measured:
        assert float(off[1]) == pytest.approx(100 * measured, abs=0.051)


def test_every_origin_is_a_row_and_the_mean_the_last(shown):
    _, bundle, text = shown
    moments = part(text, "At several moments (rolling origins)")
    rows = [line for line in moments.splitlines() if line.startswith(("| 20", "| mean"))]
    judged = bundle.manifest.origins
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [
        *(one["start"][:10] for one in judged["each"]), "mean",
    ]  # fmt: skip
    assert len(judged["each"]) >= 4
    mean = judged["metrics"]["model"][judged["primary"]]
    assert f"| {_figure(mean['value'])} ({_figure(mean['low'])} to" in rows[-1]
    assert "root mean square is" in moments
    assert f"all labels up to {bundle.manifest.labels_until[:10]}" in part(text, "The data")


def test_small_data_is_among_the_limits():
    text = (trained()[0].cards("sample") / "nps.md").read_text(encoding="utf-8")
    assert re.search(
        r"target nps: \d+ labelled customers to learn from, .*few", part(text, "Limits")
    )


def test_cards_are_logged_to_the_run_of_their_version(shown):
    target, bundle, _ = shown
    registry = Registry(trained()[0])
    refit, run = bundle.manifest.run_id, bundle.manifest.judged_run
    assert {"card.md", "card.html"} <= {f.path for f in registry.client.list_artifacts(refit)}
    logged = {f.path for f in registry.client.list_artifacts(run)}
    assert {"card.md", "card.html", "guards.json", "origins.json"} <= logged
    plots = {f.path for f in registry.client.list_artifacts(run, "plots")}
    assert "plots/staleness.png" in plots
    assert (target == "nps") or "plots/slices.png" in plots  # nps has no group of 200 rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.7774, "0.777"),
        (12.34, "12.3"),
        (12345.6, "12,346"),
        (-0.5, "-0.500"),
        (float("nan"), "–"),
    ],
)
def test_figures_have_about_three_digits(value, text):
    assert _figure(value) == text
