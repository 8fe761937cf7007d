create table watchlist_log (
    sequence integer primary key,
    entry_id text not null,
    operation text not null,
    change blob not null
) strict;
create trigger log_is_append_only_update before update on watchlist_log
begin
    select raise(abort, 'the watchlist log is append-only');
end;
create trigger log_is_append_only_delete before delete on watchlist_log
begin
    select raise(abort, 'the watchlist log is append-only');
end;

create table entries (
    entry_id text primary key,
    version integer not null,
    last_sequence integer not null references watchlist_log (sequence)
) strict;

create table hits (
    hit_id text primary key,
    message_id text not null unique,
    booth_id text not null,
    sequence integer not null,
    entry_id text not null,
    occurred_at text not null,
    received_at text not null,
    payload blob not null
) strict;
create index hits_by_booth on hits (booth_id, sequence);

create table booths (
    booth_id text primary key,
    state text not null,
    last_seen_at text not null,
    cursor integer not null default 0
) strict;
