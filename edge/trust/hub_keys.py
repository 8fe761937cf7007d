"""The working keys of a hub, as its key folder holds them.

    watchlist.key operations.key sealing.key   PEM; sealing-<key id>.key are older ones
    ca.key ca.pem crl.pem                      the authority of the line, who is revoked
    ca-before.key                              the authority before; ca.pem has both
    tls.key tls.pem, broker.key broker.pem     certificates of the hub and of the broker
    trust.cbor                                 the trust documents
    issued.<booth>.<serial>.pem                every certificate issued to a booth

The root keys are not here: they lie on a medium that is put away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, MessageError
from edge.trust.anchors import kept_anchors
from edge.trust.key_pem import read_sealing_key, read_signing_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.trust.anchors import TrustAnchors
    from edge.trust.key_folder import KeyFolder
    from edge.trust.keys import SealingKey, SealingPublicKey, SigningKey

WATCHLIST, OPERATIONS, SEALING = "watchlist.key", "operations.key", "sealing.key"
OLD_SEALING = "sealing-*.key"
AUTHORITY_KEY, AUTHORITY, REVOKED = "ca.key", "ca.pem", "crl.pem"
AUTHORITY_KEY_BEFORE = "ca-before.key"
TLS_KEY, CERTIFICATE = "tls.key", "tls.pem"
BROKER_KEY, BROKER = "broker.key", "broker.pem"
TRUST = "trust.cbor"
ISSUED = "issued.*.pem"


@dataclass(frozen=True)
class HubKeys:
    """watchlist signs the log, operations everything else that the hub says.

    sealing: what booths and epochs are sealed to, old ones included, by key id. trust:
    the array of trust documents that name these keys.
    """

    watchlist: SigningKey
    operations: SigningKey
    sealing: Mapping[bytes, SealingKey]
    trust: bytes
    anchors: TrustAnchors

    @property
    def sealing_key(self) -> SealingPublicKey:
        """Return the one to seal to."""
        return self.anchors.sealing_key


def load_hub_keys(folder: KeyFolder) -> HubKeys:
    """Read the working keys of a hub.

    Raises:
        ConfigurationError: not made yet, missing, damaged, open to others, or not those
            that the trust document names.
    """
    if folder.path.is_dir():
        folder.open()
    if not folder.has(TRUST):
        message = f"{folder.path}: the hub has no keys yet: run `edge hub init` first"
        raise ConfigurationError(message)
    anchors = read_trust(folder)
    keys = HubKeys(
        watchlist=_signing(folder, WATCHLIST),
        operations=_signing(folder, OPERATIONS),
        sealing=_sealing(folder),
        trust=anchors.encode(),
        anchors=anchors,
    )
    _require_named(folder, keys)
    return keys


def read_trust(folder: KeyFolder) -> TrustAnchors:
    """Return the hub's own trust documents.

    Raises:
        ConfigurationError: missing or damaged.
    """
    try:
        return kept_anchors(folder.read(TRUST))
    except MessageError as error:
        message = f"{folder.place(TRUST)}: damaged: {error}"
        raise ConfigurationError(message) from error


def _signing(folder: KeyFolder, name: str) -> SigningKey:
    return read_signing_key(folder.read(name), origin=str(folder.place(name)))


def _sealing(folder: KeyFolder) -> dict[bytes, SealingKey]:
    names = [SEALING, *folder.names(OLD_SEALING)]
    keys = [
        read_sealing_key(folder.read(name), origin=str(folder.place(name)))
        for name in names
    ]
    return {key.public.key_id: key for key in keys}


def _require_named(folder: KeyFolder, keys: HubKeys) -> None:
    anchors = keys.anchors
    named = {
        WATCHLIST: keys.watchlist.public.key_id in anchors.watchlist_keys,
        OPERATIONS: keys.operations.public.key_id in anchors.operations_keys,
        SEALING: anchors.sealing_key.key_id in keys.sealing,
    }
    for name, is_named in named.items():
        if not is_named:
            message = (
                f"{folder.place(name)}: not a key that trust document "
                f"{anchors.version} names; put back the folder as it was"
            )
            raise ConfigurationError(message)
