"""Who may speak and read now: the registry as last looked at.

Booths are admitted and revoked, and epochs begun, by other processes; the registry's
revision tells when to look closer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import (
    ConfigurationError,
    MessageError,
    RefusalError,
    RefusalReason,
)
from edge.trust.grants import open_epoch
from edge.trust.keys import SealingPublicKey, VerifyingKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.clock import Clock
    from edge.hub.store_port import HubRegistry
    from edge.trust.keys import ContentKey, SealingKey
    from edge.trust.registered_booth import AdmittedBooth


class Entitlements:
    def __init__(
        self,
        registry: HubRegistry,
        sealing_keys: Mapping[bytes, SealingKey],
        clock: Clock,
    ) -> None:
        """sealing_keys: the hub's, old ones included; the epochs are sealed to them.

        readers: the sealing keys of the entitled booths, by booth id; the one before
        while a renewal has not reached the booth. epochs: all keys, the newest last.

        Raises:
            StoreError: the registry cannot be read.
            ConfigurationError: as look.
        """
        self._registry = registry
        self._sealing_keys = sealing_keys
        self._clock = clock
        self._revision: int | None = None
        self._booths: dict[str, AdmittedBooth] = {}
        self.readers: dict[str, SealingPublicKey] = {}
        self.epochs: tuple[ContentKey, ...] = ()
        self.look()

    def look(self) -> bool:
        """Look at the registry again; True if it has changed.

        Raises:
            StoreError: the registry cannot be read.
            ConfigurationError: there is no epoch, or one that none of the hub's keys
                opens.
        """
        revision = self._registry.revision()
        if revision == self._revision:
            return False
        epochs = tuple(
            self._opened(epoch, sealed)
            for epoch, sealed in sorted(self._registry.sealed_epochs())
        )
        if not epochs:
            raise ConfigurationError(
                "the hub's store holds no epoch key: run `edge hub init` first"
            )
        booths = [
            booth
            for booth in self._registry.booths()
            if booth.revoked_at is None and _has_keys(booth)
        ]
        self._booths = {b.booth_id: b for b in booths}
        self.readers = {
            b.booth_id: SealingPublicKey(b.previous_sealing or b.sealing)
            for b in booths
        }
        self.epochs = epochs
        self._revision = revision
        return True

    def content_key(self) -> ContentKey:
        """Return the key of the newest epoch, in which everything is published."""
        return self.epochs[-1]

    def signing_key(self, booth_id: str, key_id: bytes) -> VerifyingKey:
        """Return the key of this id by which a booth may sign now.

        The registry is asked as it stands.

        Raises:
            RefusalError: WRONG_SIGNER: the booth is unknown or revoked, or the key is
                not one of its keys.
            StoreError, ConfigurationError: as look.
        """
        self.look()
        booth = self._booths.get(booth_id)
        if booth is None:
            raise RefusalError(
                RefusalReason.WRONG_SIGNER,
                f"booth {booth_id} is not admitted, or is revoked",
            )
        newest = VerifyingKey(booth.signing)
        previous = self._previous(booth)
        if key_id == newest.key_id:
            return newest
        if previous is not None and key_id == previous.key_id:
            return previous
        raise RefusalError(
            RefusalReason.WRONG_SIGNER,
            f"signed by {key_id.hex()}, which is no key of booth {booth_id}",
        )

    def note_use(self, booth_id: str, key_id: bytes) -> None:
        """Note that a booth has signed by a key: by its newest, it has no other.

        Raises:
            StoreError: the registry cannot be written.
        """
        booth = self._booths.get(booth_id)
        if booth is None or booth.previous_signing is None:
            return
        if key_id == VerifyingKey(booth.signing).key_id:
            self._registry.end_renewal(booth_id)

    def _previous(self, booth: AdmittedBooth) -> VerifyingKey | None:
        until = booth.previous_until
        if booth.previous_signing is None or until is None:
            return None
        return (
            None if until < self._clock.now() else VerifyingKey(booth.previous_signing)
        )

    def _opened(self, epoch: int, sealed: bytes) -> ContentKey:
        for key in self._sealing_keys.values():
            try:
                return open_epoch(epoch, sealed, key)
            except MessageError:
                continue
        raise ConfigurationError(
            f"the key of epoch {epoch} opens with none of the hub's sealing keys: "
            "put the old sealing key back into the key folder"
        )


def _has_keys(booth: AdmittedBooth) -> bool:
    """Return whether the keys are keys; a booth that has none can say nothing."""
    try:
        VerifyingKey(booth.signing)
        VerifyingKey(booth.previous_signing or booth.signing)
        SealingPublicKey(booth.sealing)
        SealingPublicKey(booth.previous_sealing or booth.sealing)
    except MessageError:
        return False
    return True
