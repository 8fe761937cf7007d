-- What came before could not be signed, and no release wrote it.
drop table entries;
drop table watchlist_log;
drop table hits;
drop table booths;

-- The log with its chain: what a batch that ends at a change has to say of the set.
create table log_state (
    id integer primary key check (id = 1),
    log text not null,
    sequence integer not null,
    chain blob not null,
    digest blob not null,
    count integer not null,
    lanes blob not null
) strict;

create table log_changes (
    log text not null,
    sequence integer not null,
    entry_id text not null,
    operation text not null,
    record blob not null,
    chain blob not null,
    digest blob not null,
    count integer not null,
    changed_at text not null,
    primary key (log, sequence)
) strict;
create trigger changes_are_append_only_update before update on log_changes
begin
    select raise(abort, 'the watchlist log is append-only');
end;
create trigger changes_are_append_only_delete before delete on log_changes
begin
    select raise(abort, 'the watchlist log is append-only');
end;

-- bucket_key: SHA-256 of the entry's id, the order of a snapshot.
create table current_entries (
    entry_id text primary key,
    bucket_key blob not null unique,
    record_digest blob not null,
    log text not null,
    sequence integer not null,
    record_size integer not null,
    foreign key (log, sequence) references log_changes (log, sequence)
) strict;

create table snapshots (
    sequence integer not null,
    epoch integer not null,
    number integer primary key autoincrement,
    manifest blob not null
) strict;
create table snapshot_chunks (
    address blob primary key,
    plaintext_digest blob not null unique,
    data blob not null
) strict;
create table snapshot_contents (
    number integer not null references snapshots (number) on delete cascade,
    address blob not null references snapshot_chunks (address),
    primary key (number, address)
) strict;
create index contents_by_address on snapshot_contents (address);

create table recalls (
    log text not null,
    sequence integer not null,
    entry_id text not null,
    originator text not null,
    reason text not null,
    withdrawn_at text not null,
    primary key (log, sequence)
) strict;

create table messages (
    number integer primary key autoincrement,
    booth_id text not null,
    stream text not null,
    sequence integer not null,
    message_id text not null unique,
    kind text not null,
    created_at text not null,
    received_at text not null,
    is_historical integer not null,
    digest blob not null,
    signed blob not null,
    unique (booth_id, stream, sequence)
) strict;
create trigger messages_are_append_only before update on messages
begin
    select raise(abort, 'what was received is not changed');
end;

create table received_hits (
    hit_id text primary key,
    number integer not null unique references messages (number),
    booth_id text not null,
    entry_id text not null,
    occurred_at text not null
) strict;
create index received_hits_by_booth on received_hits (booth_id, number);

-- contiguous: every number up to it has come. gap_since: when one was first missed.
create table streams (
    booth_id text not null,
    stream text not null,
    contiguous integer not null,
    highest integer not null,
    gap_since text,
    primary key (booth_id, stream)
) strict;

create table console (
    id integer primary key check (id = 1),
    number integer not null
) strict;
insert into console values (1, 0);

create table holdings (
    number integer primary key references messages (number),
    booth_id text not null,
    log text not null,
    sequence integer not null,
    chain blob not null,
    digest blob not null,
    count integer not null,
    message_id text not null
) strict;
create index holdings_by_booth on holdings (booth_id, log, sequence);

create table health (
    booth_id text primary key,
    at text not null,
    report text not null
) strict;

create table commands (
    command_id text primary key,
    booth_id text not null,
    kind text not null,
    body blob not null,
    issued_at text not null,
    expires_at text not null,
    state text not null,
    sent_at text,
    outcome text,
    detail text,
    answered_at text
) strict;
create index commands_by_state on commands (state, expires_at);

create table link_states (
    booth_id text primary key,
    state text not null,
    last_seen_at text not null
) strict;

create table registry (
    booth_id text primary key,
    signing blob not null,
    sealing blob not null,
    certificate blob not null,
    admitted_at text not null,
    revoked_at text,
    serial integer not null default 0
) strict;
create table epochs (
    epoch integer primary key,
    sealed_key blob not null,
    begun_at text not null
) strict;
create table registry_revision (
    id integer primary key check (id = 1),
    revision integer not null
) strict;
insert into registry_revision values (1, 0);

create table audit (
    number integer primary key,
    at text not null,
    actor text not null,
    action text not null,
    subject text not null,
    previous_hash blob not null,
    hash blob not null
) strict;
create trigger audit_is_append_only_update before update on audit
begin
    select raise(abort, 'the audit log is append-only');
end;
create trigger audit_is_append_only_delete before delete on audit
begin
    select raise(abort, 'the audit log is append-only');
end;
