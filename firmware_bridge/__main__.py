"""firmware-bridge: serve a scanner, emulate one, or show a recording.

Logs are JSON lines on stdout. Exit status: 0 a clean end, 2 an error that the last
line names.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_bridge.commands import decode_command
from firmware_bridge.device_server import DeviceServer
from firmware_bridge.device_session import SessionSettings
from firmware_bridge.emulator import ScannerEmulator
from firmware_bridge.errors import ProtocolError, ScannerError
from firmware_bridge.framing import Frame, FrameDecoder, PacketId
from firmware_bridge.json_log import JsonLog
from firmware_bridge.notify import notify, watchdog_interval_s
from firmware_bridge.peer_access import AccessRights
from firmware_bridge.recording import Recorder, RecordingPort, load_recording
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.terms import ScannerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firmware_bridge.byte_port import BytePort

_LIVENESS_S = 1.0


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    log = JsonLog(sys.stdout)
    run: Callable[[argparse.Namespace, JsonLog], int] = arguments.run
    try:
        return run(arguments, log)
    except ScannerError as error:
        log.event("failed", error=str(error))
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firmware-bridge", description="Fingerprint scanner on a serial line."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="own a scanner, offer it on a socket")
    serve.add_argument("--port", required=True, help="device path or pyserial URL")
    serve.add_argument("--socket", required=True, type=Path)
    serve.add_argument("--password", type=_hex_u32, default=0, help="hex, 00000000")
    serve.add_argument("--baud", type=int, help="only this rate instead of probing")
    serve.add_argument("--keep-baud", action="store_true", help="no switch to 115200")
    serve.add_argument("--socket-mode", type=_octal, default=0o600, help="octal, 600")
    serve.add_argument("--allow-uid", type=int, action="append", default=[])
    serve.add_argument("--no-lift", action="store_true", help="same finger again")
    serve.add_argument("--record", type=Path, help="bytes of the session, masked")
    serve.set_defaults(run=_serve)

    emulate = commands.add_parser("emulate", help="answer as a scanner on a pty")
    emulate.add_argument("--link", required=True, type=Path, help="path of the port")
    emulate.add_argument("--images", required=True, type=Path, help="finger images")
    emulate.add_argument("--fast", action="store_true", help="not paced as the line")
    emulate.set_defaults(run=_emulate)

    replay = commands.add_parser("replay", help="show the packets of a recording")
    replay.add_argument("file", type=Path)
    replay.set_defaults(run=_replay)
    return parser


def _hex_u32(text: str) -> int:
    value = int(text, 16)
    if not 0 <= value <= 0xFFFFFFFF:
        raise ValueError(text)
    return value


def _octal(text: str) -> int:
    value = int(text, 8)
    if not 0 <= value <= 0o777:
        raise ValueError(text)
    return value


def _serve(arguments: argparse.Namespace, log: JsonLog) -> int:
    preferred = None if arguments.keep_baud else ScannerSettings().preferred_baud
    settings = SessionSettings(
        port=arguments.port,
        scanner=ScannerSettings(
            password=arguments.password,
            baud=arguments.baud,
            preferred_baud=preferred,
        ),
        requires_lift=not arguments.no_lift,
    )
    rights = AccessRights(arguments.socket_mode, frozenset(arguments.allow_uid))
    with contextlib.ExitStack() as stack:
        open_port = _port_maker(arguments, stack)
        stopping = _stop_on_signals()
        server = DeviceServer(
            settings, arguments.socket, rights=rights, open_port=open_port, log=log
        )
        stack.enter_context(server)
        notify("READY=1")
        interval_s = watchdog_interval_s() or _LIVENESS_S
        while server.is_alive and not stopping.wait(min(interval_s, _LIVENESS_S)):
            notify("WATCHDOG=1")
        notify("STOPPING=1")
        if not stopping.is_set():
            raise ScannerError("server: a thread ended unexpectedly; restart it")
    return 0


def _port_maker(
    arguments: argparse.Namespace, stack: contextlib.ExitStack
) -> Callable[[], BytePort]:
    if arguments.record is None:
        return lambda: SerialPort(arguments.port)
    try:
        sink = stack.enter_context(arguments.record.open("w", encoding="utf-8"))
    except OSError as error:
        raise ScannerError(f"recording {arguments.record}: {error}") from error
    recorder = Recorder(sink)
    return lambda: RecordingPort(SerialPort(arguments.port), recorder)


def _emulate(arguments: argparse.Namespace, log: JsonLog) -> int:
    # Late, so that the server on a small machine does without OpenCV.
    from firmware_bridge.image_folder import (  # noqa: PLC0415
        load_finger_images,
    )

    images = load_finger_images(arguments.images)
    stopping = _stop_on_signals()
    with ScannerEmulator(arguments.link, is_paced=not arguments.fast) as emulator:
        log.event("emulator_ready", path=arguments.link, images=len(images))
        notify("READY=1")
        while not stopping.is_set():
            if not emulator.model.queued:
                emulator.enqueue(images)
            notify("WATCHDOG=1")
            stopping.wait(0.2)
    return 0


def _replay(arguments: argparse.Namespace, log: JsonLog) -> int:
    """Show every packet of a recording; the status tells whether all were whole."""
    decoders = {"host": FrameDecoder(None), "device": FrameDecoder(None)}
    for event in load_recording(arguments.file):
        if event.event not in decoders:
            log.event(event.event, seconds=event.at_s, baud=event.baud)
            continue
        for frame in decoders[event.event].feed(event.data):
            log.event(event.event, seconds=event.at_s, frame=_describe(frame))
    damaged = sum(decoder.damaged_frames for decoder in decoders.values())
    log.event("recording_ended", state="damaged" if damaged else "whole")
    return 0


def _describe(frame: Frame) -> str:
    if frame.pid is PacketId.COMMAND:
        try:
            return str(decode_command(frame.content))
        except ProtocolError as error:
            return str(error)
    if frame.pid is PacketId.ACKNOWLEDGE:
        return f"acknowledge {frame.content.hex()}"
    return f"{frame.pid.name.lower()} {len(frame.content)} bytes"


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


if __name__ == "__main__":
    sys.exit(main())
