"""Plots of a page: images of the figure's size, in few colours."""

import base64
import io

import pytest
from matplotlib.figure import Figure
from PIL import Image

from insight.formatting.plot_images import COLOURS, DPI, plot_image


@pytest.mark.parametrize("inches", [(4.8, 3.0), (9.6, 3.157), (3.339, 2.001), (5.0, 3.15999)])
def test_a_figure_of_any_size_becomes_an_image(inches):
    figure = Figure(figsize=inches)
    figure.subplots().plot([1, 3, 2])
    image = plot_image(figure, "Orders rise")
    drawn = Image.open(io.BytesIO(base64.b64decode(image.source.partition(",")[2])))
    assert drawn.size == (image.width, image.height)
    assert image.width == pytest.approx(inches[0] * DPI, abs=1)
    assert image.height == pytest.approx(inches[1] * DPI, abs=1)
    assert len(drawn.convert("RGB").getcolors(maxcolors=10_000)) <= COLOURS


def test_the_title_inside_the_figure_is_the_caption_of_a_plot_without_a_finding():
    figure = Figure()
    figure.suptitle("Orders rise")
    image = plot_image(figure)
    assert (image.finding, image.title_inside) == ("Orders rise", True)
