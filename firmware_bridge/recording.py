"""Record the bytes of a session as JSON lines, and play them back.

The first line is {"format": "firmware-bridge-recording", "version": 1}; then one line
an event: {"at_s": seconds since the start, "event": "host" | "device" | "baud" |
"gone", "hex": bytes, "baud": rate}. Image content is masked (payload_mask), so that a
recording holds no biometrics.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from firmware_bridge.errors import DeviceAbsentError, ProtocolError, SettingsError
from firmware_bridge.payload_mask import PayloadMask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from firmware_bridge.byte_port import BytePort

FORMAT: Final = "firmware-bridge-recording"
VERSION: Final = 1
_MAX_LINE_CHARS: Final = 64 * 1024
_EVENTS: Final = frozenset({"host", "device", "baud", "gone"})


@dataclass(frozen=True)
class RecordedEvent:
    at_s: float
    event: str
    data: bytes = b""
    baud: int = 0


class Recorder:
    """Writes events to one file, across reconnections."""

    def __init__(self, sink: IO[str]) -> None:
        self._sink = sink
        self._started_s = time.monotonic()
        self._line({"format": FORMAT, "version": VERSION})

    def write(self, event: str, *, data: bytes = b"", baud: int = 0) -> None:
        at_s = round(time.monotonic() - self._started_s, 6)
        line: dict[str, Any] = {"at_s": at_s, "event": event}
        if data:
            line["hex"] = data.hex()
        if baud:
            line["baud"] = baud
        self._line(line)

    def _line(self, line: dict[str, Any]) -> None:
        self._sink.write(json.dumps(line) + "\n")
        self._sink.flush()


class RecordingPort:
    """A BytePort that notes what passes through another one."""

    def __init__(self, port: BytePort, recorder: Recorder) -> None:
        self._port = port
        self._recorder = recorder
        self._from_host = PayloadMask()
        self._from_device = PayloadMask()

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        try:
            data = self._port.read(max_bytes, timeout_s)
        except DeviceAbsentError:
            self._recorder.write("gone")
            raise
        if data:
            self._recorder.write("device", data=self._from_device.feed(data))
        return data

    def write(self, data: bytes) -> None:
        self._port.write(data)
        self._recorder.write("host", data=self._from_host.feed(data))

    def set_baud(self, baud: int) -> None:
        self._port.set_baud(baud)
        self._recorder.write("baud", baud=baud)

    def discard_input(self) -> None:
        self._port.discard_input()

    def close(self) -> None:
        self._port.close()


def load_recording(path: Path) -> list[RecordedEvent]:
    """Read a recording.

    Raises:
        SettingsError: the file cannot be read or is no recording of this version.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return parse_recording(iter(lambda: file.readline(_MAX_LINE_CHARS), ""))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"recording {path}: {error}") from error
    except SettingsError as error:
        raise SettingsError(f"recording {path}: {error}") from error


def parse_recording(lines: Iterable[str]) -> list[RecordedEvent]:
    """Return the events of the lines; raises SettingsError as load_recording does."""
    events: list[RecordedEvent] = []
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
            if number == 1:
                if (fields["format"], fields["version"]) != (FORMAT, VERSION):
                    raise ValueError(fields["version"])  # noqa: TRY301  one exit
                continue
            event = RecordedEvent(
                float(fields["at_s"]),
                str(fields["event"]),
                bytes.fromhex(fields.get("hex", "")),
                int(fields.get("baud", 0)),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SettingsError(
                f"line {number} is not of {FORMAT} version {VERSION}"
            ) from error
        if event.event not in _EVENTS:
            raise SettingsError(f"line {number}: unknown event {event.event[:20]!r}")
        events.append(event)
    return events


class ReplayPort:
    """A BytePort that plays the device's part of a recording.

    Device bytes come only after the host has written what it wrote then; time is not
    replayed. A host that writes something else meets a ProtocolError.
    """

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._events = [event for event in events if event.event != "baud"]
        self._next = 0
        self._unread = b""

    @property
    def is_finished(self) -> bool:
        return self._next >= len(self._events) and not self._unread

    def read(self, max_bytes: int, timeout_s: float) -> bytes:  # noqa: ARG002  no time
        if not self._unread and self._next < len(self._events):
            event = self._events[self._next]
            if event.event == "gone":
                self._next += 1
                raise DeviceAbsentError("replay: the device went away here")
            if event.event == "device":
                self._next += 1
                self._unread = event.data
        data, self._unread = self._unread[:max_bytes], self._unread[max_bytes:]
        return data

    def write(self, data: bytes) -> None:
        while (
            self._next < len(self._events)
            and self._events[self._next].event == "device"
        ):
            # The host discarded what it had not read.
            self._next += 1
        self._unread = b""
        if self._next >= len(self._events):
            raise DeviceAbsentError("replay: the recording ends here")
        expected = self._events[self._next].data
        if data != expected:
            raise ProtocolError(
                f"replay: event {self._next}: host wrote {data.hex()}, recorded was "
                f"{expected.hex()}"
            )
        self._next += 1

    def set_baud(self, baud: int) -> None:
        """Replayed bytes have no rate."""

    def discard_input(self) -> None:
        self._unread = b""

    def close(self) -> None:
        """Nothing is held."""
