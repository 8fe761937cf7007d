create table watchlist_state (
    id integer primary key check (id = 1),
    cursor integer not null,
    revision integer not null
) strict;
insert into watchlist_state values (1, 0, 0);

create table entries (
    entry_id text primary key,
    version integer not null,
    name text,
    category text not null,
    originator text not null,
    handling_code text not null,
    legal_basis text not null,
    instruction text not null,
    valid_from text not null,
    expires_at text
) strict;

create table biometric_references (
    reference_id text primary key,
    entry_id text not null references entries (entry_id) on delete cascade,
    modality text not null,
    position integer not null,
    template blob not null
) strict;
create index references_by_entry on biometric_references (entry_id);

create table checks (
    check_id text primary key,
    started_at text not null,
    finished_at text not null,
    outcome text not null,
    attempts integer not null,
    reasons text not null,
    duration_ms integer not null
) strict;

create table hits (
    hit_id text primary key,
    check_id text not null,
    entry_id text not null,
    entry_version integer not null,
    occurred_at text not null,
    payload blob not null,
    delivered_at text
) strict;

create table outbox_counter (
    id integer primary key check (id = 1),
    last_sequence integer not null
) strict;
insert into outbox_counter values (1, 0);

create table outbox (
    message_id text primary key,
    sequence integer not null unique,
    kind text not null,
    payload blob not null,
    created_at text not null,
    attempts integer not null default 0,
    sent_at text
) strict;

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
