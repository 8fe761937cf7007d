"""The booth's end of the wire: outbox to the hub, watchlist changes from it.

The broker is a wire, not a store. Every connection starts a clean session; what the
broker had queued, retained or acknowledged may vanish at any moment without loss,
because a message stays in the booth's outbox until the hub's own receipt arrives, and
the watchlist is asked for by cursor. Duplicates are therefore normal and harmless.
"""
