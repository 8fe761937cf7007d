"""The other end of the wire: takes the booths' hits, publishes the watchlist log."""
