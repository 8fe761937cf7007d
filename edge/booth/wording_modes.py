"""Degraded modes in words: what still works, and what does not."""

from __future__ import annotations

from edge.booth.marking import mark

MODES = {
    "mode.no_link.name": mark("No link"),
    "mode.no_link.works": mark("Checks and decisions work; hits wait on this booth."),
    "mode.no_link.does_not": mark("Changes of the watchlist and the hub’s answers."),
    "mode.hub_silent.name": mark("The hub is silent"),
    "mode.hub_silent.works": mark("Checks and decisions work; hits wait for the hub."),
    "mode.hub_silent.does_not": mark(
        "The hub’s answers; fresh proof of the watchlist."
    ),
    "mode.watchlist_stale.name": mark("The watchlist is not fresh"),
    "mode.watchlist_stale.works": mark("It is searched as it is."),
    "mode.watchlist_stale.does_not": mark("Persons listed since then are not found."),
    "mode.watchlist_unverified.name": mark("The watchlist is not verified"),
    "mode.watchlist_unverified.works": mark("It is searched; matches are referred."),
    "mode.watchlist_unverified.does_not": mark("Nobody is cleared by it."),
    "mode.no_watchlist.name": mark("No watchlist"),
    "mode.no_watchlist.works": mark("Captures; documents are checked by hand."),
    "mode.no_watchlist.does_not": mark("Nobody can be searched or cleared."),
    "mode.scanner_absent.name": mark("No scanner"),
    "mode.scanner_absent.works": mark("Faces are taken and searched."),
    "mode.scanner_absent.does_not": mark("Fingerprints. No check ends in Clear."),
    "mode.scanner_failing.name": mark("The scanner fails"),
    "mode.scanner_failing.works": mark("Faces are taken and searched."),
    "mode.scanner_failing.does_not": mark("Fingerprints, until the scanner answers."),
    "mode.camera_absent.name": mark("No camera"),
    "mode.camera_absent.works": mark("Fingerprints are taken and searched."),
    "mode.camera_absent.does_not": mark("Faces."),
    "mode.camera_failing.name": mark("The camera fails"),
    "mode.camera_failing.works": mark("Fingerprints are taken and searched."),
    "mode.camera_failing.does_not": mark("Faces, until the camera answers."),
    "mode.faces_not_searched.name": mark("The list is not searched by face"),
    "mode.faces_not_searched.works": mark("Fingerprints; faces confirm candidates."),
    "mode.faces_not_searched.does_not": mark("Nobody is found by the face alone."),
    "mode.watchlist_building.name": mark("The watchlist is being prepared"),
    "mode.watchlist_building.works": mark("Captures; the search of a part."),
    "mode.watchlist_building.does_not": mark(
        "No check ends in Clear until it is done."
    ),
    "mode.disk_nearly_full.name": mark("The disk is nearly full"),
    "mode.disk_nearly_full.works": mark("Checks work for now; tell the engineer."),
    "mode.disk_nearly_full.does_not": mark("Once it is full nothing can be recorded."),
    "mode.clock_untrusted.name": mark("The clock is not trustworthy"),
    "mode.clock_untrusted.works": mark("Checks and searches work."),
    "mode.clock_untrusted.does_not": mark("Nobody can tell how old the watchlist is."),
    "mode.store_unwritable.name": mark("Nothing can be recorded"),
    "mode.store_unwritable.works": mark("Documents are checked by hand."),
    "mode.store_unwritable.does_not": mark("No check counts. Call the engineer."),
}
