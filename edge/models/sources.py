"""The pinned files that models are made of, as they lie on this machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ModelError
from edge.models.spec import FetchedSource, PackagedSource

if TYPE_CHECKING:
    from edge.models.spec import ModelSpec

SOURCE_SIZE_LIMIT = 256 * 1024 * 1024


def fetched_file(folder: Path, name: str, sha256: str) -> Path:
    """Return where a fetched file lies; two versions of one name do not meet."""
    return folder / f"{sha256[:16]}-{name}"


def is_fetched(spec: ModelSpec, folder: Path) -> bool:
    """Return whether all source files are there; their content is not looked at."""
    source = spec.source
    return isinstance(source, PackagedSource) or all(
        fetched_file(folder, file.name, file.sha256).is_file() for file in source.files
    )


def read_source(spec: ModelSpec, folder: Path) -> list[bytes]:
    """Return the bytes of each source file. folder: of what was fetched.

    Raises:
        ModelError: a file is missing, or its hash is not the pinned one.
    """
    source = spec.source
    if isinstance(source, PackagedSource):
        return [_packaged(spec.model_id, source)]
    return [_fetched(spec, source, place, folder) for place in range(len(source.files))]


def _packaged(model_id: str, source: PackagedSource) -> bytes:
    name = source.distribution
    again = f"reinstall it: pip install --force-reinstall {name}"
    try:
        path = Path(str(importlib.metadata.distribution(name).locate_file("")))
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            f"model {model_id}: its source, the package {name}, is not installed;"
            f" run: pip install {name}"
        ) from error
    return _pinned(model_id, path / source.file, source.sha256, again)


def _fetched(spec: ModelSpec, source: FetchedSource, place: int, folder: Path) -> bytes:
    file = source.files[place]
    path = fetched_file(folder, file.name, file.sha256)
    advice = f"run: edge models fetch {spec.model_id}"
    if not path.exists():
        raise ModelError(
            f"model {spec.model_id}: {file.name} was not fetched; {advice}"
        )
    return _pinned(spec.model_id, path, file.sha256, advice)


def _pinned(model_id: str, path: Path, sha256: str, advice: str) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(SOURCE_SIZE_LIMIT + 1)
    except OSError as error:
        raise ModelError(
            f"model {model_id}: cannot read {path}: {error.strerror}; {advice}"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelError(
            f"model {model_id}: {path} is not the pinned file (SHA-256 "
            f"{found[:12]}..., expected {sha256[:12]}...); {advice}"
        )
    return data
