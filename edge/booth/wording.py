"""What the booth's scripts say, in English, each under the key they ask for.

A message is marked here and translated when a page is made; see texts.py.
"""

from __future__ import annotations

from edge.booth.marking import mark, mark_plural

COMMON = {
    "web.unreachable": mark("The booth does not answer. Try again."),
    "web.refused": mark("That was refused."),
    "web.close": mark("Close"),
}

OUTCOMES = {
    "outcome.clear.word": mark("Clear"),
    "outcome.clear.what": mark("Searched, nobody found. Let the traveller pass."),
    "outcome.clear.why": mark("To know"),
    "outcome.refer.word": mark("Refer"),
    "outcome.refer.what": mark("A possible match. Look, compare, decide."),
    "outcome.refer.why": mark("To know"),
    "outcome.retry.word": mark("Try again"),
    "outcome.retry.what": mark("Not searched yet: the samples are too poor."),
    "outcome.retry.why": mark("What was wrong, and what helps"),
    "outcome.degraded.word": mark("Incomplete"),
    "outcome.degraded.what": mark(
        "Nobody found, but not all was searched. Decide by what you have."
    ),
    "outcome.degraded.why": mark("What is missing"),
    "failed.word": mark("No result"),
    "failed.what": mark("The check could not be recorded, so it does not count."),
}

CHECKS = {
    "start.first": mark("Start the check"),
    "start.next": mark("Next traveller"),
    "start.next_traveller": mark("Next traveller"),
    "start.again": mark("Check again"),
    "after.other_finger": mark("Take another finger"),
    "after.without": mark("Go on without it"),
    "say.ready": mark("Ready for the next traveller."),
    "say.running": mark("The check runs by itself. Lead the traveller."),
    "say.busy": mark("A check is running already; wait for its end."),
    "say.lost": mark("The booth was started anew. Nothing was recorded; check again."),
    "say.after_clear": mark("Done. Nothing of this traveller is kept."),
    "say.after_retry": mark("Capture again, take another finger, or go on without it."),
    "say.after_degraded": mark(
        "Check again, go on without it, or decide by the documents."
    ),
    "station.finger_done": mark("Fingerprint taken"),
    "station.face_done": mark("Face taken"),
    "station.skipped": mark("Left out"),
    "station.reading": mark("Reading the fingerprint"),
    "station.searching": mark("Searching the watchlist"),
    "station.quality": mark("Quality {quality}"),
    "station.take_face": mark("Take face {number}"),
    "station.this_one": mark("This one"),
    "pace.seconds": mark("{seconds} s"),
    "skip.finger": mark("This finger cannot be taken"),
    "skip.face": mark("The face cannot be taken"),
    "skip.lead": mark(
        "The reason is recorded. It says nothing against the traveller; without the "
        "sample the check does not end in Clear."
    ),
    "skip.lead_finger": mark(
        "The reason is recorded. It says nothing against the traveller; without the "
        "finger the check does not end in Clear. Who refuses, and a child, is asked "
        "for no other finger."
    ),
    "skip.done": mark("Go on"),
    "way.other_finger": mark("The booth chooses another finger"),
    "override.title": mark("Take it as it is"),
    "override.lead": mark(
        "The best sample so far is searched with, though it is too poor. The check "
        "does not end in Clear."
    ),
    "override.done": mark("Take it"),
    "samples.none": mark("At least one finger is asked for."),
    "note.needed": mark("(needed)"),
    "note.optional": mark("(optional)"),
    "hub.says": mark("The hub: {text}"),
}

