"""The fingerprint scanner behind firmware-bridge. Implements FingerprintCapture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import CaptureError, CaptureTimeoutError, DeviceAbsentError
from edge.terms import FingerprintSample
from firmware_bridge import errors as bridge
from firmware_bridge.device_client import DeviceClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.clock import Clock
    from edge.terms import FingerPosition

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
    ) -> FingerprintSample:
        try:
            with DeviceClient(self._socket_path) as client:
                captured = client.capture(
                    timeout_s=timeout_s, position=int(position), on_progress=on_progress
                )
        except bridge.ScannerError as error:
            raise _ours(error) from error
        return FingerprintSample(
            image=captured.image,
            resolution_ppi=captured.resolution_ppi,
            position=position,
            captured_at=self._clock.now(),
        )

    def state(self) -> str:
        """Return the bridge's word on the scanner, or "unreachable"."""
        try:
            with DeviceClient(self._socket_path) as client:
                return str(client.status().state)
        except bridge.ScannerError:
            return "unreachable"


def _ours(error: bridge.ScannerError) -> CaptureError:
    message = f"fingerprint scanner: {error}"
    if isinstance(error, bridge.CaptureTimeoutError):
        return CaptureTimeoutError(message)
    if isinstance(error, ABSENT):
        return DeviceAbsentError(message)
    return CaptureError(message)
