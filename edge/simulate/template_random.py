"""Random numbers inside compiled code: one stream for each template.

A stream depends on nothing but its seed, so templates may be made in any order and by
any number of threads. SplitMix64 after G. Steele, D. Lea, C. Flood: "Fast splittable
pseudorandom number generators" (OOPSLA 2014).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.recognition.fingerprint.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    State = NDArray[np.uint64]  # (1,), changed by every draw

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31 = (np.uint64(bits) for bits in (11, 27, 30, 31))
_TO_UNIT = 2.0**-53


@compiled
def _mixed(word: Any) -> Any:  # noqa: ANN401  compiled; uint64 in and out
    word = (word ^ (word >> _S30)) * _MIX_1
    word = (word ^ (word >> _S27)) * _MIX_2
    return word ^ (word >> _S31)


@compiled
def seeded(state: State, seed: Any, index: Any) -> None:  # noqa: ANN401  compiled
    """Begin the stream of template index; seed: uint64, index: any integer."""
    state[0] = _mixed(seed + _STEP) ^ _mixed(np.uint64(index) * _STEP + _MIX_1)


@compiled
def uniform(state: State) -> float:
    """Return a number from 0, to but not including 1."""
    state[0] += _STEP
    return float(_mixed(state[0]) >> _S11) * _TO_UNIT


@compiled
def between(state: State, low: float, high: float) -> float:
    return low + (high - low) * uniform(state)


@compiled
def normal(state: State) -> float:
    """Return a number of the standard normal distribution (Box and Muller, 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(state)))
    return radius * math.cos(2.0 * math.pi * uniform(state))