HITS = {
    "hit.title": mark("Referral"),
    "hit.lead": mark("A possible match, not a verdict. Look, compare, decide."),
    "hit.loading": mark("The evidence is being fetched."),
    "hit.unreadable": mark("The evidence cannot be read now. The referral is kept."),
    "hit.again": mark("Try again"),
    "hit.leave_open": mark("Leave it open, next traveller"),
    "hit.one_in_lead": mark("One false alarm in"),
    "hit.one_in_tail": mark("travellers"),
    "hit.one_in": mark("One false alarm in comparisons"),
    "hit.drill": mark("DRILL: a synthetic person. Nobody is wanted."),
    "hit.live": mark("{what}, taken now"),
    "hit.on_list": mark("On the list"),
    "hit.reference_waiting": mark("On the list; the picture comes with the link"),
    "hit.reference_none": mark("On the list; there is no picture"),
    "hit.reference_here": mark("On the list; no picture of this kind"),
    "hit.side": mark("Entry and decision"),
    "hit.entry": mark("Entry of the watchlist"),
    "hit.if_same": mark("If it is the same person:"),
    "hit.no_name": mark("No name on the list"),
    "hit.no_instruction": mark("No instruction; ask the hub."),
    "hit.no_entry": mark("The entry has been withdrawn since. Ask the hub."),
    "hit.category": mark("Category"),
    "hit.originator": mark("Originator"),
    "hit.handling": mark("Handling code"),
    "hit.basis": mark("Legal basis"),
    "hit.entry_id": mark("Entry"),
    "hit.found_at": mark("Found"),
    "hit.hub": mark("The hub"),
    "hit.delivered": mark("The hub has it"),
    "hit.not_delivered": mark("On its way"),
    "hit.no_answer": mark("No answer yet."),
    "hit.waits_for_link": mark("It goes to the hub as soon as there is a link."),
    "hit.each_sample": mark("What each sample says"),
    "hit.sample": mark("Sample"),
    "hit.candidate": mark("Candidate"),
    "hit.weight": mark("Weight"),
    "hit.this_person": mark("This person"),
    "hit.other_person": mark("Another person, less alike ({number})"),
    "hit.deciding": mark("decided"),
    "category.DRILL": mark("Drill"),
    "prints.label": mark(
        "Both fingerprints; {pairs} corresponding points. Plus and minus enlarge and "
        "shrink, arrows move, M shows or hides the points."
    ),
    "prints.legend": mark(
        "{pairs} points correspond; the same colour marks the same point. Circles are "
        "ridge endings, squares are bifurcations."
    ),
    "prints.marks": mark("Show the points"),
    "prints.larger": mark("Enlarge"),
    "prints.smaller": mark("Shrink"),
    "prints.whole": mark("Whole picture"),
}

DECISIONS = {
    "decision.title": mark("Decision"),
    "decision.undecided": mark("Your decision"),
    "decision.awaiting_second": mark("A second officer is needed"),
    "decision.confirmed": mark("Confirmed: the same person"),
    "decision.confirmed.next": mark("Follow the instruction above. The hub is told."),
    "decision.refuted": mark("Refuted: another person"),
    "decision.refuted.next": mark("Let the traveller pass. The hub is told."),
    "decision.undetermined": mark("The officers cannot tell"),
    "decision.undetermined.next": mark("Ask the traveller to wait; ask the hub."),
    "decision.disputed": mark("The officers do not agree"),
    "decision.disputed.next": mark("Ask the traveller to wait; the hub decides."),
    "decision.two_needed": mark("A second officer confirms it afterwards."),
    "decision.one_needed": mark("Your decision is enough."),
    "decision.second_lead": mark(
        "Another officer looks at the same evidence, signs in here and decides alone. "
        "It works without a link."
    ),
    "second.name": mark("Second officer"),
    "second.password": mark("Password"),
    "second.verdict": mark("Decision"),
    "second.reason": mark("Reason"),
    "second.note": mark("Note"),
    "second.done": mark("Record the second decision"),
    "second.refused": mark("Wrong name or password. Nothing was recorded."),
}

STATUS = {
    "chip.link": mark("Link"),
    "chip.hub": mark("Hub last heard"),
    "chip.watchlist": mark("Watchlist"),
    "chip.scanner": mark("Scanner"),
    "chip.camera": mark("Camera"),
    "chip.disk": mark("Disk"),
    "chip.clock": mark("Clock"),
    "chip.outbox": mark("Waiting for the hub"),
    "link.up": mark("Link"),
    "link.down": mark("No link"),
    "link.none": mark("Local list"),
    "link.unknown": mark("Never linked"),
    "device.on": mark("ready"),
    "device.off": mark("absent"),
    "device.ready": mark("ready"),
    "device.streaming": mark("ready"),
    "device.opening": mark("starting"),
    "device.absent": mark("absent"),
    "device.unreachable": mark("failing"),
    "device.refused": mark("failing"),
    "device.unknown": mark("unknown"),
    "status.never": mark("never"),
    "status.watchlist": mark("{count} persons, as of {age} ago"),
    "status.watchlist_short": mark("{age} ago"),
    "status.watchlist_plain": mark("{count} persons"),
    "status.free": mark("{size} free"),
    "status.clock_good": mark("right"),
    "status.clock_bad": mark("not trustworthy"),
    "status.details": mark("What works"),
    "status.works": mark("Works:"),
    "status.does_not": mark("Does not:"),
    "status.all_well": mark("Everything works."),
}

COUNTED = {
    "step.attempt": mark_plural("attempt {count}", "attempt {count}"),
    "status.outbox": mark_plural("{count} message", "{count} messages"),
    "status.more": mark_plural("and {count} more", "and {count} more"),
    "open_hits": mark_plural("{count} open referral", "{count} open referrals"),
}

MESSAGES = {**COMMON, **OUTCOMES, **CHECKS, **HITS, **DECISIONS, **STATUS}
