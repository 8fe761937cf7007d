"""Algebra of linear network layers, so that a graph computes fewer of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Numbers = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearLayer:
    """A 1x1 convolution: matrix @ channels + shift.

    matrix: float64 (outputs, inputs). shift: float64 (outputs,).
    """

    matrix: Doubles
    shift: Doubles

    def after(self, first: LinearLayer) -> LinearLayer:
        """Return the one layer that does first, then this."""
        shift = self.matrix @ first.shift + self.shift
        return LinearLayer(self.matrix @ first.matrix, shift)

    def scaled(self, scale: Numbers, shift: Numbers) -> LinearLayer:
        """Return the layer that first scales and shifts its inputs."""
        return self.after(
            LinearLayer(np.diag(scale).astype(np.float64), shift.astype(np.float64))
        )

    def reading(self, order: NDArray[np.int64], width: int) -> LinearLayer:
        """Return the layer for inputs stored in another order, zeros behind them.

        order: the input channel in each place. width: all channels, zeros included.
        """
        matrix = np.zeros((len(self.matrix), width))
        matrix[:, : len(order)] = self.matrix[:, order]
        return LinearLayer(matrix, self.shift)

    def writing(self, width: int) -> LinearLayer:
        """Return the layer with outputs of zeros appended, width in all."""
        extra = width - len(self.matrix)
        matrix = np.pad(self.matrix, ((0, extra), (0, 0)))
        return LinearLayer(matrix, np.pad(self.shift, (0, extra)))


def centring(channels: int) -> LinearLayer:
    """Return the layer that takes the channels' mean away from each."""
    matrix = np.eye(channels) - 1.0 / channels
    return LinearLayer(matrix, np.zeros(channels))


def side_by_side(layers: Sequence[LinearLayer]) -> LinearLayer:
    """Return one layer for the concatenated inputs and outputs of all."""
    matrix = block_diagonal([layer.matrix for layer in layers])
    return LinearLayer(matrix, np.concatenate([layer.shift for layer in layers]))


def stacked(layers: Sequence[LinearLayer]) -> LinearLayer:
    """Return one layer of the concatenated outputs of layers with the same input."""
    matrix = np.concatenate([layer.matrix for layer in layers])
    return LinearLayer(matrix, np.concatenate([layer.shift for layer in layers]))


def block_diagonal(blocks: Sequence[Numbers]) -> Doubles:
    """blocks: (outputs, inputs, ...), equal in what follows; zeros elsewhere."""
    outputs, inputs = (sum(block.shape[axis] for block in blocks) for axis in (0, 1))
    whole = np.zeros((outputs, inputs, *blocks[0].shape[2:]))
    row = column = 0
    for block in blocks:
        whole[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return whole


def before_doubling(kernel: Doubles) -> Doubles:
    """Return a kernel for the small image in place of kernel for the doubled one.

    kernel: (outputs, inputs, 5, 5), convolved with an image enlarged twofold by its
    nearest pixel. Result: (4 * outputs, inputs, 3, 3); outputs 4 c to 4 c + 3 are the
    four pixels, row by row, that channel c has for each pixel of the small image
    (DepthToSpace, mode CRD). Of every 25 products with equal pixels 9 remain.
    """
    # places[p, s, t]: whether tap t of the large kernel, at the pixel of parity p,
    # reads the small image at offset s - 1.
    places = np.zeros((2, 3, 5))
    for parity in range(2):
        for tap in range(5):
            places[parity, (parity + tap - 2) // 2 + 1, tap] = 1
    small = np.asarray(np.einsum("ocyx,pay,qbx->opqcab", kernel, places, places))
    return small.reshape(4 * kernel.shape[0], kernel.shape[1], 3, 3)
