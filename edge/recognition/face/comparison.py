"""Similarity of two face templates: a falling function of the Euclidean distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.terms import FaceTemplate


def similarity(first: FaceTemplate, second: FaceTemplate) -> float:
    """Return 1 / (1 + distance): 1 for equal vectors, towards 0 for distant ones.

    Raises:
        InputError: the templates are of different models or lengths, or hold a number
            that is not finite.
    """
    require_comparable(first, second)
    difference = first.vector.astype(np.float64) - second.vector
    return float(similarity_of_distance(np.linalg.norm(difference)))


def similarity_matrix(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the similarity of each of the vectors (n, d) with each, (n, n)."""
    exact = vectors.astype(np.float64)
    squares = np.einsum("ij,ij->i", exact, exact)
    squared = squares[:, None] + squares - 2 * (exact @ exact.T)
    return similarity_of_distance(np.sqrt(np.maximum(squared, 0)))


def similarity_of_distance(
    distance: NDArray[np.floating] | np.floating | float,
) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.asarray(distance, np.float64)))


def distance_of_similarity(score: float) -> float:
    """Return the distance that stands for a similarity; infinite for none."""
    return max(0.0, 1.0 / score - 1.0) if score > 0 else math.inf


def require_comparable(first: FaceTemplate, second: FaceTemplate) -> None:
    """Refuse a comparison that would mean nothing; raises InputError."""
    if first.model_id != second.model_id:
        raise InputError(
            f"face templates of models {first.model_id} and {second.model_id} "
            "cannot be compared; enrol again with one model"
        )
    if first.vector.shape != second.vector.shape or first.vector.ndim != 1:
        raise InputError(
            f"face templates of shapes {first.vector.shape} and "
            f"{second.vector.shape} cannot be compared"
        )
    if not (np.isfinite(first.vector).all() and np.isfinite(second.vector).all()):
        raise InputError("face template: it holds a number that is not finite")
