-- A booth whose keys were renewed speaks by the old one until the answer has reached it.
alter table registry add column previous_signing blob;
alter table registry add column previous_until text;
