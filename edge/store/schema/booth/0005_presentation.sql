-- How a face was presented: bona_fide, attack or not_judged; null if no face was judged.
alter table checks add column presentation text;
