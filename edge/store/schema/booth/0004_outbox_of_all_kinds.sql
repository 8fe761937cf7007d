-- A stream is the numbering of one store: a booth with a new disk begins a new one.
-- waiting: rows; contents and bytes: of the rows that are not void, kept by triggers.
alter table outbox_counter add column stream text not null default '';
alter table outbox_counter add column waiting integer not null default 0;
alter table outbox_counter add column contents integer not null default 0;
alter table outbox_counter add column bytes integer not null default 0;
alter table outbox add column priority integer not null default 0;
-- What is under way is known to the sender alone.
alter table outbox drop column attempts;
alter table outbox drop column sent_at;
create index outbox_by_urgency on outbox (priority, sequence);
create index outbox_by_kind on outbox (kind, sequence);
update outbox_counter set
    stream = lower(hex(randomblob(8))),
    waiting = (select count(*) from outbox),
    contents = (select count(*) from outbox),
    bytes = (select coalesce(sum(length(payload)), 0) from outbox);

create trigger outbox_counts_what_comes after insert on outbox
begin
    update outbox_counter set
        waiting = waiting + 1,
        contents = contents + (new.kind <> 'void'),
        bytes = bytes + iif(new.kind = 'void', 0, length(new.payload));
end;
create trigger outbox_counts_what_goes after delete on outbox
begin
    update outbox_counter set
        waiting = waiting - 1,
        contents = contents - (old.kind <> 'void'),
        bytes = bytes - iif(old.kind = 'void', 0, length(old.payload));
end;
create trigger outbox_counts_what_changes after update of kind, payload on outbox
begin
    update outbox_counter set
        contents = contents - (old.kind <> 'void') + (new.kind <> 'void'),
        bytes = bytes - iif(old.kind = 'void', 0, length(old.payload))
            + iif(new.kind = 'void', 0, length(new.payload));
end;

-- What has been cleared, so that a hub that lost it can be told what it was.
create table outbox_cleared (
    sequence integer primary key,
    message_id text not null,
    kind text not null,
    created_at text not null,
    cleared_at text not null
) strict;
create index outbox_cleared_by_age on outbox_cleared (cleared_at);

alter table hits add column stream text;
alter table hits add column sequence integer;
update hits set
    stream = (select stream from outbox_counter),
    sequence = (select sequence from outbox where message_id = hit_id);
create index hits_by_sequence on hits (stream, sequence);

create table commands (
    command_id text primary key,
    kind text not null,
    at text not null
) strict;

create table instructions (
    number integer primary key autoincrement,
    command_id text not null unique,
    hit_id text not null,
    text text not null,
    at text not null
) strict;
create index instructions_by_hit on instructions (hit_id, number);
