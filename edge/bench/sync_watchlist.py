"""The watchlist on its way from the hub to a booth, measured."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from edge.bench.sync_site import await_count, await_true, milliseconds, rows
from edge.clock import SystemClock
from edge.errors import InputError
from edge.simulate.watchlist_persons import GeneratedPersons, template_bytes, withdrawal
from edge.store.hub_log import StoredHubLog
from edge.store.replica import StoredReplica
from edge.terms import ChangeOperation, DraftChange

if TYPE_CHECKING:
    from edge.bench.progress import Progress
    from edge.bench.sync_site import Site

APPENDED_AT_ONCE = 1000
SETTLE_S = 1.0
# The list that the figures speak of.
COUNTRY = 180_000


@dataclass
class Filled:
    """persons: how many have ever been on the list. raw_bytes: of their templates."""

    persons: int
    raw_bytes: int


def fill_hub(
    site: Site, persons: GeneratedPersons, count: int, progress: Progress
) -> Filled:
    """Put count persons on the hub's list."""
    log, raw_bytes = StoredHubLog(site.hub), 0
    for start in range(0, count, APPENDED_AT_ONCE):
        progress.step("persons at the hub", start, count)
        more = min(APPENDED_AT_ONCE, count - start)
        drafts = list(persons.additions(start, more))
        raw_bytes += sum(map(template_bytes, drafts))
        log.append(drafts, at=SystemClock().now())
    progress.step("persons at the hub", count, count)
    return Filled(count, raw_bytes)


def measure_snapshot(
    site: Site, filled: Filled, *, bits_per_s: float, progress: Progress
) -> dict[str, Any]:
    """Make the first snapshot and bring it to an empty booth over a slow line.

    Hub and edge-sync run after it, the line is a good one again.
    """
    start_s = time.monotonic()
    site.make_snapshot(lambda done, total: progress.step("snapshot", done, total))
    built_s = time.monotonic() - start_s
    chunks, size = rows(site.hub, _CHUNKS)[0]
    site.line.limit(bits_per_s)
    before = site.line.down_bytes
    site.start_hub()
    start_s = time.monotonic()
    site.start_sync()
    await_count(
        lambda: min(site.line.down_bytes - before, size),
        size,
        "the snapshot",
        lambda done, total: progress.step("snapshot to the booth", done, total),
    )
    received_s = time.monotonic() - start_s
    await_in_step(site, "the snapshot")
    total_s = time.monotonic() - start_s
    down_bytes = site.line.down_bytes - before
    site.line.heal()
    return {
        "persons": filled.persons,
        "raw_template_bytes_per_person": round(filled.raw_bytes / filled.persons, 1),
        "snapshot_bytes_per_person": round(size / filled.persons, 1),
        "wire_bytes_per_person": round(down_bytes / filled.persons, 1),
        "times_raw": round(size / filled.raw_bytes, 3),
        "wire_times_raw": round(down_bytes / filled.raw_bytes, 3),
        "chunks": chunks,
        "build_s": round(built_s, 1),
        "line_bits_per_s": bits_per_s,
        "received_s": round(received_s, 1),
        "searchable_list_s": round(total_s, 1),
        "country_s": round(total_s * COUNTRY / filled.persons, 1),
        "is_country_extrapolated": filled.persons != COUNTRY,
        "sync_peak_bytes": site.sync_peak_bytes(),
        "hub_peak_bytes": site.hub_peak_bytes(),
    }


def start_with_list(site: Site, progress: Progress) -> None:
    """Start hub and edge-sync, and bring the list to the booth over a good line."""
    site.make_snapshot(lambda done, total: progress.step("snapshot", done, total))
    site.start_hub()
    site.start_sync()
    progress.step("list to the booth", 0, 1)
    await_in_step(site, "the snapshot")
    progress.step("list to the booth", 1, 1)


def await_in_step(site: Site, what: str) -> None:
    """Wait until the booth holds what the hub has."""
    end, replica = StoredHubLog(site.hub).position(), StoredReplica(site.watchlist)
    await_true(lambda: replica.position() == end, what, poll_s=0.02)


