"""A case as one signed archive, for whoever judges it elsewhere, and its verification.

A zip file. `manifest.json` names every other file with its SHA-256 and size;
`manifest.cose` is that manifest signed by the hub's operations key (COSE_Sign1 over
CONTEXT, a zero byte and the manifest); `trust.cbor` are the trust documents that say
whose key this is. `hit.cose` is the object that the booth signed, as it came.

Names in the archive are numbers: nothing that a booth sent becomes a file name. Order,
times and modes of the zip are fixed, so equal content is an equal file.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, BaseModel, ValidationError

from edge.errors import InputError, MessageError
from edge.trust.anchors import first_anchors
from edge.trust.cose import read_signed, sign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from edge.trust.anchors import TrustAnchors
    from edge.trust.keys import SigningKey

CONTEXT = b"edge case archive 1"
MANIFEST, SIGNATURE, TRUST = "manifest.json", "manifest.cose", "trust.cbor"
UNLISTED = frozenset({MANIFEST, SIGNATURE})
FILES_LIMIT = 500
FILE_LIMIT = 32 * 1024 * 1024
TOTAL_LIMIT = 128 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class VerifiedCase:
    """What an archive says of itself, after everything in it has been verified.

    root_fingerprint: of the trust documents; compare it with the hub's.
    """

    hit_id: str
    exported_at: datetime
    exported_by: str
    files: tuple[str, ...]
    root_fingerprint: str


class _File(BaseModel):
    sha256: str
    size: int


class _Manifest(BaseModel):
    version: Literal[1]
    hit_id: str
    exported_at: AwareDatetime
    exported_by: str
    files: dict[str, _File]

    @classmethod
    def read(cls, data: bytes, origin: str) -> _Manifest:
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"{origin}: {MANIFEST}: {first['msg']}") from error


def make_archive(
    files: Mapping[str, bytes],
    about: Mapping[str, Any],
    *,
    key: SigningKey,
    trust: bytes,
) -> bytes:
    """Return the archive; about: hit_id, exported_at, exported_by. key: operations."""
    contents = {**files, TRUST: trust}
    listed = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in sorted(contents.items())
    }
    manifest = json_bytes({"version": 1, **about, "files": listed})
    contents[MANIFEST] = manifest
    contents[SIGNATURE] = sign(CONTEXT + b"\0" + manifest, key)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(contents.items()):
            item = zipfile.ZipInfo(name, _EPOCH)
            item.external_attr = 0o600 << 16
            item.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(item, data)
    return buffer.getvalue()


def verify_archive(data: bytes, *, fingerprint: str, origin: str) -> VerifiedCase:
    """Verify an archive whole; fingerprint: of the hub's root keys, known otherwise.

    The trust documents count as of the time of the export: an archive stays good when
    the keys of its hub are long over.

    Raises:
        InputError: no such archive; a file is missing, added or changed; not signed by
            a hub under these root keys. Names origin and the file.
    """
    contents = _read(data, origin)
    for name in (MANIFEST, SIGNATURE, TRUST):
        if name not in contents:
            raise InputError(f"{origin}: {name} is missing: no case archive")
    manifest = _Manifest.read(contents[MANIFEST], origin)
    anchors = _anchors(contents[TRUST], fingerprint, manifest.exported_at, origin)
    _require_signature(contents, anchors, origin)
    listed = manifest.files
    for name in sorted(set(listed) ^ (set(contents) - UNLISTED)):
        what = "is missing" if name in listed else "is not in the manifest"
        raise InputError(f"{origin}: {name} {what}")
    for name, item in listed.items():
        if hashlib.sha256(contents[name]).hexdigest() != item.sha256:
            raise InputError(f"{origin}: {name} was changed")
    return VerifiedCase(
        hit_id=manifest.hit_id,
        exported_at=manifest.exported_at,
        exported_by=manifest.exported_by,
        files=tuple(sorted(listed)),
        root_fingerprint=anchors.fingerprint,
    )


def json_bytes(value: object) -> bytes:
    """Return a value as the JSON of the archive: sorted, two spaces, UTF-8."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).encode()


def _read(data: bytes, origin: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            items = archive.infolist()
            names = [item.filename for item in items]
            if len(names) > FILES_LIMIT or len(set(names)) < len(names):
                raise InputError(f"{origin}: too many files, or one twice")
            too_large = sum(item.file_size for item in items) > TOTAL_LIMIT
            if too_large or any(item.file_size > FILE_LIMIT for item in items):
                raise InputError(f"{origin}: too large for a case archive")
            # A size that the directory understates ends in BadZipFile.
            return {item.filename: archive.read(item) for item in items}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise InputError(f"{origin}: no readable zip file: {error}") from error
    except (RuntimeError, ValueError, zlib.error) as error:
        raise InputError(f"{origin}: no readable zip file: {error}") from error


def _anchors(
    trust: bytes, fingerprint: str, now: datetime, origin: str
) -> TrustAnchors:
    try:
        return first_anchors(trust, fingerprint=fingerprint, now=now)
    except MessageError as error:
        raise InputError(f"{origin}: {TRUST}: {error}") from error


def _require_signature(
    contents: Mapping[str, bytes], anchors: TrustAnchors, origin: str
) -> None:
    try:
        signed = read_signed(contents[SIGNATURE], limit=FILE_LIMIT)
        key = anchors.operations_keys.get(signed.key_id)
        if key is None:
            raise InputError(f"{origin}: {SIGNATURE}: not by a key of this hub")
        payload = signed.verified(key)
    except MessageError as error:
        raise InputError(f"{origin}: {SIGNATURE}: {error}") from error
    if payload != CONTEXT + b"\0" + contents[MANIFEST]:
        raise InputError(f"{origin}: {MANIFEST} was changed")
