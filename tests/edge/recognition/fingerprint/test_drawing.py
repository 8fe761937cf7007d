"""The picture of a comparison."""

from __future__ import annotations

import numpy as np
import pytest

from edge.recognition.fingerprint.drawing import (
    LARGEST_SIDE_PX,
    MOST_NUMBERED,
    DrawnPrint,
    draw_comparison,
)
from edge.recognition.fingerprint.drawn_text import Box, shortened, text_size


@pytest.fixture
def finger(template_of):
    x, y = np.meshgrid(np.arange(40, 240, 40), np.arange(40, 280, 40))
    count = x.size
    kind = np.arange(count) % 2 + 1
    return template_of(x.ravel(), y.ravel(), np.arange(count) / 5, kind)


def _blank(template, caption="a"):
    return DrawnPrint(template, None, caption)


def _colours(picture):
    return {tuple(c) for c in np.unique(picture.reshape(-1, 3), axis=0).tolist()}


def _saturated(picture):
    """Return how many pixels are coloured, as only correspondences are."""
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    return int((spread > 100).sum())


def test_only_what_corresponds_is_coloured(finger):
    prints = (_blank(finger), _blank(finger))
    assert _saturated(draw_comparison(*prints, [], ["no match"])) == 0
    few = _saturated(draw_comparison(*prints, [(0, 0)], ["match"]))
    more = _saturated(draw_comparison(*prints, [(0, 0), (1, 1), (2, 2)], ["match"]))
    assert 0 < few < more


def test_both_ends_of_a_correspondence_have_one_colour_of_its_own(finger):
    pairs = [(i, i) for i in range(12)]
    picture = draw_comparison(_blank(finger), _blank(finger), pairs, [])
    middle = picture.shape[1] // 2
    left, right = (
        _colours(half) for half in (picture[:, :middle], picture[:, middle:])
    )
    strong = {c for c in left if max(c) - min(c) > 130}
    assert len(strong & right) >= len(pairs)


def test_endings_and_bifurcations_look_different(template_of):
    pictures = [
        draw_comparison(
            _blank(template_of([50], [50], [0.0], [kind])),
            _blank(template_of([50], [50], [0.0], [1])),
            [],
            [],
        )
        for kind in (1, 2)
    ]
    assert (pictures[0] != pictures[1]).any()


def test_small_prints_are_enlarged_and_the_image_shows(finger):
    image = np.full((288, 256), 200, np.uint8)
    image[100:120, 50:200] = 10
    picture = draw_comparison(
        DrawnPrint(finger, image, "a"), DrawnPrint(finger, image, "b"), [], ["text"]
    )
    assert picture.dtype == np.uint8
    assert picture.shape[0] > 2 * 288
    assert picture.shape[1] > 4 * 256
    grey = (picture == 157) | (picture == 158)
    assert grey.all(axis=2).sum() > 2 * 4 * 20 * 150 / 2


@pytest.mark.parametrize("far", [3000, 16383])
def test_minutiae_far_apart_do_not_make_a_giant_picture(template_of, far):
    wide = template_of([0, far, 5], [0, far, 9], [0.0, 1.0, 2.0])
    picture = draw_comparison(_blank(wide), _blank(wide), [(0, 0)], ["x"])
    assert max(picture.shape) < 2 * LARGEST_SIDE_PX + 200


def test_many_correspondences_of_crowded_minutiae_are_drawn(template_of):
    rng = np.random.default_rng(0)
    crowd = template_of(*rng.integers(0, 60, (2, 128)), rng.uniform(0, 6, 128))
    pairs = [(i, 127 - i) for i in range(128)]
    assert len(pairs) > MOST_NUMBERED
    picture = draw_comparison(_blank(crowd), _blank(crowd), pairs, ["x"] * 5)
    assert _saturated(picture) > 0


def test_the_template_and_the_image_are_left_as_they_are(finger):
    image = np.random.default_rng(0).integers(0, 256, (288, 256), np.uint8)
    before = image.copy()
    draw_comparison(DrawnPrint(finger, image, "a"), _blank(finger), [(1, 2)], ["x"])
    assert (image == before).all()


def test_one_picture_follows_from_one_comparison(finger):
    prints, pairs = (_blank(finger), _blank(finger, "b")), [(1, 2), (3, 4)]
    one, two = (draw_comparison(*prints, pairs, ["x"]) for _ in range(2))
    assert (one == two).all()


def test_a_long_name_keeps_its_end_and_odd_letters_do_not_matter():
    name = "/a/very/long/path/" * 20 + "finger.png"
    short = shortened(name, 200)
    assert short.startswith("...")
    assert short.endswith("finger.png")
    assert text_size(short)[0] <= 200
    assert shortened("finger.png", 500) == "finger.png"
    assert shortened("Zeig\u00e9\n", 500) == "Zeig??"
    assert shortened(name, 1)


def test_boxes_share_what_both_cover():
    box = Box(10, 10, 10, 10)
    assert box.shared(box) == 100
    assert box.shared(Box(15, 15, 10, 10)) == 25
    assert box.shared(Box(20, 10, 10, 10)) == 0
    page = np.zeros((20, 20, 3), np.uint8)
    assert box.is_within(page)
    assert not Box(11, 10, 10, 10).is_within(page)
    assert not Box(-1, 0, 5, 5).is_within(page)
