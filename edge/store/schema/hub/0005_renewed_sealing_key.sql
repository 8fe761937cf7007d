-- A booth that speaks by its old signing key still reads by its old sealing key.
alter table registry add column previous_sealing blob;
