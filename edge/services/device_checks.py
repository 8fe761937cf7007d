"""The doctor's look at scanner, camera and models."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from edge.capture.face_camera import OpenCvFaceCapture
from edge.capture.fingerprint_scanner import BridgedFingerprintCapture
from edge.errors import CaptureError, ModelError
from edge.models.sources import read_source
from edge.models.store import ADVICE, ModelStatus, ModelStore
from edge.recognition.face.presentation_attack import NETWORKS
from edge.services.findings import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.clock import Clock
    from edge.config import Config
    from edge.models.store import StoredModel

FRAME_TIMEOUT_S = 5.0
RATE_FRAMES = 8


def check_scanner(config: Config, clock: Clock) -> list[Finding]:
    if not config.scanner.enabled:
        return [Finding("scanner", Status.OK, "off (scanner.enabled = false)")]
    path = config.scanner.socket
    state = BridgedFingerprintCapture(path, clock).state()
    if state in ("ready", "capturing"):
        return [Finding("scanner", Status.OK, f"{state}, by {path}")]
    advice = {
        "absent": "firmware-bridge runs but has no scanner; check cable and port",
        "unreachable": f"no firmware-bridge at {path}; start it, or check who may "
        "open the socket",
    }.get(state, f"firmware-bridge says: {state}; see its log")
    return [Finding("scanner", Status.FAILED, f"{state[:40]}: {advice[:200]}")]


def check_camera(config: Config) -> list[Finding]:
    if not config.camera.enabled:
        return [Finding("camera", Status.OK, "off (camera.enabled = false)")]
    capture = OpenCvFaceCapture(config.camera.source)
    try:
        sample = capture.latest(timeout_s=FRAME_TIMEOUT_S)
        for _ in range(RATE_FRAMES):
            capture.latest(timeout_s=1.0)
        rate_fps = capture.rate_fps
    except CaptureError as error:
        return [_camera_problem(config, error)]
    finally:
        capture.close()
    height, width = sample.image.shape[:2]
    text = f"{width} x {height} pixels, {rate_fps:.0f} frames a second"
    return [Finding("camera", Status.OK, text)]


def _camera_problem(config: Config, error: CaptureError) -> Finding:
    booth = (config.web.host, config.web.port)
    try:
        socket.create_connection(booth, timeout=1.0).close()
    except OSError:
        return Finding("camera", Status.FAILED, str(error))
    address = f"http://{booth[0]}:{booth[1]}/"
    text = f"{error}; a running edge-booth may hold it, see {address}"
    return Finding("camera", Status.WARNING, text)


def check_models(store: ModelStore, wanted: Collection[str] = ()) -> list[Finding]:
    """wanted: ids of the models that the configuration asks for."""
    return [_model_finding(store, model, wanted) for model in store.list()]


def _model_finding(
    store: ModelStore, model: StoredModel, wanted: Collection[str]
) -> Finding:
    subject = f"model {model.spec.model_id}"
    if model.status is ModelStatus.READY:
        return Finding(subject, Status.OK, "ready")
    if model.status is ModelStatus.NOT_FETCHED:
        if model.spec.model_id not in wanted:
            return Finding(subject, Status.OK, "not fetched, and not asked for")
        text = f"configured, not fetched; run: edge models fetch {model.spec.model_id}"
        return Finding(subject, Status.FAILED, text)
    if model.status is ModelStatus.DAMAGED:
        text = f"{model.path}: damaged or changed since it was made; {ADVICE}"
        return Finding(subject, Status.FAILED, text)
    try:
        read_source(model.spec, store.sources)
    except ModelError as error:
        return Finding(subject, Status.FAILED, str(error))
    text = f"{model.status}: prepared at first use; to do it now, {ADVICE}"
    return Finding(subject, Status.WARNING, text)


def check_presentation(config: Config, store: ModelStore) -> list[Finding]:
    """Whether faces can be told from pictures of faces, as far as policy wants it."""
    subject, policy = "presentation attacks", config.policy.presentation_attack
    if policy == "off" or not config.camera.enabled:
        text = "not judged: no camera is used" if policy != "off" else "not judged: off"
        return [Finding(subject, Status.OK, text)]
    known = {model.spec.model_id: model.status for model in store.list()}
    states = {known[name] for _, name in NETWORKS}
    if not states & {ModelStatus.NOT_FETCHED, ModelStatus.DAMAGED}:
        text = f"faces are judged; policy.presentation_attack = {policy}"
        return [Finding(subject, Status.OK, text)]
    missing = [name for _, name in NETWORKS if known[name] is ModelStatus.NOT_FETCHED]
    advice = f"run: edge models fetch {' '.join(missing)}" if missing else ADVICE
    if policy == "second_look":
        text = f"faces cannot be judged, so that no check with one ends clear; {advice}"
        return [Finding(subject, Status.FAILED, text)]
    text = f"faces are not judged, and the officer reads so; {advice}"
    return [Finding(subject, Status.WARNING, text)]
