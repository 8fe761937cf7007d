"""What the subcommands share: the --config option and objects made from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.config import Config, load_config
from edge.services import wiring

if TYPE_CHECKING:
    from edge.models.store import ModelStore
    from edge.recognition.face.engine import FaceEngine
    from edge.recognition.fingerprint.engine import FingerprintEngine

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=None,
    help="Configuration file (default: $EDGE_CONFIG, /etc/edge/edge.toml, built-in).",
)


def load(config_path: Path | None) -> Config:
    return load_config(config_path)


def model_store(config_path: Path | None) -> ModelStore:
    return wiring.model_store(load_config(config_path))


def fingerprint_engine(config: Config) -> FingerprintEngine:
    return wiring.fingerprint_engine(config)


def face_engine(config: Config) -> FaceEngine:
    return wiring.face_engine(config)
