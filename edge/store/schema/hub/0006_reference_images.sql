-- Images that face references were made of, to make them anew for other networks. They
-- go with their reference.
create table reference_images (
    reference_id text primary key,
    entry_id text not null,
    png blob not null,
    added_at text not null
) strict;
create index reference_images_by_entry on reference_images (entry_id);
