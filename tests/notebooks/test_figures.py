"""Figures have an alternative text, and what makes them hard to read is found."""

import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from models.plots.style import canvas, heading

sys.path.append(str(Path(__file__).parents[2] / "notebooks"))
from bars import bars, dots
from figures import alternative_text, defects, show


def drawn(title: str = "Ten of 20 customers leave", subtitle: str = "Within 90 days") -> Figure:
    """A figure without defects: bars with names, values and units."""
    figure, (axis,) = canvas(title, subtitle, (1,), (9.6, 3.0))
    bars(axis, ["north", "south"], [4, 6], "customers")
    heading(axis, "By region")
    return figure


def test_the_alternative_text_is_the_finding_and_what_is_drawn() -> None:
    text = alternative_text(drawn(), "Bars: customers by region")
    assert text == "Ten of 20 customers leave. Within 90 days. Bars: customers by region."


def test_a_figure_without_a_description_is_refused() -> None:
    with pytest.raises(ValueError, match="say what is drawn"):
        alternative_text(drawn(), " ")


def test_a_good_figure_has_no_defects() -> None:
    assert defects(drawn()) == []


def test_an_empty_title_is_a_defect() -> None:
    assert defects(drawn(title="")) == ["no title or no subtitle"]


def test_an_axis_of_numbers_needs_a_label() -> None:
    figure, (axis,) = canvas("A title", "A subtitle", (1,))
    axis.plot([0, 1], [0, 5])
    axis.set_ylabel("customers")
    (found,) = defects(figure)
    assert found.startswith("no label on the x axis with 0")


def test_overlapping_ticks_are_a_defect() -> None:
    figure = drawn()
    axis = figure.axes[0]
    axis.set_xticks([5.0, 5.05], ["5 customers", "5.05 customers"])
    assert defects(figure) == ["'5 customers' overlaps '5.05 customers'"]


def test_a_text_outside_the_figure_is_a_defect() -> None:
    figure = drawn()
    figure.axes[0].text(7.5, 0, "far away", in_layout=False)
    assert defects(figure) == ["'far away' is cut off"]


def test_a_long_title_is_made_to_fit() -> None:
    assert defects(drawn(title="Satisfied customers answer more often than the others " * 3)) == []


def test_a_figure_is_shown_with_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[dict[str, str], dict[str, object]]] = []
    monkeypatch.setattr(
        "figures.display", lambda data, metadata, raw: shown.append((data, metadata))
    )
    figure, (axis,) = canvas('"A" < B', "With intervals", (1,), (9.6, 2.5))
    dots(axis, ["one"], [(1.0, 0.5, 1.5)], "points")
    show(figure, "A dot")
    ((data, metadata),) = shown
    assert metadata == {"image/png": {"alt": '"A" < B. With intervals. A dot.'}, "defects": []}
    assert data["text/html"].startswith('<img alt="&quot;A&quot; &lt; B. With intervals. A dot."')
    assert data["text/html"].endswith(f'base64,{data["image/png"]}">')
