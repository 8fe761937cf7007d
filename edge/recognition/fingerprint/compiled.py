"""Compilation by numba, and where compiled code is kept.

Site-packages may be read-only on an appliance: compiled code goes to $NUMBA_CACHE_DIR,
else into systemd's cache folder; without either, numba writes beside the module or
below the user's home.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., object]")


def compiled(function: Function) -> Function:
    """Compile on first call, keep the result on disk, let other threads run."""
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # No folder can be written: compiling again at each start is all that is left.
        made = numba.njit(nogil=True)(function)
    return cast("Function", made)


def _use_granted_folder() -> None:
    granted = os.environ.get("CACHE_DIRECTORY")
    if granted and not os.environ.get("NUMBA_CACHE_DIR"):
        folder = Path(granted.split(":", maxsplit=1)[0]) / "numba"
        numba.config.CACHE_DIR = str(folder)


# Must be settled before the first cached function is declared.
_use_granted_folder()
