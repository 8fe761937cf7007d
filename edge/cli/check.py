"""`edge check`: one check on files or on the devices, from the shell."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from edge.cli.context import config_option, load
from edge.errors import ConfigurationError
from edge.terms import FingerPosition, Modality, Outcome

if TYPE_CHECKING:
    from edge.checkpoint.check import CheckResult
    from edge.clock import Clock
    from edge.config import Config
    from edge.ports import FaceCapture, FingerprintCapture
    from edge.terms import SampleEvidence

IMAGE = click.Path(path_type=Path)


@click.command()
@click.option("--finger", "fingers", type=IMAGE, multiple=True, help="Repeatable.")
@click.option("--face", "faces", type=IMAGE, multiple=True, help="Repeatable.")
@click.option("--ppi", type=float, default=500.0, help="Resolution of the prints.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_option
def check(
    *,
    fingers: tuple[Path, ...],
    faces: tuple[Path, ...],
    ppi: float,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Check one capture subject against the watchlist of this booth.

    With images, each --finger is one finger and each --face one frame. Without images,
    the scanner and the camera of the configuration are used. The check is recorded, and
    a possible match goes to the hub, as in the booth. Exit status 0 only for CLEAR.
    """
    from edge.booth.views import result_view  # noqa: PLC0415  slow to load

    config = load(config_path)
    result = _run(config, fingers, faces, ppi)
    if as_json:
        click.echo(json.dumps(result_view(result), indent=2))
    else:
        _print(result)
    sys.exit(0 if result.outcome is Outcome.CLEAR else 1)


def _run(
    config: Config, fingers: tuple[Path, ...], faces: tuple[Path, ...], ppi: float
) -> CheckResult:
    from edge.checkpoint.check import CheckRequest  # noqa: PLC0415  slow to load
    from edge.clock import SystemClock  # noqa: PLC0415
    from edge.services import wiring  # noqa: PLC0415
    from edge.services.booth import check_runner  # noqa: PLC0415

    clock = SystemClock()
    if fingers or faces:
        finger, face = _from_files(fingers, faces, ppi, clock)
        config = config.model_copy(
            update={"policy": config.policy.model_copy(update={"max_attempts": 1})}
        )
        positions = (FingerPosition.UNKNOWN,) * len(fingers)
    else:
        finger = wiring.finger_capture(config, clock)
        face = wiring.face_capture(config, clock)
        positions = (FingerPosition.RIGHT_INDEX,)
    modalities = [Modality.FINGERPRINT] if finger is not None else []
    modalities += [Modality.FACE] if face is not None else []
    if not modalities:
        message = (
            "nothing to check with: give --finger or --face, or enable scanner or "
            "camera in the configuration"
        )
        raise ConfigurationError(message)
    request = CheckRequest(modalities=tuple(modalities), positions=positions)
    try:
        with check_runner(config, clock, finger, face) as runner:
            return runner.run(request)
    finally:
        close = getattr(face, "close", None)
        if close is not None:
            close()


def _from_files(
    fingers: tuple[Path, ...], faces: tuple[Path, ...], ppi: float, clock: Clock
) -> tuple[FingerprintCapture | None, FaceCapture | None]:
    from edge.capture.image_files import (  # noqa: PLC0415  slow to load
        FileFaceCapture,
        FileFingerprintCapture,
    )
    from edge.recognition.fingerprint.image import (  # noqa: PLC0415
        read_finger_image,
    )
    from edge.recognition.image_file import read_rgb_image  # noqa: PLC0415

    prints = [read_finger_image(path, ppi) for path in fingers]
    portraits = [read_rgb_image(path) for path in faces]
    return (
        FileFingerprintCapture(prints, ppi, clock) if prints else None,
        FileFaceCapture(portraits, clock) if portraits else None,
    )


def _sample_line(sample: SampleEvidence) -> str:
    name = "face"
    if sample.modality is Modality.FINGERPRINT:
        name = f"finger {sample.position.name.lower().replace('_', ' ')}"
    weight = "for" if sample.log10_ratio >= 0 else "against"
    return (
        f"{name}: false match rate {sample.score.false_match_rate:.1e}, "
        f"10^{abs(sample.log10_ratio):.1f} to 1 {weight}"
        f"{'; this sample decided' if sample.is_deciding else ''}"
    )


def _print(result: CheckResult) -> None:
    console = Console()
    styles = {Outcome.CLEAR: "bold green", Outcome.REFER: "bold red"}
    console.print(
        result.outcome.upper(), style=styles.get(result.outcome, "bold yellow")
    )
    for modality, quality in result.quality.items():
        console.print(f"  {modality}: quality {quality.score}")
    for reason in result.reasons:
        console.print(f"  {reason}")
    if result.face is not None and result.face.presentation is not None:
        decision = result.face.presentation.decision.replace("_", " ")
        console.print(f"  presentation of the face: {decision}")
    for candidate in result.candidates:
        rate = candidate.score.false_match_rate
        console.print(
            f"  possible match: entry {candidate.entry_id} by {candidate.modality}, "
            f"false match rate {rate:.1e}"
        )
        for sample in candidate.samples:
            console.print(f"    {_sample_line(sample)}")
    if result.entry is not None:
        console.print(f"  instruction: {result.entry.instruction}")
    console.print(f"  {sum(result.timings_ms.values()):.0f} ms")
