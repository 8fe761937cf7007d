-- Who may sign in. failures: wrong passwords in a row.
create table accounts (
    name text primary key,
    display_name text not null,
    role text not null,
    language text not null,
    is_enabled integer not null,
    password_hash text not null,
    failures integer not null default 0,
    locked_until text,
    added_at text not null
) strict;
