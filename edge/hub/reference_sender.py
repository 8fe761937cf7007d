"""Sends the booth of a hit the images of its entry, so that officers can decide by eye.

A booth holds templates only; images leave the hub for one booth, one hit, sealed, when
the hit has come, and for no other reason. They travel as commands: repeated until they
are answered, done once, and small enough that an older booth reads them and answers
that it does not know them. Nothing is sent of an entry without images.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from edge.hub.command_sender import new_command
from edge.sync.messages import (
    MAX_IMAGES,
    PART_BYTES,
    CommandKind,
    ImagePart,
    ReferenceImage,
    ReferenceImages,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.clock import Clock
    from edge.hub.store_port import HubImages, HubMessages
    from edge.logs import EventLog
    from edge.records.hub_values import CommandRecord, HitToIllustrate, ShownImage

HITS_A_LOOK = 4
VALID_S = 24 * 3600.0


class ReferenceSender:
    def __init__(
        self, images: HubImages, messages: HubMessages, clock: Clock, log: EventLog
    ) -> None:
        self._images = images
        self._messages = messages
        self._clock = clock
        self._log = log

    def look(self) -> None:
        """Put into the store what some hits that have come need.

        Raises:
            StoreError: the store cannot be read or written.
        """
        for hit in self._images.to_illustrate(limit=HITS_A_LOOK):
            chosen = self._chosen(hit)
            commands = self._commands(hit, chosen) if chosen else []
            self._images.illustrated(hit.number, commands)
            self._log.event("images_ordered", hit_id=hit.hit_id, count=len(chosen))

    def _chosen(self, hit: HitToIllustrate) -> list[ShownImage]:
        """Return the images to send: what was compared first, if there are many."""
        shown = self._images.shown(hit.entry_id)
        stored = self._messages.hit(hit.hit_id) if len(shown) > MAX_IMAGES else None
        if stored is None:
            return shown[:MAX_IMAGES]
        compared = {
            reference_id
            for candidate in stored.hit.candidates
            for reference_id in (
                candidate.reference_id,
                *(sample.reference_id for sample in candidate.samples),
            )
        }
        shown.sort(key=lambda image: image.reference_id not in compared)
        return shown[:MAX_IMAGES]

    def _commands(
        self, hit: HitToIllustrate, images: Sequence[ShownImage]
    ) -> list[CommandRecord]:
        announced = ReferenceImages(
            hit_id=hit.hit_id,
            images=[
                ReferenceImage(
                    reference_id=image.reference_id,
                    modality=image.modality,
                    position=int(image.position),
                    size=len(image.data),
                    digest=hashlib.sha256(image.data).digest(),
                )
                for image in images
            ],
        )
        kind = CommandKind.REFERENCE_IMAGES
        commands = [self._command(hit, kind, announced.encode())]
        for image in images:
            for part, start in enumerate(range(0, len(image.data), PART_BYTES)):
                piece = ImagePart(
                    hit_id=hit.hit_id,
                    reference_id=image.reference_id,
                    part=part,
                    data=image.data[start : start + PART_BYTES],
                )
                body = piece.encode()
                commands.append(self._command(hit, CommandKind.IMAGE_PART, body))
        return commands

    def _command(
        self, hit: HitToIllustrate, kind: CommandKind, body: bytes
    ) -> CommandRecord:
        at = self._clock.now()
        return new_command(hit.booth_id, kind, body, at=at, valid_s=VALID_S)
