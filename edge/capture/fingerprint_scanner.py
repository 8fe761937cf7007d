"""The fingerprint scanner behind firmware-bridge.

Implements FingerprintCapture and FingerPresence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.errors import (
    CaptureCancelledError,
    CaptureError,
    CaptureTimeoutError,
    DeviceAbsentError,
)
from edge.terms import FingerInstruction, FingerprintSample
from firmware_bridge import errors as bridge
from firmware_bridge.device_client import DeviceClient
from firmware_bridge.terms import CaptureStage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from edge.clock import Clock
    from edge.terms import FingerPosition
    from firmware_bridge.terms import ImageRows

ASKED = {
    CaptureStage.LIFT: FingerInstruction.LIFT_FINGER,
    CaptureStage.FINGER: FingerInstruction.PLACE_FINGER,
    CaptureStage.TRANSFER: FingerInstruction.HOLD_STILL,
}
ABSENT = (bridge.DeviceAbsentError, bridge.ServerUnreachableError)


class BridgedFingerprintCapture:
    """Connects anew for each capture, so that the bridge may restart at any time."""

    def __init__(self, socket_path: Path, clock: Clock) -> None:
        self._socket_path = socket_path
        self._clock = clock

    def capture(
        self,
        position: FingerPosition,
        *,
        timeout_s: float,
        on_progress: Callable[[float], None] | None = None,
        on_rows: Callable[[NDArray[np.uint8], int], None] | None = None,
        on_instruction: Callable[[FingerInstruction], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> FingerprintSample:
        def on_stage(stage: CaptureStage) -> None:
            if on_instruction is not None and stage in ASKED:
                on_instruction(ASKED[stage])

        try:
            with DeviceClient(self._socket_path) as client:
                captured = client.capture(
                    timeout_s=timeout_s,
                    position=int(position),
                    on_progress=on_progress,
                    on_stage=on_stage,
                    on_rows=None if on_rows is None else _Picture(on_rows).add,
                    is_cancelled=is_cancelled,
                )
        except bridge.ScannerError as error:
            raise _ours(error) from error
        return FingerprintSample(
            image=captured.image,
            resolution_ppi=captured.resolution_ppi,
            position=position,
            captured_at=self._clock.now(),
        )

    def wait_for_finger(
        self, *, timeout_s: float, is_cancelled: Callable[[], bool]
    ) -> None:
        try:
            with DeviceClient(self._socket_path) as client:
                client.wait_for_finger(timeout_s=timeout_s, is_cancelled=is_cancelled)
        except bridge.ScannerError as error:
            raise _ours(error) from error

    def state(self) -> str:
        """Return the bridge's word on the scanner, or "unreachable"."""
        try:
            with DeviceClient(self._socket_path) as client:
                return str(client.status().state)
        except bridge.ScannerError:
            return "unreachable"


class _Picture:
    """Puts the rows together and shows all that there are."""

    def __init__(self, show: Callable[[NDArray[np.uint8], int], None]) -> None:
        self._show = show
        self._pixels = np.zeros((0, 0), np.uint8)

    def add(self, part: ImageRows) -> None:
        extent = (part.height, part.rows.shape[1])
        if self._pixels.shape != extent:
            self._pixels = np.zeros(extent, np.uint8)
        end = part.first + len(part.rows)
        self._pixels[part.first : end] = part.rows
        # A copy: who looks at it may take longer than the next rows.
        self._show(self._pixels[:end].copy(), part.height)


def _ours(error: bridge.ScannerError) -> CaptureError:
    message = f"fingerprint scanner: {error}"
    if isinstance(error, bridge.CaptureTimeoutError):
        return CaptureTimeoutError(message)
    if isinstance(error, bridge.CaptureCancelledError):
        return CaptureCancelledError(message)
    if isinstance(error, ABSENT):
        return DeviceAbsentError(message)
    return CaptureError(message)
