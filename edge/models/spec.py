"""What is known of a model before it is used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class PackagedSource:
    """A file that pip has installed with a distribution of PyPI."""

    distribution: str
    file: str
    sha256: str

    @property
    def publisher(self) -> str:
        return self.distribution

    @property
    def digest(self) -> str:
        return self.sha256


@dataclass(frozen=True)
class SourceFile:
    """A file that a publisher offers. name: also of the file that is carried in."""

    name: str
    sha256: str
    size_bytes: int
    url: str


@dataclass(frozen=True)
class FetchedSource:
    """Files that `edge models fetch` brings, over the network or from a folder."""

    publisher: str
    files: tuple[SourceFile, ...]

    @property
    def digest(self) -> str:
        """Return one SHA-256 for all files."""
        joined = "".join(file.sha256 for file in self.files)
        return hashlib.sha256(joined.encode()).hexdigest()


@dataclass(frozen=True)
class ModelSpec:
    """A pinned source and how an ONNX graph is made of it.

    source: other bytes than the pinned ones are refused before they are parsed.
    build: the bytes of each source file -> serialized ONNX model; raises ModelError.
    is_in_use: some part of the appliance can be told to use it; what is not is only
    brought when it is named.
    """

    model_id: str
    role: str
    source: PackagedSource | FetchedSource
    licence: str
    card: str
    build: Callable[..., bytes]
    is_in_use: bool = True

    @property
    def is_optional(self) -> bool:
        """Return whether the appliance works without it, by other means."""
        return isinstance(self.source, FetchedSource)
