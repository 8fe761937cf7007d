-- Numbers rise and none comes twice, so that a gallery can ask for what is new.
create table numbered_references (
    number integer primary key autoincrement,
    reference_id text not null unique,
    entry_id text not null references entries (entry_id) on delete cascade,
    modality text not null,
    position integer not null,
    template blob not null
) strict;
insert into numbered_references (reference_id, entry_id, modality, position, template)
    select reference_id, entry_id, modality, position, template
    from biometric_references order by entry_id, reference_id;
drop table biometric_references;
alter table numbered_references rename to biometric_references;
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

create index entries_by_validity on entries (valid_from, expires_at);
