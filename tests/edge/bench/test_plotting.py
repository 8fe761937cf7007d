import sys

import cv2
import pytest

from edge.bench import plotting
from edge.errors import ConfigurationError, InputError


def test_panels_stand_side_by_side_in_a_png_of_any_name(tmp_path):
    figure, axes = plotting.panels(3, "three")
    assert len(axes) == 3
    out = tmp_path / "plot.jpg"
    plotting.write(figure, out)
    assert out.read_bytes().startswith(b"\x89PNG")
    assert cv2.imread(str(out)).shape == (552, 2016, 3)


def test_without_matplotlib_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edge-checkpoint\[plo"):
        plotting.panels(1, "none")


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    figure, _ = plotting.panels(1, "one")
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        plotting.write(figure, tmp_path)
