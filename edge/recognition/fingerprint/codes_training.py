"""Learn the projection of descriptors to codes anew, on folders of prints.

    python -m edge.recognition.fingerprint.codes_training --model leader.onnx DIR...
        [--out codes.npz]

A folder holds the impressions of one set, 500 ppi, named <finger>_<impression>.png.
Minutiae that correspond in mated pairs tell what differs between impressions; all
minutiae tell what differs between places of fingers.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.errors import EdgeError, InputError
from edge.recognition.fingerprint.codes import BITS, PLACES
from edge.recognition.fingerprint.comparison import Prepared, correspondences, prepare
from edge.recognition.fingerprint.cylinders import (
    CAPACITY,
    LAYERS,
    SEEN,
    derive,
    empty_print,
)
from edge.recognition.fingerprint.engine import FingerprintEngine
from edge.recognition.fingerprint.training_set import TrainingPrint, read_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Correspondences of fewer minutiae may be wrong.
_FEWEST_CORRESPONDING = 8
# What is added to the variance within a finger, as shares of the mean variances.
_RIDGE = 0.02
_ROTATIONS = 40


class Descriptors(NamedTuple):
    """bits, seen: float64 (n, LAYERS * PLACES), 0 or 1."""

    bits: Floats
    seen: Floats


def descriptors_of(prepared: Prepared) -> Descriptors:
    mine, place = empty_print(), np.zeros(CAPACITY, np.int32)
    count = len(prepared)
    derive(prepared.packed, count, mine, place)
    powers = np.arange(PLACES, dtype=np.uint64)
    unpacked = (mine.words[:, :count, None] >> powers) & np.uint64(1)
    seen = unpacked[SEEN].astype(np.float64)
    bits = unpacked[:LAYERS].transpose(1, 0, 2).reshape(count, LAYERS * PLACES)
    return Descriptors(bits.astype(np.float64), np.tile(seen, LAYERS))


def learn(prints: list[TrainingPrint]) -> dict[str, NDArray[np.generic]]:
    """Return the table: weights int8 (384, BITS), scale, share_set, offset.

    Raises:
        InputError: no two prints are of one finger, or none of these correspond.
    """
    prepared = [prepare(item.template) for item in prints]
    descriptors = [descriptors_of(item) for item in prepared]
    bits = np.concatenate([item.bits for item in descriptors])
    seen = np.concatenate([item.seen for item in descriptors])
    share_set = (bits * seen).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    centred = [(item.bits - share_set) * item.seen for item in descriptors]
    everything = np.concatenate(centred)
    within = _differences(prints, prepared, centred)
    directions = _discriminants(everything, within)
    weights = directions @ _rotation(everything @ directions)
    scale = np.abs(weights).max() / 127
    whole = np.rint(weights / scale).astype(np.int8)
    offset = np.median(everything @ (whole * scale), axis=0)
    return {
        "weights": whole,
        "scale": np.float32(scale),
        "share_set": share_set.astype(np.float32),
        "offset": offset.astype(np.float32),
    }


def _differences(
    prints: list[TrainingPrint], prepared: list[Prepared], centred: list[Floats]
) -> Floats:
    """Return differences of descriptors of corresponding minutiae, (k, 384)."""
    rows = []
    for i, j in itertools.combinations(range(len(prints)), 2):
        a, b = prints[i], prints[j]
        if (a.set_name, a.finger) != (b.set_name, b.finger):
            continue
        pairs = correspondences(prepared[i], prepared[j])
        if len(pairs) >= _FEWEST_CORRESPONDING:
            first, second = np.array(pairs).T
            rows.append(centred[i][first] - centred[j][second])
    if not rows:
        raise InputError("no mated pairs; name files <finger>_<impression>.png")
    return np.concatenate(rows)


def _discriminants(everything: Floats, within: Floats) -> Floats:
    """Return (384, BITS): directions that differ most between places of fingers."""
    total = everything.T @ everything / len(everything)
    same = within.T @ within / len(within) / 2
    size = len(total)
    even = _RIDGE * (np.trace(same) + np.trace(total)) / size
    root = np.linalg.inv(np.linalg.cholesky(same + even * np.eye(size)))
    _, vectors = np.linalg.eigh(root @ total @ root.T)
    directions = root.T @ vectors[:, ::-1][:, :BITS]
    scaled: Floats = directions / (everything @ directions).std(axis=0)
    return scaled


def _rotation(projected: Floats) -> Floats:
    """Return (BITS, BITS): the rotation after which signs lose least."""
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(BITS, BITS)))
    for _ in range(_ROTATIONS):
        signs = np.sign(projected @ rotation)
        left, _, right = np.linalg.svd(signs.T @ projected)
        rotation = (left @ right).T
    return rotation


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn the codes of minutiae.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    engine = FingerprintEngine(given.model, given.threads)
    table = learn(read_sets(engine, given.folders))
    with given.out.open("wb") as file:
        np.savez_compressed(file, **table)  # type: ignore[arg-type]  # names of arrays
    sys.stdout.write(f"{given.out}: {given.out.stat().st_size} bytes\n")


if __name__ == "__main__":
    try:
        main()
    except EdgeError as problem:
        sys.exit(f"codes_training: {problem}")
