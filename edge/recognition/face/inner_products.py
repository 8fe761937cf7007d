"""Inner products of a probe with all vectors of a gallery, and how far they are off.

Two engines. The integer one multiplies bytes, a quarter of the memory traffic of
float32, through onnxruntime's MatMulInteger. On processors without the VNNI
instructions its intermediate sums of two products saturate at 16 bits: whether it is
exact here is tried out once, first with probes of 8 bits, then of 7, which cannot
saturate. If neither is, or if the network cannot run, the float32 engine does the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge.errors import ModelError
from edge.recognition.face.coded_vectors import MOST_CODE, coded_probe, new_coded
from edge.recognition.onnx_session import OnnxSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from edge.recognition.face.coded_vectors import CodedVectors

# MatMulInteger(probe, gallery) = products as an ONNX model of operator set 13.
NETWORK = bytes.fromhex(
    "080712003a82010a290a0570726f62650a0767616c6c657279120870726f6475637473220d4d6174"
    "4d756c496e74656765721201675a180a0570726f6265120f0a0d080212090a0208010a031201645a"
    "1b0a0767616c6c65727912100a0e0803120a0a031201640a0312016e621b0a0870726f6475637473"
    "120f0a0d080612090a0208010a0312016e42040a00100d"
)
MOST_THREADS = 16
# The codes of a probe are these many steps around its zero: 8 and 7 bits.
_ZEROS = {"int8": 127, "int8, probes of 7 bits": 63}
_TRIED_LENGTHS, _TRIED_VECTORS = (3, 128, 256, 512), 448
_ROWS_AT_ONCE = 8192
_HALF_ULP = 2.0**-24


@dataclass(frozen=True, eq=False)
class Products:
    """A probe y with vectors x: x . y = unit * values, give or take what is bounded.

    values: float32 (n,). A product is off by at most per_length * lengths +
    per_error * errors, of CodedVectors.
    """

    values: NDArray[np.float32]
    unit: float
    per_length: float
    per_error: float


class ProductEngine(Protocol):
    """May be called from several threads."""

    @property
    def name(self) -> str: ...

    def products(
        self,
        vector: NDArray[np.float32],
        coded: CodedVectors,
        matrix: NDArray[np.float32],
    ) -> Products:
        """Return those of a vector (d,) with the rows of the matrix (n, d).

        coded: the same rows, and room for more.
        """
        ...


class Multiplication(Protocol):
    """A network that multiplies matrices of integers."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]: ...


class IntegerProducts:
    """zero: see coded_probe."""

    def __init__(self, session: Multiplication, name: str, zero: int) -> None:
        self._session = session
        self.name = name
        self._zero = zero

    def products(
        self,
        vector: NDArray[np.float32],
        coded: CodedVectors,
        matrix: NDArray[np.float32],
    ) -> Products:
        probe, count = coded_probe(vector, self._zero), len(matrix)
        inputs = {"probe": probe.codes, "gallery": coded.codes}
        exact = self._session.run(inputs)[0][0, :count]
        # The probe's codes are zero steps too high. In place: memory takes the time.
        exact -= self._shifts(coded.sums[:count])
        values = exact.astype(np.float32)
        values *= coded.scales[:count]
        # Made float32, times the scale: rounded twice, relative to |x| |y| at most.
        rounded = 4 * _HALF_ULP * (probe.length + probe.rest)
        return Products(values, probe.step, probe.rest + rounded, probe.length)

    def _shifts(self, sums: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return zero times the sums of codes; the sums are MOST_CODE times these."""
        return sums if self._zero == MOST_CODE else sums // MOST_CODE * self._zero


class FloatProducts:
    """float32 throughout, rounded as bounded by Higham, Accuracy and Stability, 3.1."""

    name = "float32"

    def products(
        self,
        vector: NDArray[np.float32],
        coded: CodedVectors,
        matrix: NDArray[np.float32],
    ) -> Products:
        del coded
        values = np.empty(len(matrix), np.float32)
        # One long call would keep other threads waiting.
        for first in range(0, len(matrix), _ROWS_AT_ONCE):
            part = matrix[first : first + _ROWS_AT_ONCE]
            np.matmul(part, vector, out=values[first : first + len(part)])
        length = float(np.linalg.norm(vector.astype(np.float64)))
        rounded = 1.01 * (len(vector) + 2) * _HALF_ULP
        return Products(values, 1.0, rounded * length, 0.0)


def is_exact(session: Multiplication, zero: int) -> bool:
    """Whether integer products come out right, of random vectors and of extreme ones.

    zero: the codes of probes are 0..2 zero.
    """
    try:
        return all(_is_exact(session, zero, length) for length in _TRIED_LENGTHS)
    except ModelError:
        return False


@lru_cache(maxsize=MOST_THREADS)
def product_engine(threads: int = 1) -> ProductEngine:
    """Return the fastest engine that is exact on this processor."""
    return chosen_engine(
        lambda: OnnxSession(Path("integer product"), threads, content=NETWORK)
    )


def chosen_engine(session: Callable[[], Multiplication]) -> ProductEngine:
    """Return the integer engine if the session's products are exact."""
    try:
        multiplication = session()
    except ModelError:
        return FloatProducts()
    for name, zero in _ZEROS.items():
        if is_exact(multiplication, zero):
            return IntegerProducts(multiplication, name, zero)
    return FloatProducts()


def _is_exact(session: Multiplication, zero: int, length: int) -> bool:
    rng = np.random.default_rng(length)
    room = new_coded(length, _TRIED_VECTORS)
    room.codes[...] = rng.integers(-MOST_CODE, MOST_CODE + 1, room.codes.shape)
    for place, extreme in enumerate((MOST_CODE, -MOST_CODE)):
        room.codes[:, 64 * place : 64 * place + 65] = extreme
    probes = rng.integers(0, 2 * zero + 1, (3, 1, length)).astype(np.uint8)
    probes[0] = 2 * zero
    return all(
        np.array_equal(
            session.run({"probe": probe, "gallery": room.codes})[0],
            probe.astype(np.int32) @ room.codes.astype(np.int32),
        )
        for probe in probes
    )
