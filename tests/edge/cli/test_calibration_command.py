import json

import cv2
import pytest
from click.testing import CliRunner

from edge.bench.calibration_plot import false_positive_rate
from edge.cli.calibration import calibration
from edge.recognition.fingerprint.calibration import committed


def shown(*arguments):
    result = CliRunner().invoke(
        calibration, ["show", *map(str, arguments)], catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout


def test_thresholds_rise_and_say_what_is_extrapolated():
    report = json.loads(shown("--json"))
    lines = report["thresholds"]
    thresholds = [line["threshold"] for line in lines]
    assert thresholds == sorted(thresholds)
    measured = report["lowest_measured_rate"]
    for line in lines:
        assert line["is_extrapolated"] == (line["false_match_rate"] < measured)
        assert line["threshold"] == committed().threshold(line["false_match_rate"])


def test_false_alarms_are_given_by_the_size_of_the_gallery():
    [line] = [
        line
        for line in json.loads(shown("--json"))["thresholds"]
        if line["false_match_rate"] == 1e-3
    ]
    per_alarm = line["travellers_per_false_alarm"]
    assert per_alarm["1"] == pytest.approx(1000)
    assert per_alarm["1000"] == pytest.approx(1 / (1 - 0.999**1000))
    assert per_alarm["1000000"] == pytest.approx(1)


def test_the_table_marks_the_extrapolated_part():
    text = shown()
    assert "* extrapolated: no rate below" in text
    assert any(line.split()[2:3] == ["*"] for line in text.splitlines())


def test_the_calibration_is_drawn(tmp_path):
    out = tmp_path / "calibration.png"
    shown("--plot", out)
    assert cv2.imread(str(out)).shape == (552, 1344, 3)


def test_a_share_of_searches_stays_exact_where_rates_are_tiny():
    assert false_positive_rate(1e-9, 1) == pytest.approx(1e-9, rel=1e-12)
    assert false_positive_rate(1e-12, 1000) == pytest.approx(1e-9, rel=1e-8)
    assert false_positive_rate(1.0, 5) == 1.0
    assert false_positive_rate(0.5, 0) == 0.0
