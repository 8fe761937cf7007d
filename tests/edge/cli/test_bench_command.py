"""edge bench on generated prints, with the real engine."""

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli.bench import bench
from edge.errors import InputError
from edge.simulate.fingers import SyntheticFinger

ACCURACY = {"mated", "non_mated", "eer", "fnmr_at_fmr", "zero_fmr"}


@pytest.fixture(scope="module")
def prints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    for seed in (11, 12):
        finger = SyntheticFinger(seed)
        for number in (1, 2):
            path = folder / f"{seed}_{number}.png"
            cv2.imwrite(str(path), finger.impression(number))
    return folder


def run(*arguments):
    result = CliRunner().invoke(bench, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_folder_of_prints_is_measured_and_drawn(prints, tmp_path):
    out, plot = tmp_path / "out.json", tmp_path / "plot.png"
    shown = run(
        *("finger", "--data", prints, "--json", out, "--plot", plot, "--threads", 2)
    )
    report = json.loads(out.read_text())
    assert set(report) >= ACCURACY | {
        *("failure_to_extract", "extract_ms_median", "compare_us_median"),
        *("template_bytes_median", "fvc_protocol"),
    }
    assert set(report["fvc_protocol"]) == ACCURACY
    assert set(report["fnmr_at_fmr"]) == {"1e-2", "1e-3", "1e-4"}
    assert (report["mated"], report["non_mated"]) == (2, 4)
    assert report["eer"] == 0.0
    assert 100 < report["template_bytes_median"] < 1000
    assert report["extract_ms_median"] > 0
    assert cv2.imread(str(plot)) is not None
    assert prints.name in shown.stdout


def test_several_folders_give_each_set_and_the_mean(prints, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in prints.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    shown = run(
        *("finger", "--data", prints, "--data", other, "--json", "-"),
        *("--ppi", 500, "--ppi", 520),
    )
    report = json.loads(shown.stdout)
    assert set(report["sets"]) == {prints.name, "other"}
    assert report["mean"]["non_mated"] == 8
    assert shown.stderr == ""


def test_an_unreadable_print_is_refused_by_name(tmp_path):
    cv2.imwrite(str(tmp_path / "1_1.png"), np.zeros((32, 32), np.uint8))
    cv2.imwrite(str(tmp_path / "1_2.png"), np.zeros((32, 32), np.uint8))
    (tmp_path / "2_1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match=r"2_1\.png"):
        run("finger", "--data", tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no prints"):
        run("finger", "--data", tmp_path)


def test_resolutions_that_do_not_fit_the_folders_are_refused(prints):
    arguments = ["--ppi", 500, "--ppi", 569, "--ppi", 250]
    with pytest.raises(InputError, match="3 values for 1 folders"):
        run("finger", "--data", prints, *arguments)


def test_the_same_folder_twice_is_refused(prints):
    with pytest.raises(InputError, match="given twice"):
        run("finger", "--data", prints, "--data", prints)


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_a_result_that_cannot_be_written_is_refused_before_the_work(
    prints, tmp_path, option
):
    with pytest.raises(InputError, match="no such folder"):
        run("finger", "--data", prints, option, tmp_path / "absent" / "out")


def test_the_quality_is_compared_with_labels(prints, tmp_path):
    labels = tmp_path / "labels.csv"
    names = sorted(path.name for path in prints.iterdir())
    rows = [f"{prints.name},{name},500,{20 * i}" for i, name in enumerate(names)]
    labels.write_text("\n".join(["set,image,ppi_given,nfiq2", *rows]))
    out, plot = tmp_path / "out.json", tmp_path / "plot.png"
    shown = run(
        *("quality", "--data", prints, "--labels", labels, "--threads", 2),
        *("--json", out, "--plot", plot),
    )
    report = json.loads(out.read_text())
    assert set(report["spearman_per_set"]) == {prints.name}
    assert report["images"] == 4
    assert report["ms_median"] > 0
    assert report["error_versus_discard"]["points"]
    assert cv2.imread(str(plot)) is not None
    assert "Rank correlation" in shown.stdout


def test_labels_without_a_column_are_refused(prints, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("set,image\n")
    with pytest.raises(InputError, match="no column ppi_given, nfiq2"):
        run("quality", "--data", prints, "--labels", labels)


def test_invented_templates_are_measured_beside_the_prints(prints, tmp_path):
    out, plot = tmp_path / "out.json", tmp_path / "plot.png"
    shown = run(
        *("synthetic", "--data", prints, "--threads", 2),
        *("--json", out, "--plot", plot),
    )
    assert {"real", "generated", "agreement"} <= set(json.loads(out.read_text()))
    assert cv2.imread(str(plot)) is not None
    assert "non-mated pairs" in shown.stdout
