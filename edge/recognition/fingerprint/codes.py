"""A 64-bit code for each minutia: its descriptor, small enough to search them all.

Each bit is the sign of a weighted sum of the descriptor's bits. The directions keep
what differs between fingers and drop what differs between impressions of one (linear
discriminants), turned so that signs lose little (Gong and Lazebnik: "Iterative
Quantization", CVPR 2011); see codes_training. The Hamming distance of two codes then
follows the distance of the descriptors.
"""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.errors import ModelError
from edge.recognition.fingerprint.compiled import kernel, ones
from edge.recognition.fingerprint.cylinders import (
    LAYERS,
    SEEN,
    SIDE_CELLS,
    Print,
    derive,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE = "codes.npz"
PLACES = SIDE_CELLS * SIDE_CELLS
BITS = 64
_ONE = np.uint64(1)
# What reading a damaged archive ends in.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError)


class Projection(NamedTuple):
    """What a code is made with.

    weights: float32 (LAYERS * PLACES, BITS). expected: float32 (PLACES, BITS), what a
    seen place adds on average. offset: float32 (BITS,).
    """

    weights: NDArray[np.float32]
    expected: NDArray[np.float32]
    offset: NDArray[np.float32]


def projection(
    weights: NDArray[np.float32],
    share_set: NDArray[np.float32],
    offset: NDArray[np.float32],
) -> Projection:
    """Return what the kernel needs.

    share_set: (LAYERS * PLACES,), how often each bit of a descriptor is set.
    """
    expected = (weights * share_set[:, None]).reshape(LAYERS, PLACES, BITS).sum(axis=0)
    return Projection(
        np.ascontiguousarray(weights, np.float32),
        np.ascontiguousarray(expected, np.float32),
        np.ascontiguousarray(offset, np.float32),
    )


@functools.cache
def committed() -> Projection:
    """Return the projection that belongs to these descriptors.

    Raises:
        ModelError: the table in the package is missing or damaged.
    """
    try:
        data = resources.files(__package__).joinpath(TABLE).read_bytes()
        _require_whole(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as table:
            weights = table["weights"].astype(np.float32) * table["scale"]
            offset = _shaped(table["offset"], (BITS,))
            return projection(
                _shaped(weights, (LAYERS * PLACES, BITS)), table["share_set"], offset
            )
    except (*_DAMAGED, OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"fingerprint codes {TABLE}: missing or damaged; reinstall edge"
        ) from error


def _require_whole(data: bytes) -> None:
    """Check every array's checksum: numpy parses what it reads before its end."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(damaged)


def _shaped(array: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the array; no kernel looks whether it is long enough."""
    if array.shape != shape:
        raise ValueError(array.shape)
    return array


@kernel
def encode(
    packed: NDArray[np.uint16],
    projection: Projection,
    scratch: Print,
    place: NDArray[np.int32],
    sums: NDArray[np.float32],
    codes: NDArray[np.uint64],
) -> None:
    """Fill codes (n,) of the packed minutiae (n, WORDS); sums: workspace (BITS,)."""
    count = len(packed)
    derive(packed, count, scratch, place)
    for i in range(count):
        _project(scratch, i, projection, sums)
        code = np.uint64(0)
        for b in range(BITS):
            code |= np.uint64(sums[b] > 0) << np.uint64(b)
        codes[i] = code


@kernel
def _project(
    scratch: Print, i: int, projection: Projection, sums: NDArray[np.float32]
) -> None:
    """Fill sums with the projected descriptor of minutia i: only set bits count."""
    for b in range(BITS):
        sums[b] = -projection.offset[b]
    seen = scratch.words[SEEN, i]
    for cell in range(PLACES):
        if (seen >> np.uint64(cell)) & _ONE:
            for b in range(BITS):
                sums[b] -= projection.expected[cell, b]
    for layer in range(LAYERS):
        word = scratch.words[layer, i] & seen
        while word:
            lowest = word & (~word + _ONE)
            at = layer * PLACES + np.int64(ones(lowest - _ONE))
            word ^= lowest
            for b in range(BITS):
                sums[b] += projection.weights[at, b]
