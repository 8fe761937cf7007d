import numpy as np
import pytest

from edge.errors import InputError
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.simulate.template_gallery import generate, impression

COUNT = 300


@pytest.fixture(scope="module")
def gallery():
    return generate(5, COUNT)


def _equal(first, second):
    names = ("x", "y", "angle_rad", "kind", "quality")
    return all(np.array_equal(getattr(first, n), getattr(second, n)) for n in names)


def test_templates_depend_on_seed_and_index_only(gallery):
    by_two = generate(5, 20, threads=2, first=30)
    assert all(_equal(by_two.template(i), gallery.template(30 + i)) for i in range(20))
    assert not _equal(generate(6, 1).template(0), gallery.template(0))


def test_values_keep_the_ranges_of_a_template(gallery):
    assert len(gallery) == COUNT
    assert gallery.offsets[-1] == len(gallery.x) == len(gallery.quality)
    assert set(gallery.kind) == {1, 2}
    assert gallery.angle_rad.min() >= 0
    assert gallery.angle_rad.max() < np.float32(2 * np.pi)
    assert gallery.quality.min() >= 1
    assert gallery.quality.max() <= 100
    assert set(gallery.position) == set(range(1, 11))
    for i in range(COUNT):
        template = gallery.template(i)
        assert 0 <= template.x.min() <= template.x.max() < template.width_px
        assert 0 <= template.y.min() <= template.y.max() < template.height_px
        assert np.all(np.diff(template.quality.astype(int)) <= 0)


def test_counts_and_spacing_are_those_of_prints(gallery):
    counts = np.diff(gallery.offsets)
    assert 30 <= np.median(counts) <= 40
    assert np.percentile(counts, 5) >= 12
    assert np.percentile(counts, 95) <= 75
    spacing = []
    for i in range(50):
        template = gallery.template(i)
        points = template.x.astype(float) + 1j * template.y
        apart = np.abs(points[:, None] - points) + 1e9 * np.eye(len(points))
        spacing.extend(apart.min(axis=1))
    assert np.percentile(spacing, 1) >= 5
    assert 12 <= np.median(spacing) <= 22


def test_minutiae_near_each_other_lie_on_ridges_of_one_direction(gallery):
    differences = []
    for i in range(50):
        template = gallery.template(i)
        points = template.x.astype(float) + 1j * template.y
        near = np.triu(np.abs(points[:, None] - points) < 20, 1)
        turn = template.angle_rad[:, None] - template.angle_rad
        differences.extend(np.abs(np.angle(np.exp(2j * turn[near]))) / 2)
    assert np.median(differences) < 0.25


def test_progress_is_told_up_to_the_count():
    told = []
    generate(5, 10, on_progress=told.append)
    assert told == [10]
    assert len(generate(5, 0)) == 0


@pytest.mark.parametrize("wrong", [{"count": -1}, {"threads": 0}, {"first": -1}])
def test_what_cannot_be_generated_is_an_error(wrong):
    with pytest.raises(InputError, match="templates to generate"):
        generate(5, **{"count": 1, **wrong})


def test_an_impression_scores_above_other_fingers(gallery):
    rng = np.random.default_rng(1)
    templates = [gallery.template(i) for i in range(12)]
    prepared = [prepare(template) for template in templates]
    again = [prepare(impression(template, rng)) for template in templates]
    mated = [compare(a, b) for a, b in zip(prepared, again, strict=True)]
    other = [compare(a, b) for a, b in zip(prepared[1:], again[:-1], strict=True)]
    assert sum(score > max(other) for score in mated) >= 10


def test_no_severity_changes_nothing_and_more_severity_more(gallery):
    template = gallery.template(3)
    same = impression(template, np.random.default_rng(2), 0.0)
    assert np.array_equal(np.sort(same.x), np.sort(template.x))
    own = prepare(template)
    scores = [
        np.mean(
            [
                compare(own, prepare(impression(template, np.random.default_rng(i), s)))
                for i in range(10)
            ]
        )
        for s in (0.5, 2.0)
    ]
    assert scores[0] > scores[1]
    with pytest.raises(InputError, match="severity"):
        impression(template, np.random.default_rng(2), -1.0)


def test_an_impression_is_a_valid_template_and_follows_from_its_generator(gallery):
    for i in range(40):
        template = gallery.template(i)
        made = impression(template, np.random.default_rng(i), 1.5)
        again = impression(template, np.random.default_rng(i), 1.5)
        assert _equal(made, again)
        assert made.x.dtype == np.int16
        assert made.angle_rad.dtype == np.float32
        assert np.all((made.x >= 0) & (made.x < made.width_px))
        assert np.all((made.y >= 0) & (made.y < made.height_px))
        assert np.all((made.angle_rad >= 0) & (made.angle_rad < np.float32(2 * np.pi)))
