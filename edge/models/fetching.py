"""Bring the source files of a model: over the network, or from a folder.

Nothing is believed but the hash. What has come of an interrupted download is kept and
gone on with. Proxies are those of the environment (HTTPS_PROXY, NO_PROXY).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from edge.errors import ModelError
from edge.models.sources import fetched_file
from edge.models.spec import FetchedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.models.spec import ModelSpec, SourceFile

    # Told the name of a file, how many of how many bytes have come.
    OnBytes = Callable[[str, int, int], None]

ATTEMPTS = 4
TIMEOUT_S = 30.0
_PARTIAL = httpx.codes.PARTIAL_CONTENT
_RANGE = re.compile(r"bytes (\d+)-")


def fetch(spec: ModelSpec, folder: Path, on_bytes: OnBytes) -> None:
    """Download what is missing of a model's source files to folder.

    Raises:
        ModelError: the model is not one to fetch; the publisher cannot be reached, or
            gives something else than the pinned file; the folder cannot be written.
    """
    with httpx.Client(follow_redirects=True, timeout=TIMEOUT_S) as client:
        for file in _files(spec):
            path = fetched_file(folder, file.name, file.sha256)
            with _told(path):
                folder.mkdir(parents=True, exist_ok=True)
                if not _is_pinned(path, file):
                    _download(client, file, path, on_bytes)


def carry_in(spec: ModelSpec, source: Path, folder: Path, on_bytes: OnBytes) -> None:
    """Copy a model's source files, found by name in a folder, to folder.

    Raises:
        ModelError: the model is not one to fetch; a file is missing there or is not
            the pinned one; the folder cannot be written.
    """
    for file in _files(spec):
        given = source / file.name
        if not given.is_file():
            raise ModelError(f"model {spec.model_id}: {given}: not there; carry it in")
        with _told(given):
            data = _read(given, file.size_bytes)
        _require_pinned(spec.model_id, str(given), data, file)
        path = fetched_file(folder, file.name, file.sha256)
        with _told(path):
            folder.mkdir(parents=True, exist_ok=True)
            _put(path, data)
        on_bytes(file.name, len(data), file.size_bytes)


def _files(spec: ModelSpec) -> tuple[SourceFile, ...]:
    if not isinstance(spec.source, FetchedSource):
        raise ModelError(
            f"model {spec.model_id}: comes with the package "
            f"{spec.source.distribution}; there is nothing to fetch"
        )
    return spec.source.files


def _download(
    client: httpx.Client, file: SourceFile, path: Path, on_bytes: OnBytes
) -> None:
    part = path.with_name(f".{path.name}.part")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _go_on(client, file, part, on_bytes)
            break
        except httpx.TransportError as error:
            if attempt == ATTEMPTS:
                reason = str(error) or type(error).__name__
                raise ModelError(
                    f"{file.url}: {reason}; what has come is kept: run it again, or "
                    "carry the file in with --from DIR"
                ) from error
    try:
        _require_pinned(file.name, file.url, _read(part, file.size_bytes), file)
    except ModelError:
        part.unlink()
        raise
    part.replace(path)


def _go_on(
    client: httpx.Client, file: SourceFile, part: Path, on_bytes: OnBytes
) -> None:
    """Bring what is missing of a file."""
    held = part.stat().st_size if part.exists() else 0
    if held >= file.size_bytes:
        return
    headers = {"Range": f"bytes={held}-", "Accept-Encoding": "identity"}
    with client.stream("GET", file.url, headers=headers if held else {}) as reply:
        if reply.is_error:
            raise ModelError(f"{file.url}: the server says {reply.status_code}")
        span = _RANGE.match(reply.headers.get("Content-Range", ""))
        is_rest = reply.status_code == _PARTIAL and span and int(span[1]) == held
        if not is_rest:
            held = 0
        with part.open("ab" if is_rest else "wb") as stream:
            for piece in reply.iter_raw():
                held += len(piece)
                if held > file.size_bytes:
                    stream.truncate(0)
                    raise ModelError(
                        f"{file.url}: longer than the pinned {file.size_bytes} bytes"
                    )
                stream.write(piece)
                on_bytes(file.name, held, file.size_bytes)
            stream.flush()
            os.fsync(stream.fileno())
    if held < file.size_bytes:
        message = f"ended after {held} of {file.size_bytes} bytes"
        raise httpx.ReadError(message)


def _require_pinned(model: str, origin: str, data: bytes, file: SourceFile) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise ModelError(
            f"model {model}: {origin} is not the pinned file (SHA-256 {found[:12]}..., "
            f"expected {file.sha256[:12]}...); nothing of it was used"
        )


def _is_pinned(path: Path, file: SourceFile) -> bool:
    if not path.is_file():
        return False
    data = _read(path, file.size_bytes)
    return hashlib.sha256(data).hexdigest() == file.sha256


def _read(path: Path, size_bytes: int) -> bytes:
    """Return the file, or enough of it to see that it is another one."""
    with path.open("rb") as stream:
        return stream.read(size_bytes + 1)


def _put(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
