-- What officers said of hits: state is that of the hit from this verdict on.
alter table hits add column is_drill integer not null default 0;
create table verdicts (
    hit_id text not null references hits (hit_id),
    number integer not null,
    officer text not null,
    state text not null,
    at text not null,
    message_id text not null unique,
    stream text not null,
    sequence integer not null,
    payload blob not null,
    primary key (hit_id, number)
) strict;
create index verdicts_by_sequence on verdicts (stream, sequence);
create trigger verdicts_are_append_only_update before update on verdicts
begin
    select raise(abort, 'a verdict is not changed');
end;
create trigger verdicts_are_append_only_delete before delete on verdicts
begin
    select raise(abort, 'a verdict is not taken back');
end;

-- Images that the hub sent to decide a hit by; gone once it is decided and delivered.
create table reference_images (
    hit_id text not null references hits (hit_id),
    reference_id text not null,
    place integer not null,
    modality text not null,
    position integer not null,
    size integer not null,
    digest blob not null,
    data blob,
    arrived_at text,
    primary key (hit_id, reference_id)
) strict;
create table reference_image_parts (
    hit_id text not null,
    reference_id text not null,
    part integer not null,
    data blob not null,
    primary key (hit_id, reference_id, part)
) strict;

-- Drills: a synthetic person presented once at this booth, to measure.
create table drills (
    drill_id text primary key,
    entry_id text not null,
    armed_by text not null,
    armed_at text not null,
    state text not null,
    check_id text,
    hit_id text,
    outcome text,
    captured_at text,
    decided_at text,
    decision_ms real
) strict;
create index drills_by_age on drills (armed_at);
