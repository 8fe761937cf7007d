"""A folder of keys: private, written whole or not at all, never overwritten unasked.

A set of files is replaced as one: it is written to the folder "staging", which is then
renamed to "ready"; from there each file is moved to its place. Whoever opens the folder
finishes a move that was cut short, so a power cut leaves the old set or the new one.
A file that systemd hands over as a credential wins over one of the same name.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
SECRET_SUFFIX = ".key"  # noqa: S105  the end of a file name
_STAGING, _READY = "staging", "ready"
_MAX_FILE_BYTES = 1024 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def credentials_folder() -> Path | None:
    """Return where systemd has put this service's credentials, None if nowhere."""
    value = os.environ.get(CREDENTIALS_VARIABLE)
    return Path(value) if value else None


class KeyFolder:
    def __init__(self, path: Path, *, credentials: Path | None = None) -> None:
        """credentials: a folder whose files win, usually credentials_folder()."""
        self.path = path
        self._credentials = credentials

    def create(self) -> None:
        """Make the folder, for its owner only, if it is not there.

        Raises:
            ConfigurationError: it cannot be made, or others may look into it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _failure("make the key folder", self.path, error) from None
        self._require_private(self.path, "chmod 700")

    def open(self) -> None:
        """Finish a replacement that was cut short.

        Raises:
            ConfigurationError: no such folder, or it cannot be written.
        """
        if not self.path.is_dir():
            message = f"{self.path}: no such key folder"
            raise ConfigurationError(message)
        self._require_private(self.path, "chmod 700")
        if (self.path / _READY).is_dir():
            try:
                self._move_into_place()
            except OSError as error:
                raise _failure("finish replacing keys in", self.path, error) from None

    def place(self, name: str) -> Path:
        """Return where the file of that name is read from."""
        if self._credentials is not None:
            given = self._credentials / name
            if given.is_file():
                return given
        return self.path / name

    def has(self, name: str) -> bool:
        return self.place(name).is_file()

    def names(self, pattern: str) -> list[str]:
        return sorted(path.name for path in self.path.glob(pattern))

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            ConfigurationError: missing, unreadable, too long, or secret by its name and
                open to others.
        """
        place = self.place(name)
        try:
            if name.endswith(SECRET_SUFFIX) and place.parent == self.path:
                self._require_private(place, "chmod 600")
            with place.open("rb") as file:
                data = file.read(_MAX_FILE_BYTES + 1)
        except OSError as error:
            raise _failure("read", place, error) from None
        if len(data) > _MAX_FILE_BYTES:
            message = f"{place}: longer than {_MAX_FILE_BYTES} bytes"
            raise ConfigurationError(message)
        return data

    def add(self, name: str, data: bytes) -> None:
        """Write a file that is not there yet, durably.

        Raises:
            ConfigurationError: it is there, or cannot be written.
        """
        place = self.path / name
        temporary = self.path / f".{name}.new"
        try:
            # Takes the name, or fails; links would do, but not on every medium.
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _write_durably(temporary, data)
            temporary.replace(place)
            _sync_folder(self.path)
        except FileExistsError:
            message = f"{place}: is there already, and is not overwritten"
            raise ConfigurationError(message) from None
        except OSError as error:
            raise _failure("write", place, error) from None

    def replace(self, files: Mapping[str, bytes]) -> None:
        """Put files in place of those of their names, all of them or none, durably.

        Raises:
            ConfigurationError: they cannot be written.
        """
        staging = self.path / _STAGING
        try:
            self._move_into_place()
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(mode=0o700)
            for name, data in files.items():
                _write_durably(staging / name, data)
            _sync_folder(staging)
            staging.rename(self.path / _READY)
            _sync_folder(self.path)
            self._move_into_place()
        except OSError as error:
            raise _failure("replace keys in", self.path, error) from None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            ConfigurationError: it cannot be removed.
        """
        try:
            (self.path / name).unlink(missing_ok=True)
            _sync_folder(self.path)
        except OSError as error:
            raise _failure("remove", self.path / name, error) from None

    def _move_into_place(self) -> None:
        ready = self.path / _READY
        # Another process may be finishing the same move.
        with suppress(FileNotFoundError):
            files = sorted(ready.iterdir())
            for file in files:
                with suppress(FileNotFoundError):
                    file.replace(self.path / file.name)
            _sync_folder(self.path)
            ready.rmdir()
        _sync_folder(self.path)

    def _require_private(self, path: Path, remedy: str) -> None:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise _failure("read", path, error) from None
        if mode & _OTHERS:
            message = (
                f"{path}: open to others (mode {stat.S_IMODE(mode):03o}), as keys must "
                f"not be: {remedy} {path}, and replace keys that others may have seen"
            )
            raise ConfigurationError(message)


def _write_durably(path: Path, data: bytes) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "wb") as file:  # noqa: PTH123  a descriptor
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failure(action: str, path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{path}: cannot {action}: {error.strerror}")
