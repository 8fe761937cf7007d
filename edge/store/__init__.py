"""SQLite: what must survive a power cut. Short transactions, a connection a thread."""
