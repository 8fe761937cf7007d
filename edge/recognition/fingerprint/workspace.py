"""Where in memory the workspaces of the kernels lie.

Where two arrays lie so near that a wide register could reach from one into the other, a
compiled loop goes element by element, and sums come out in another order. With arrays
at a distance a score depends on the two prints alone, whatever thread compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Workspace = TypeVar("Workspace", bound=tuple[Any, ...])

# Several of the widest registers; a power of two.
DISTANCE_BYTES = 512


def apart(workspace: Workspace) -> Workspace:
    """Return a copy of a named tuple of arrays, or of such tuples, at a distance."""
    copies = (
        apart(item) if isinstance(item, tuple) else _copied(item) for item in workspace
    )
    return type(workspace)(*copies)


def _copied(array: NDArray[Any]) -> NDArray[Any]:
    room = np.zeros(array.nbytes + 2 * DISTANCE_BYTES, np.uint8)
    start = DISTANCE_BYTES - room.ctypes.data % DISTANCE_BYTES
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
