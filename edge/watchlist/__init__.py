"""Search over the watchlist, and its exchange files."""
