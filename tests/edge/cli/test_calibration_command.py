import json

import cv2
import pytest
from click.testing import CliRunner

from edge.bench.calibration_plot import false_positive_rate
from edge.cli.calibration import calibration
from edge.errors import InputError
from edge.recognition.fingerprint.calibration import TemplateSource, committed


def shown(*arguments):
    result = CliRunner().invoke(
        calibration, ["show", *map(str, arguments)], catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture(scope="module")
def report():
    return json.loads(shown("--json"))


@pytest.mark.parametrize("source", TemplateSource)
def test_thresholds_rise_and_say_what_is_extrapolated(report, source):
    table = report["tables"][source.value]
    thresholds = [line["threshold"] for line in table["thresholds"]]
    assert thresholds == sorted(thresholds)
    end = table["counted_on_invented_pairs_to"]
    for line in table["thresholds"]:
        assert line["is_extrapolated"] == (line["threshold"] > end)
        assert line["threshold"] == committed(source).threshold(
            line["false_match_rate"]
        )


def test_false_alarms_are_given_by_the_size_of_the_gallery(report):
    [line] = [
        line
        for line in report["tables"]["ours"]["thresholds"]
        if line["false_match_rate"] == 1e-3
    ]
    per_alarm = line["travellers_per_false_alarm"]
    assert per_alarm["1"] == pytest.approx(1000)
    assert per_alarm["1000"] == pytest.approx(1 / (1 - 0.999**1000))
    assert per_alarm["1000000"] == pytest.approx(1)


def test_thresholds_for_a_share_of_searches_rise_with_the_gallery(report):
    for table in report["tables"].values():
        for by_size in table["threshold_for_fpir"].values():
            values = [by_size[size] for size in ("10000", "180000", "1000000")]
            assert values == sorted(values)


def test_the_tables_mark_the_extrapolated_part():
    text = shown()
    assert text.count("* extrapolated: no rate below") == len(TemplateSource)
    assert any(line.split()[2:3] == ["*"] for line in text.splitlines())


def test_the_calibration_is_drawn(tmp_path):
    out = tmp_path / "calibration.png"
    shown("--plot", out)
    assert cv2.imread(str(out)).shape == (552, 1344, 3)


def test_resolutions_that_do_not_fit_the_folders_are_refused(tmp_path):
    arguments = ["check", "--data", str(tmp_path), "--ppi", "500", "--ppi", "569"]
    with pytest.raises(InputError, match="2 resolutions for 1 folders"):
        CliRunner().invoke(calibration, arguments, catch_exceptions=False)


def test_a_share_of_searches_stays_exact_where_rates_are_tiny():
    assert false_positive_rate(1e-9, 1) == pytest.approx(1e-9, rel=1e-12)
    assert false_positive_rate(1e-12, 1000) == pytest.approx(1e-9, rel=1e-8)
    assert false_positive_rate(1.0, 5) == 1.0
    assert false_positive_rate(0.5, 0) == 0.0
