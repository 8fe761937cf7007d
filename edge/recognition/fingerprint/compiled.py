"""Compilation by numba, and where compiled code is kept.

Site-packages may be read-only on an appliance: compiled code goes to $NUMBA_CACHE_DIR,
else beside the models, in systemd's cache folder or the user's, where the services keep
it too: nothing is compiled twice. A subfolder named after the sources holds it, because
numba looks only at the file of the function that is called, not at those of the
functions that it calls.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
from llvmlite import ir
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., object]")

# Sums may be reordered for wide registers; the same input still gives the same output
# on a machine. No kernel is given, or makes, a NaN.
_FAST = True


def compiled(function: Function) -> Function:
    """Compile on first call, keep the result on disk, let other threads run."""
    return _made(function, cache=True)


def kernel(function: Function) -> Function:
    """Compile as `compiled` does, for code that makes no arrays.

    Arrays that are handed over are then not counted: counting takes instructions that
    halt the processor's others, a tenth of the time of a comparison.
    """
    return _made(function, cache=True, _nrt=False)


def inlined(function: Function) -> Function:
    """Compile into each kernel that calls it."""
    made = numba.njit(
        inline="always", _nrt=False, nogil=True, fastmath=_FAST, error_model="numpy"
    )(function)
    return cast("Function", made)


@intrinsic  # type: ignore[untyped-decorator]
def ones(_typing_context: Any, _word: Any) -> Any:  # noqa: ANN401  numba's own types
    """Count the bits of a uint64: one instruction, in wide registers too."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:  # noqa: ANN401
        return builder.ctpop(values[0])

    return numba.types.uint64(numba.types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def trailing_zeros(_typing_context: Any, _word: Any) -> Any:  # noqa: ANN401  numba's own
    """Return the place of the lowest bit set of a uint64 that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:  # noqa: ANN401
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return numba.types.uint64(numba.types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def not_negative(_typing_context: Any, numbers: Any, _first: Any) -> Any:  # noqa: ANN401
    """Return a bit, in a uint64, for each of 8 int32 of an array that is 0 or more."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        array = context.make_array(signature.args[0])(context, builder, values[0])
        eight = ir.VectorType(ir.IntType(32), 8)
        start = builder.gep(array.data, [values[1]])
        held = builder.load(builder.bitcast(start, eight.as_pointer()), align=4)
        is_one = builder.icmp_signed(">=", held, ir.Constant(eight, [0] * 8))
        byte = builder.bitcast(is_one, ir.IntType(8))
        return builder.zext(byte, ir.IntType(64))

    return numba.types.uint64(numbers, numba.types.int64), generate


def _made(function: Function, **options: bool) -> Function:
    options |= {"nogil": True, "fastmath": _FAST}
    try:
        made = numba.njit(error_model="numpy", **options)(function)
    except RuntimeError:
        # No folder can be written: compiling again at each start is all that is left.
        made = numba.njit(error_model="numpy", **(options | {"cache": False}))(function)
    return cast("Function", made)


def _use_folder_of_these_sources() -> None:
    given = os.environ.get("NUMBA_CACHE_DIR")
    granted = os.environ.get("CACHE_DIRECTORY")
    if given:
        folder = Path(given)
    elif granted:
        folder = Path(granted.split(":", maxsplit=1)[0]) / "models" / "kernels"
    else:
        users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = users / "edge-checkpoint" / "models" / "kernels"
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    numba.config.CACHE_DIR = str(folder / digest.hexdigest()[:16])


# Must be settled before the first cached function is declared.
_use_folder_of_these_sources()
