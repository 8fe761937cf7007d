-- number: the order in which streams began. highest: the last number that has come.
create table numbered_streams (
    number integer primary key autoincrement,
    booth_id text not null,
    stream text not null,
    highest integer not null,
    unique (booth_id, stream)
) strict;
insert into numbered_streams (booth_id, stream, highest)
select booth_id, stream, max(sequence) from messages
group by booth_id, stream order by min(number);

-- What is missing, one row a range: telling it costs nothing for what has come.
create table gaps (
    booth_id text not null,
    stream text not null,
    first integer not null,
    last integer not null check (last >= first),
    since text not null,
    primary key (booth_id, stream, first)
) strict, without rowid;
insert into gaps
select booth_id, stream, before + 1, sequence - 1, coalesce(gap_since, received_at)
from (
    select booth_id, stream, sequence, received_at,
        lag(sequence, 1, 0) over (partition by booth_id, stream order by sequence)
            as before
    from messages
) join streams using (booth_id, stream)
where sequence > before + 1;
drop table streams;
alter table numbered_streams rename to streams;

-- The last that a booth said it holds, and of itself, in the booth's own order: its
-- clock may have stood wrong.
create table held (
    booth_id text primary key,
    stream_number integer not null,
    sequence integer not null,
    holding integer not null references holdings (number)
) strict;
insert into held
select booth_id, stream_number, sequence, number
from (
    select messages.booth_id, streams.number as stream_number, messages.sequence,
        messages.number,
        row_number() over (
            partition by messages.booth_id
            order by streams.number desc, messages.sequence desc
        ) as place
    from holdings join messages using (number)
        join streams on streams.booth_id = messages.booth_id
            and streams.stream = messages.stream
)
where place = 1;
drop index holdings_by_booth;
create index holdings_by_position on holdings (log, sequence);

alter table health add column stream_number integer not null default 0;
alter table health add column sequence integer not null default 0;
