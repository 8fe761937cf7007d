-- What officers at booths said of hits. A verdict may come before its hit.
create table received_decisions (
    hit_id text not null,
    verdict_number integer not null,
    number integer not null unique references messages (number),
    booth_id text not null,
    state text not null,
    body blob not null,
    primary key (booth_id, hit_id, verdict_number)
) strict;
create index received_decisions_by_hit on received_decisions (hit_id, verdict_number);

-- What of a reference may be shown to who decides a hit, small enough to be sent.
alter table reference_images add column modality text not null default 'face';
alter table reference_images add column position integer not null default 0;
alter table reference_images add column shown blob;

-- Up to which message the images of hits were ordered to be sent.
create table illustrated (
    id integer primary key check (id = 1),
    number integer not null
) strict;
insert into illustrated select 1, coalesce(max(number), 0) from messages;
