-- The watchlist has a file of its own: a long change of it must not keep a check waiting.
drop table biometric_references;
drop table removed_references;
drop table entries;
drop table watchlist_state;
