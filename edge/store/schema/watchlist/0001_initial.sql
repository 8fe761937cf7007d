-- The log columns are null while the list is not the hub's; digest_state: 2048 bytes.
create table watchlist_state (
    id integer primary key check (id = 1),
    cursor integer not null,
    revision integer not null,
    log text,
    chain blob,
    digest blob,
    digest_state blob,
    count integer,
    latest_trusted_at text
) strict;
insert into watchlist_state (id, cursor, revision) values (1, 0, 0);

-- sequence, operation, changed_at: of the change that made the entry as it stands.
-- record_digest: SHA-256 of its record; row_digest: of the record that the row gives,
-- null where it is the same. All of them are null for an entry made on this machine.
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
    expires_at text,
    sequence integer,
    operation text,
    changed_at text,
    record_digest blob,
    row_digest blob
) strict;
create index entries_by_validity on entries (valid_from, expires_at);

-- Numbers rise and none comes twice, so that a gallery can ask for what is new.
create table biometric_references (
    number integer primary key autoincrement,
    reference_id text not null,
    entry_id text not null references entries (entry_id) on delete cascade,
    modality text not null,
    position integer not null,
    template blob not null
) strict;
create index references_by_entry on biometric_references (entry_id);
create index references_by_modality on biometric_references (modality, number);

-- In the order of removal, which is not that of the numbers.
create table removed_references (
    removal integer primary key autoincrement,
    number integer not null
) strict;
create trigger a_removed_reference_is_noted after delete on biometric_references
begin
    insert into removed_references (number) values (old.number);
end;

-- Withdrawals that no deletion receipt has been written of yet.
create table withdrawn (
    sequence integer not null,
    entry_id text not null,
    primary key (sequence, entry_id)
) strict;

-- The signed objects that the booth goes on from: trust, grant, head, manifest.
create table documents (
    name text primary key,
    content blob not null
) strict;

-- The manifest of the snapshot whose chunks are being collected in files.
create table staged_snapshot (
    id integer primary key check (id = 1),
    manifest blob not null
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