def measure_publish(
    site: Site,
    persons: GeneratedPersons,
    filled: Filled,
    *,
    changes: int,
    progress: Progress,
) -> dict[str, Any]:
    """Append one change after the other; time each until searches see it.

    Time runs from before the hub's transaction to the instant from which a search sees
    the person; that search is then made, with the person's own templates.

    Raises:
        InputError: a search did not find its person.
    """
    log, random = StoredHubLog(site.hub), Random(1)  # noqa: S311  spreads instants only
    held = log.position().count
    delays_s, searches_s = [], []

    def show(share: float) -> None:
        progress.step("galleries of the booth", round(100 * share), 100)

    with site.searching(show) as watched:
        await_true(lambda: watched.sequence == log.position().sequence, "the galleries")
        for number in range(changes):
            progress.step("published changes", number, changes)
            [draft] = persons.additions(filled.persons, 1)
            filled.persons += 1
            # The hub and the booth look now and then: not always at the same instant.
            time.sleep(SETTLE_S * random.random())
            start_s = time.monotonic()
            [change] = log.append([draft], at=SystemClock().now())
            wanted = change.change.sequence
            await_true(
                lambda wanted=wanted: watched.sequence >= wanted,  # type: ignore[misc]  # a lambda with a default
                "the change in a search",
            )
            delays_s.append(time.monotonic() - start_s)
            fingers = [item.template for item in draft.references[:2]]
            start_s = time.monotonic()
            found = watched.search(fingers)
            searches_s.append(time.monotonic() - start_s)
            if not found or found[0].entry_id != draft.entry_id:
                message = f"sync benchmark: a search did not find {draft.entry_id}"
                raise InputError(message)
        progress.step("published changes", changes, changes)
    return {
        "entries_held": held,
        "publish_to_searchable": milliseconds(delays_s),
        "search_that_finds": milliseconds(searches_s),
    }


@dataclass(frozen=True)
class Mix:
    """A day's changes: the shares that carry templates; the rest are withdrawals."""

    added: float = 0.05
    replaced: float = 0.10


def measure_delta(
    site: Site,
    persons: GeneratedPersons,
    filled: Filled,
    *,
    changes: int,
    mix: Mix,
    bits_per_s: float,
    progress: Progress,
) -> dict[str, Any]:
    """Let a day's changes pile up at the hub, then send them over a very slow line."""
    drafts = _day(persons, filled, changes, mix)
    site.stop_sync()
    log, replica = StoredHubLog(site.hub), StoredReplica(site.watchlist)
    start = log.position().sequence
    log.append(drafts, at=SystemClock().now())
    filled.persons += sum(d.operation is ChangeOperation.ADD for d in drafts)
    site.line.limit(bits_per_s)
    before = site.line.down_bytes, site.line.up_bytes
    start_s = time.monotonic()
    site.start_sync()

    def held() -> int:
        position = replica.position()
        return 0 if position is None else position.sequence - start

    await_count(
        held,
        changes,
        "the day's changes",
        lambda done, total: progress.step("changes to the booth", done, total),
    )
    took_s = time.monotonic() - start_s
    down = site.line.down_bytes - before[0]
    up = site.line.up_bytes - before[1]
    site.line.heal()
    return {
        "changes": changes,
        "share_added": mix.added,
        "share_replaced": mix.replaced,
        "line_bits_per_s": bits_per_s,
        "seconds": round(took_s, 1),
        "down_bytes": down,
        "up_bytes": up,
        "bytes_per_change": round(down / changes, 1),
    }


def with_worst_case(delta: dict[str, Any], bytes_per_person: float) -> dict[str, Any]:
    """Add what the same number of changes takes if all bring whole templates.

    bytes_per_person: as measured in a snapshot; a change is compressed like it.
    """
    with_templates = delta["share_added"] + delta["share_replaced"]
    bytes_without = (delta["bytes_per_change"] - with_templates * bytes_per_person) / (
        1 - with_templates
    )
    bytes_per_s = delta["line_bits_per_s"] / 8
    fits = 300 * bytes_per_s / delta["changes"]
    share = (fits - bytes_without) / (bytes_per_person - bytes_without)
    return delta | {
        "bytes_per_change_without_templates": round(bytes_without, 1),
        "share_with_templates_in_5_minutes": round(min(1.0, max(0.0, share)), 3),
        "all_with_templates_s": round(
            delta["changes"] * bytes_per_person / bytes_per_s, 1
        ),
    }


def _day(
    persons: GeneratedPersons, filled: Filled, changes: int, mix: Mix
) -> list[DraftChange]:
    added, replaced = round(changes * mix.added), round(changes * mix.replaced)
    withdrawn = changes - added - replaced
    if withdrawn < 0 or replaced + withdrawn > filled.persons:
        message = (
            f"sync benchmark: {filled.persons} persons are too few for a day of "
            f"{changes} changes; give more --persons or fewer --changes"
        )
        raise InputError(message)
    drafts = [withdrawal(persons.entry_id(i)) for i in range(withdrawn)]
    for place, draft in enumerate(persons.additions(withdrawn, replaced)):
        entry = persons.entry(withdrawn + place, version=2)
        drafts.append(replace(draft, operation=ChangeOperation.REPLACE, entry=entry))
    drafts += islice(persons.additions(filled.persons, added), added)
    Random(1).shuffle(drafts)  # noqa: S311  an order only
    return drafts


_CHUNKS = "select count(*), coalesce(sum(length(data)), 0) from snapshot_chunks"
