"""Built models in a cache folder: made once, checked before each use.

`<model id>.onnx` lies beside `<model id>.json`, its manifest: SHA-256 of the built file
and of the source it was built from, and the version of the conversion. The manifest is
removed first and written last: a model without one was never finished.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ModelError
from edge.models.registry import ALL_SPECS
from edge.models.sources import is_fetched, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.models.spec import ModelSpec

    OnProgress = Callable[[float, str], None]

# Raised when a conversion changes what it makes of the same source.
CONVERSION_VERSION = 2
MANIFEST_SIZE_LIMIT = 4096
ADVICE = "run: edge models prepare"


class ModelStatus(StrEnum):
    READY = "ready"
    ABSENT = "absent"
    NOT_FETCHED = "not fetched"
    DAMAGED = "damaged"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class StoredModel:
    spec: ModelSpec
    path: Path
    status: ModelStatus


class ModelStore:
    """Makes ONNX files of the pinned sources and hands out only intact ones.

    sources: the folder of fetched source files.

    Safe for several processes and threads on one folder.
    """

    def __init__(self, cache_dir: Path, specs: Sequence[ModelSpec] = ALL_SPECS) -> None:
        self._dir = cache_dir
        self._specs = {spec.model_id: spec for spec in specs}
        self.sources = cache_dir / "sources"

    def spec(self, model_id: str) -> ModelSpec:
        """Return what is known of a model; raises ModelError if nothing is."""
        if model_id not in self._specs:
            known = ", ".join(sorted(self._specs))
            raise ModelError(f"model {model_id}: unknown; known are {known}")
        return self._specs[model_id]

    def list(self) -> list[StoredModel]:
        return [
            StoredModel(spec, self._file(spec), self._status(spec))
            for spec in self._specs.values()
        ]

    def path(self, model_id: str) -> Path:
        """Return the checked file, prepared now if it never was.

        Raises:
            ModelError: unknown model, its source is missing or not the pinned one, or
                the prepared file was changed or cut since.
        """
        spec = self.spec(model_id)
        if self._status(spec) is not ModelStatus.READY:
            self._ensure(spec, _silent, replace_damaged=False)
        return self._file(spec)

    def prepare(self, model_id: str, on_progress: OnProgress | None = None) -> Path:
        """Make the model unless it is there intact, replacing a damaged one.

        on_progress is called with the share done, 0 to 1, and the name of the step.

        Raises:
            ModelError: as path, or the cache folder cannot be written.
        """
        spec = self.spec(model_id)
        tell = on_progress or _silent
        self._ensure(spec, tell, replace_damaged=True)
        tell(1.0, "ready")
        return self._file(spec)

    def _ensure(
        self, spec: ModelSpec, tell: OnProgress, *, replace_damaged: bool
    ) -> None:
        try:
            with self._locked(spec):
                status = self._status(spec)
                if status is ModelStatus.DAMAGED and not replace_damaged:
                    raise ModelError(
                        f"{self._file(spec)}: damaged or changed since it was made; "
                        f"{ADVICE}"
                    )
                if status is not ModelStatus.READY:
                    self._make(spec, tell)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ModelError(
                f"{self._dir}: cannot keep model {spec.model_id} there: {reason}; set "
                f"models.cache_dir to a writable folder"
            ) from error

    def verify(self, model_id: str) -> ModelStatus:
        """Read the prepared file and return what state it is in."""
        return self._status(self.spec(model_id))

    def _file(self, spec: ModelSpec) -> Path:
        return self._dir / f"{spec.model_id}.onnx"

    def _manifest(self, spec: ModelSpec) -> Path:
        return self._dir / f"{spec.model_id}.json"

    def _status(self, spec: ModelSpec) -> ModelStatus:
        file, manifest = self._file(spec), self._manifest(spec)
        if not file.exists() or not manifest.exists():
            is_there = is_fetched(spec, self.sources)
            return ModelStatus.ABSENT if is_there else ModelStatus.NOT_FETCHED
        try:
            with manifest.open("rb") as stream:
                stated = json.loads(stream.read(MANIFEST_SIZE_LIMIT))
            with file.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except (OSError, ValueError):
            return ModelStatus.DAMAGED
        if not isinstance(stated, dict) or stated.get("sha256") != found:
            return ModelStatus.DAMAGED
        expected = (spec.source.digest, CONVERSION_VERSION)
        if (stated.get("source_sha256"), stated.get("conversion")) != expected:
            return ModelStatus.OUTDATED
        return ModelStatus.READY

    def _make(self, spec: ModelSpec, tell: OnProgress) -> None:
        tell(0.0, "reading the source")
        sources = read_source(spec, self.sources)
        tell(0.3, "building")
        built = spec.build(*sources)
        tell(0.9, "writing")
        manifest = {
            "model_id": spec.model_id,
            "sha256": hashlib.sha256(built).hexdigest(),
            "source_sha256": spec.source.digest,
            "conversion": CONVERSION_VERSION,
        }
        self._manifest(spec).unlink(missing_ok=True)
        _write_whole(self._file(spec), built)
        _write_whole(self._manifest(spec), json.dumps(manifest, indent=2).encode())

    @contextlib.contextmanager
    def _locked(self, spec: ModelSpec) -> Iterator[None]:
        self._dir.mkdir(parents=True, exist_ok=True)
        with (self._dir / f"{spec.model_id}.lock").open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)  # closing the file lets go
            yield


def _write_whole(path: Path, data: bytes) -> None:
    """Put data at path, durably, so that a reader sees all of it or the old file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _silent(_share: float, _step: str) -> None:
    pass
