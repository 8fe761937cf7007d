"""What is known of a model before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class ModelSpec:
    """A pinned source file and how an ONNX graph is made of it.

    source_distribution: PyPI distribution whose installed files hold source_file.
    source_sha256: of the source file; anything else is refused before it is parsed.
    build: source bytes -> serialized ONNX model; raises ModelError.
    """

    model_id: str
    role: str
    source_distribution: str
    source_file: str
    source_sha256: str
    licence: str
    card: str
    build: Callable[[bytes], bytes]
