-- What the operators do with the hits. A case is a hit as they see it: what their list
-- shows stands in the row, so that no list has to open what a booth has signed.
-- severity: 1 to 4. state: open or closed. decision: of the booth's officers.
create table cases (
    hit_id text primary key references received_hits (hit_id),
    number integer not null unique,
    booth_id text not null,
    check_id text not null,
    entry_id text not null,
    entry_version integer not null,
    name text,
    category text not null,
    handling_code text not null,
    severity integer not null,
    is_drill integer not null,
    is_historical integer not null,
    modalities text not null,
    false_match_rate real not null,
    occurred_at text not null,
    received_at text not null,
    state text not null default 'open',
    claimed_by text,
    claimed_at text,
    escalated_at text,
    decision text not null default 'undecided',
    outcome text,
    closed_at text
) strict;
create index cases_in_order on cases (state, severity desc, number desc);
create index cases_by_number on cases (number desc, state);
create index cases_by_booth on cases (booth_id, state, severity desc, number desc);
create index cases_by_claim on cases (claimed_by, state, severity desc, number desc)
    where claimed_by is not null;
create index cases_unclaimed on cases (received_at)
    where state = 'open' and claimed_by is null;

-- Everything that has happened to any case, in one order: the timeline of a case, and
-- what a browser that comes back has missed. body: JSON.
create table case_events (
    number integer primary key autoincrement,
    hit_id text not null references cases (hit_id),
    at text not null,
    actor text not null,
    kind text not null,
    body text not null
) strict;
create index case_events_by_case on case_events (hit_id, number);
create trigger case_events_are_append_only_update before update on case_events
begin
    select raise(abort, 'the timeline is append-only');
end;
create trigger case_events_are_append_only_delete before delete on case_events
begin
    select raise(abort, 'the timeline is append-only');
end;

-- Instructions under way; the row is settled when the booth has answered or it is over.
create table case_instructions (
    command_id text primary key references commands (command_id),
    hit_id text not null references cases (hit_id),
    is_settled integer not null default 0
) strict;
create index case_instructions_open on case_instructions (command_id)
    where is_settled = 0;

-- How far the console has read: hits and decisions by the number of their message, the
-- watchlist by its log and sequence.
create table console_position (
    id integer primary key check (id = 1),
    hits integer not null,
    decisions integer not null,
    log text,
    sequence integer not null
) strict;
insert into console_position values (1, 0, 0, null, 0);

-- Changes to the watchlist that a second person has to release. change: the record of
-- the entry, with references, until it is decided. sequence: of the log, once released.
create table watchlist_drafts (
    number integer primary key autoincrement,
    draft_id text not null unique,
    operation text not null,
    entry_id text not null,
    change blob,
    reason text not null,
    state text not null default 'waiting',
    created_by text not null,
    created_at text not null,
    decided_by text,
    decided_at text,
    decision_note text,
    sequence integer
) strict;
create index drafts_by_state on watchlist_drafts (state, number desc);
create table draft_images (
    draft_id text not null references watchlist_drafts (draft_id),
    reference_id text not null,
    modality text not null,
    position integer not null,
    quality integer not null,
    png blob not null,
    primary key (draft_id, reference_id)
) strict;

-- What a list of the entries shows; follows the log, and can be made from it anew.
create table entry_facts (
    entry_id text primary key,
    version integer not null,
    category text not null,
    originator text not null,
    handling_code text not null,
    name text,
    valid_from text not null,
    expires_at text,
    references_count integer not null,
    sequence integer not null
) strict;
create index entry_facts_by_expiry on entry_facts (expires_at)
    where expires_at is not null;
create index log_changes_by_entry on log_changes (entry_id, sequence);
create index audit_by_subject on audit (subject, number);
create index log_withdrawals on log_changes (log, sequence)
    where operation = 'withdraw';
