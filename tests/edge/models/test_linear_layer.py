"""Linear layers multiplied out, against doing them one after the other."""

from __future__ import annotations

import numpy as np

from edge.models.linear_layer import (
    LinearLayer,
    before_doubling,
    block_diagonal,
    centring,
    side_by_side,
    stacked,
)

RNG = np.random.default_rng(5)


def _layer(outputs: int, inputs: int) -> LinearLayer:
    return LinearLayer(RNG.normal(size=(outputs, inputs)), RNG.normal(size=outputs))


def _apply(layer: LinearLayer, data):
    return layer.matrix @ data + layer.shift


def test_one_layer_does_what_two_did():
    first, second, data = _layer(7, 5), _layer(3, 7), RNG.normal(size=5)
    expected = _apply(second, _apply(first, data))
    np.testing.assert_allclose(_apply(second.after(first), data), expected)


def test_scaling_moves_into_the_layer():
    layer, data = _layer(3, 4), RNG.normal(size=4)
    scale, shift = RNG.normal(size=4), RNG.normal(size=4)
    expected = _apply(layer, data * scale + shift)
    np.testing.assert_allclose(_apply(layer.scaled(scale, shift), data), expected)


def test_reordered_and_padded_channels_give_the_same():
    layer, data = _layer(3, 4), RNG.normal(size=4)
    order = np.array([2, 3, 0, 1])
    stored = np.concatenate([data[order], np.zeros(3)])
    found = _apply(layer.reading(order, 7).writing(5), stored)
    np.testing.assert_allclose(found[:3], _apply(layer, data))
    assert not found[3:].any()


def test_centring_leaves_a_mean_of_zero():
    data = RNG.normal(size=6)
    np.testing.assert_allclose(_apply(centring(6), data), data - data.mean())


def test_layers_join_by_input_or_by_output():
    a, b, data = _layer(2, 3), _layer(4, 3), RNG.normal(size=3)
    both = np.concatenate([_apply(a, data), _apply(b, data)])
    np.testing.assert_allclose(_apply(stacked([a, b]), data), both)
    doubled = np.concatenate([data, data])
    np.testing.assert_allclose(_apply(side_by_side([a, b]), doubled), both)


def test_blocks_stand_on_the_diagonal():
    found = block_diagonal([np.ones((1, 2)), np.full((2, 1), 3.0)])
    np.testing.assert_array_equal(found, [[1, 1, 0], [0, 0, 3], [0, 0, 3]])


def test_a_convolution_before_enlarging_equals_one_after():
    kernel, small = RNG.normal(size=(1, 1, 5, 5)), RNG.normal(size=(6, 7))
    large = np.pad(small.repeat(2, axis=0).repeat(2, axis=1), 2)
    windows = np.lib.stride_tricks.sliding_window_view(large, (5, 5))
    expected = (windows * kernel[0, 0]).sum(axis=(2, 3))

    padded = np.lib.stride_tricks.sliding_window_view(np.pad(small, 1), (3, 3))
    parts = np.einsum("yxab,pab->pyx", padded, before_doubling(kernel)[:, 0])
    found = parts.reshape(2, 2, 6, 7).transpose(2, 0, 3, 1).reshape(12, 14)
    np.testing.assert_allclose(found, expected)
