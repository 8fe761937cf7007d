"""What hub and booth agree on about the watchlist log: pure, bytes in, trust out."""
