"""Watchlist entries and changes as CBOR maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cbor2

from edge.errors import InputError, MessageError
from edge.records.mapping import Fields, decode_map, encode_map, term
from edge.records.template import decode_template, encode_template
from edge.terms import (
    ChangeOperation,
    FaceTemplate,
    FingerPosition,
    FingerprintTemplate,
    Modality,
    Reference,
    WatchlistChange,
    WatchlistEntry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANGE_LIMIT = 2_000_000
REFERENCES_LIMIT = 100


class StoredReference(NamedTuple):
    """A reference whose template is a record already."""

    reference_id: str
    modality: str
    position: int
    template: bytes


def encode_change(change: WatchlistChange) -> bytes:
    return encode_stored_change(
        change,
        [
            StoredReference(
                r.reference_id,
                str(r.modality),
                int(r.position),
                encode_template(r.template),
            )
            for r in change.references
        ],
    )


def encode_stored_change(
    change: WatchlistChange, references: Sequence[StoredReference]
) -> bytes:
    """Encode a change with these references in place of its own."""
    return encode_map(
        {
            "v": 1,
            "sequence": change.sequence,
            "operation": str(change.operation),
            "entry_id": change.entry_id,
            "entry": None if change.entry is None else entry_map(change.entry),
            "references": [r._asdict() for r in references],
            "changed_at": change.changed_at.isoformat(),
        }
    )


def stored_references(record: bytes) -> list[StoredReference]:
    """Return the references of a record that decode_change has read, undecoded."""
    return [StoredReference(**item) for item in cbor2.loads(record)["references"]]


def decode_change(data: bytes) -> WatchlistChange:
    """Decode one change.

    Raises:
        MessageError: says which field is wrong.
    """
    fields = decode_map(data, what="watchlist change", limit=CHANGE_LIMIT)
    _require_version(fields, "watchlist change")
    operation = term(
        fields.text("operation", limit=20), ChangeOperation, "watchlist change"
    )
    entry_id = fields.identifier("entry_id")
    raw_entry = fields.take("entry", object)
    entry = None if raw_entry is None else entry_from(raw_entry)
    references = tuple(
        reference_from(item, entry_id)
        for item in fields.items("references", limit=REFERENCES_LIMIT)
    )
    change = WatchlistChange(
        sequence=fields.count("sequence"),
        operation=operation,
        entry_id=entry_id,
        entry=entry,
        references=references,
        changed_at=fields.instant("changed_at"),
    )
    fields.done()
    is_withdrawal = operation is ChangeOperation.WITHDRAW
    if is_withdrawal != (entry is None) or (is_withdrawal and references):
        message = (
            f"watchlist change {change.sequence}: {operation} and its entry disagree"
        )
        raise MessageError(message)
    if entry is not None and entry.entry_id != entry_id:
        message = f"watchlist change {change.sequence}: two entry ids"
        raise MessageError(message)
    return change


def entry_map(entry: WatchlistEntry) -> dict[str, Any]:
    expires = entry.expires_at
    return {
        "entry_id": entry.entry_id,
        "version": entry.version,
        "category": entry.category,
        "originator": entry.originator,
        "handling_code": entry.handling_code,
        "legal_basis": entry.legal_basis,
        "instruction": entry.instruction,
        "valid_from": entry.valid_from.isoformat(),
        "expires_at": None if expires is None else expires.isoformat(),
        "name": entry.name,
    }


def entry_from(value: object) -> WatchlistEntry:
    fields = Fields(value, "watchlist entry")
    entry = WatchlistEntry(
        entry_id=fields.identifier("entry_id"),
        version=fields.count("version"),
        category=fields.text("category"),
        originator=fields.text("originator"),
        handling_code=fields.text("handling_code"),
        legal_basis=fields.text("legal_basis"),
        instruction=fields.text("instruction"),
        valid_from=fields.instant("valid_from"),
        expires_at=fields.optional_instant("expires_at"),
        name=fields.optional_text("name"),
    )
    fields.done()
    return entry


def reference_map(reference: Reference) -> dict[str, Any]:
    return {
        "reference_id": reference.reference_id,
        "modality": str(reference.modality),
        "position": int(reference.position),
        "template": encode_template(reference.template),
    }


def reference_from(value: object, entry_id: str) -> Reference:
    what = "biometric reference"
    fields = Fields(value, what)
    modality = term(fields.text("modality", limit=20), Modality, what)
    try:
        template = decode_template(fields.take("template", bytes))
    except InputError as error:
        message = f"{what}: {error}"
        raise MessageError(message) from error
    kind = FingerprintTemplate if modality is Modality.FINGERPRINT else FaceTemplate
    if not isinstance(template, kind):
        message = f"{what}: its template is not of a {modality}"
        raise MessageError(message)
    reference = Reference(
        reference_id=fields.identifier("reference_id"),
        entry_id=entry_id,
        modality=modality,
        position=term(fields.take("position", int), FingerPosition, what),
        template=template,
    )
    fields.done()
    return reference


def _require_version(fields: Fields, what: str) -> None:
    version = fields.count("v")
    if version != 1:
        message = f"{what}: version {version}, this software reads 1"
        raise MessageError(message)
