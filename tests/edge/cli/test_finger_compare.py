"""edge finger compare on images, minutiae records and template records."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli.finger import finger
from edge.config import default_cache_dir
from edge.errors import InputError
from edge.interchange.minutiae_formats import WRITABLE_FORMATS
from edge.interchange.minutiae_record import RecordFormat
from edge.interchange.record_file import write_record_file
from edge.interchange.template_conversion import record_of
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.mirror import mirrored
from edge.recognition.image_encoding import encode_png
from edge.records.template import encode_template
from edge.simulate.fingers import SyntheticFinger
from edge.simulate.template_gallery import generate, impression
from edge.terms import FaceTemplate

FINGER, OTHER = 7, 8


@pytest.fixture(scope="module")
def templates():
    """The templates of a finger, of the same one again, and of another."""
    columns = generate(20, 10)
    first = columns.template(FINGER)
    again = impression(first, np.random.default_rng(2), 0.4)
    return {"first": first, "again": again, "other": columns.template(OTHER)}


@pytest.fixture
def place(tmp_path, templates):
    cache = json.dumps(str(default_cache_dir() / "models"))
    (tmp_path / "edge.toml").write_text(f"[models]\ncache_dir = {cache}\n")
    for name, template in templates.items():
        (tmp_path / f"{name}.et").write_bytes(encode_template(template))
    turned_over = encode_template(mirrored(templates["again"]))
    (tmp_path / "mirrored.et").write_bytes(turned_over)
    return tmp_path


@pytest.fixture
def run(place):
    def invoke(*arguments):
        options = [str(a) for a in (*arguments, "--config", place / "edge.toml")]
        return CliRunner().invoke(finger, ["compare", *options])

    return invoke


@pytest.fixture
def found(run):
    def invoke(*arguments):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    return invoke


def test_two_impressions_of_a_finger_are_a_possible_match(run, place):
    result = run(place / "first.et", place / "again.et")
    first, *rest = result.stdout.splitlines()
    assert first.startswith("possible match: one false alarm in ")
    assert any("correspondences of" in line for line in rest)
    assert "mirrored" not in result.stdout


def test_other_fingers_are_no_match(run, place):
    result = run(place / "first.et", place / "other.et")
    assert result.stdout.startswith("no match: one false alarm in ")
    assert "mirrored" not in result.stdout


def test_json_has_all_there_is_to_say(found, place, templates):
    said = found(place / "first.et", place / "again.et", "--max-fmr", "0.001")
    a, b = templates["first"], templates["again"]
    assert said["score"] == compare(prepare(a), prepare(b))
    assert 0 < said["false_match_rate"] < 0.001 == said["max_false_match_rate"]
    assert (said["match"], said["mirrored"]) == (True, False)
    assert said["quality"] == [None, None]
    assert len(said["correspondences"]) >= 8
    for pair in said["correspondences"]:
        for side, template in (("first", a), ("second", b)):
            i = pair[side]["index"]
            assert (template.x[i], template.y[i]) == (pair[side]["x"], pair[side]["y"])


def test_a_mirrored_print_is_said_to_be_mirrored(run, found, place, templates):
    said = found(place / "first.et", place / "mirrored.et")
    assert (said["match"], said["mirrored"]) == (False, True)
    # Places are those in the file, not those in its mirror image.
    pair = said["correspondences"][0]["second"]
    again, i = templates["again"], pair["index"]
    assert pair["x"] == again.width_px - 1 - again.x[i]
    text = run(place / "first.et", place / "mirrored.et", "--plot", place / "p.png")
    assert "the second image seems to be mirrored" in text.stdout
    assert cv2.imread(str(place / "p.png")) is not None


@pytest.mark.parametrize("name", WRITABLE_FORMATS)
def test_minutiae_records_take_the_place_of_images(found, place, templates, name):
    path = place / "again.fmr"
    record = record_of(templates["again"], RecordFormat(name), finger_quality=61)
    write_record_file(path, record)
    said = found(place / "first.et", path, "--plot", place / "p.png")
    assert said["match"]
    assert said["quality"] == [None, 61]
    picture = cv2.imread(str(place / "p.png"))
    assert min(picture.shape[:2]) > 300


def test_images_are_compared_with_records_and_drawn(found, run, place):
    person = SyntheticFinger(11)
    for number in (0, 3):
        (place / f"{number}.png").write_bytes(encode_png(person.impression(number)))
    plot = place / "plot.png"
    said = found(place / "0.png", place / "3.png", "--plot", plot)
    assert said["match"]
    assert all(0 < quality <= 100 for quality in said["quality"])
    drawn = cv2.imread(str(plot))
    # Two prints of 256 x 288 pixels beside each other, enlarged.
    assert drawn.shape[1] > 2 * 2 * 256
    assert drawn.shape[0] > 2 * 288
    mixed = run(place / "0.png", place / "first.et")
    assert mixed.stdout.startswith("no match")


def test_indices_count_what_a_comparison_looks_at(found, place, templates):
    first = templates["first"]
    columns = ("x", "y", "angle_rad", "kind", "quality")
    copies = -(-200 // len(first))
    many = {n: np.tile(getattr(first, n), copies)[:200] for n in columns}
    shift = np.repeat(np.arange(copies, dtype=np.int16), len(first))[:200] * 400
    crowded = replace(
        first,
        **many | {"x": (many["x"] + shift).astype(np.int16)},
        width_px=8000,
    )
    (place / "crowded.et").write_bytes(encode_template(crowded))
    said = found(place / "crowded.et", place / "first.et", "--plot", place / "p.png")
    assert max(p["first"]["index"] for p in said["correspondences"]) < 128


def test_a_record_of_several_fingers_is_refused(run, place, templates):
    record = record_of(templates["first"], RecordFormat.ISO_2005)
    view = record.views[0]
    views = (replace(view, position=1), replace(view, position=2))
    write_record_file(place / "two.fmr", replace(record, views=views))
    result = run(place / "first.et", place / "two.fmr")
    assert isinstance(result.exception, InputError)
    assert "two.fmr: 2 finger views" in str(result.exception)


def _damaged(template):
    content = bytearray(encode_template(template))
    content[-6] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_damaged, "checksum is wrong"),
        (lambda t: encode_template(t)[:40], "damaged|no template record"),
        (lambda _: b"ET", "no template record"),
        (lambda _: b"ET" + bytes(100_000), "no template record"),
        (
            lambda _: encode_template(FaceTemplate("m", np.ones(4, np.float32))),
            "template of a face",
        ),
        (lambda _: b"FMR\0 20\0" + bytes(9), "odd.file"),
        (lambda _: b"nothing known", "not an image"),
    ],
)
def test_a_file_that_is_no_print_is_refused_by_name(
    run, place, templates, make, reason
):
    path = place / "odd.file"
    path.write_bytes(make(templates["first"]))
    result = run(place / "first.et", path)
    assert isinstance(result.exception, InputError)
    assert str(path) in str(result.exception)
    assert "\n" not in str(result.exception)
    with pytest.raises(InputError, match=reason):
        raise result.exception


@pytest.mark.parametrize("name", ["absent.png", "."])
def test_a_file_that_cannot_be_read_is_refused_by_name(run, place, name):
    result = run(place / name, place / "first.et")
    assert isinstance(result.exception, InputError)
    assert str(place / name) in str(result.exception)


def test_a_drawing_that_cannot_be_written_is_an_error_of_one_line(run, place):
    plot = place / "absent" / "plot.png"
    result = run(place / "first.et", place / "again.et", "--plot", plot)
    assert isinstance(result.exception, InputError)
    assert f"{plot}: cannot be written" in str(result.exception)


def test_a_template_without_minutiae_matches_nothing_and_is_drawn(
    run, place, templates
):
    columns = ("x", "y", "angle_rad", "kind", "quality")
    first = templates["first"]
    empty = replace(first, **{name: getattr(first, name)[:0] for name in columns})
    (place / "empty.et").write_bytes(encode_template(empty))
    plot = place / "p.png"
    result = run(place / "empty.et", place / "empty.et", "--plot", plot)
    assert result.stdout.startswith("no match: one false alarm in 1 comparisons")
    assert plot.stat().st_size > 0
