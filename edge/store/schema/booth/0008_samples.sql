-- Who did a check, and how long its stages took: a JSON map of milliseconds.
alter table checks add column officer text not null default '';
alter table checks add column timings text not null default '{}';
create index checks_by_time on checks (finished_at);

-- How good what was captured was; nothing of what it showed.
create table check_samples (
    check_id text not null references checks (check_id),
    number integer not null,
    modality text not null,
    position integer not null,
    device text not null,
    quality integer not null,
    is_sufficient integer not null,
    reasons text not null,
    primary key (check_id, number)
) strict, without rowid;
