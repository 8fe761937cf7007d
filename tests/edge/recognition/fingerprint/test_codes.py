"""Codes of minutiae for the first stage of a search."""

from __future__ import annotations

import io

import numpy as np
import pytest

from edge.errors import ModelError
from edge.recognition.fingerprint import codes
from edge.recognition.fingerprint.codes import BITS, PLACES, committed, projection
from edge.recognition.fingerprint.cylinders import LAYERS
from edge.recognition.fingerprint.packed import pack
from edge.recognition.fingerprint.shortlist import codes_of, new_vote


@pytest.fixture(scope="module")
def coded():
    vote = new_vote()
    return lambda template: codes_of(pack(template), vote)


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Let the package's table have another content; None for no table."""

    def install(content: bytes | None) -> None:
        if content is not None:
            (tmp_path / codes.TABLE).write_bytes(content)
        monkeypatch.setattr(codes.resources, "files", lambda _: tmp_path)
        committed.cache_clear()

    yield install
    committed.cache_clear()


def _table(**changed) -> bytes:
    arrays = {
        "weights": np.ones((LAYERS * PLACES, BITS), np.int8),
        "scale": np.float32(0.5),
        "share_set": np.full(LAYERS * PLACES, 0.25, np.float32),
        "offset": np.zeros(BITS, np.float32),
    } | changed
    kept = {name: array for name, array in arrays.items() if array is not None}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept)
    return buffer.getvalue()


def _distance(first, second):
    differ = (np.asarray(first) ^ np.asarray(second)).view(np.uint8)
    return np.unpackbits(differ.reshape(-1, 8), axis=1).sum(axis=1)


def test_codes_stay_when_the_finger_is_shifted(gallery, coded):
    for template in gallery[:5]:
        words = pack(template)
        words[:, 0] += 77
        words[:, 1] += 31
        assert (codes_of(words, new_vote()) == coded(template)).all()


@pytest.mark.parametrize("angle_deg", [45, 180, 300])
def test_codes_hardly_change_when_the_finger_is_turned(
    gallery, turned, coded, angle_deg
):
    found = []
    for template in gallery[:20]:
        other = turned(template, np.deg2rad(angle_deg), (5, 60))
        found += _distance(coded(template), coded(other)).tolist()
    assert np.mean(found) < BITS / 8


def test_codes_of_one_place_are_nearer_than_those_of_others(gallery, coded):
    rng = np.random.default_rng(8)
    same, other = [], []
    for template in gallery[:20]:
        words = pack(template)
        # Minutiae found again a pixel or two off.
        words[:, :2] += rng.integers(0, 3, (len(words), 2)).astype(np.uint16)
        jittered = codes_of(words, new_vote())
        plain = coded(template)
        same += _distance(plain, jittered).tolist()
        other += _distance(plain, np.roll(plain, 1)).tolist()
    assert np.mean(same) < BITS / 5
    assert np.mean(other) > BITS / 3
    assert np.median(same) < np.percentile(other, 1)


def test_each_bit_is_set_about_as_often_as_not(gallery, coded):
    everything = np.concatenate([coded(template) for template in gallery])
    share = np.unpackbits(everything.view(np.uint8)).reshape(-1, BITS).mean(axis=0)
    assert share.min() > 0.15
    assert share.max() < 0.85


def test_the_code_is_the_sign_of_the_projected_descriptor(gallery, derived):
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(LAYERS * PLACES, BITS)).astype(np.float32)
    share_set = rng.uniform(0, 0.3, LAYERS * PLACES).astype(np.float32)
    offset = rng.normal(size=BITS).astype(np.float32)
    packed = pack(gallery[0])
    made = codes_of(packed, new_vote(projection(weights, share_set, offset)))
    words = derived(packed).words[:, : len(packed), None]
    bits = (words >> np.arange(PLACES, dtype=np.uint64)) & np.uint64(1)
    flat = bits[:LAYERS].transpose(1, 0, 2).reshape(len(packed), -1).astype(float)
    seen = np.tile(bits[LAYERS].astype(float), LAYERS)
    sums = ((flat - share_set) * seen) @ weights.astype(float) - offset
    found = (made[:, None] >> np.arange(BITS, dtype=np.uint64)) & np.uint64(1)
    is_plain = np.abs(sums) > 1e-3
    assert ((sums > 0) == found.astype(bool))[is_plain].all()


def test_a_template_without_minutiae_has_no_codes(template_of, coded):
    assert coded(template_of([], [], [])).shape == (0,)


def test_a_table_of_the_right_kind_is_read(installed):
    installed(_table())
    found = committed()
    assert (found.weights == 0.5).all()
    assert found.expected.shape == (PLACES, BITS)
    assert found.expected == pytest.approx(LAYERS * 0.5 * 0.25)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"no archive",
        _table()[:200],
        _table()[:-30],
        _table(offset=None),
        _table(weights=np.ones((3, BITS), np.int8)),
        _table(share_set=np.ones(5, np.float32)),
        _table(offset=np.zeros(BITS - 1, np.float32)),
        _table(weights=np.array([["text"]])),
    ],
)
def test_a_damaged_table_is_a_model_error(installed, content):
    installed(content)
    with pytest.raises(ModelError, match=r"codes\.npz: missing or damaged"):
        committed()


def test_no_flipped_byte_ends_in_another_error(installed):
    whole = _table()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        content[rng.integers(len(content))] ^= int(rng.integers(1, 256))
        installed(bytes(content))
        try:
            committed()
        except ModelError:
            refused += 1
    assert refused > 75
