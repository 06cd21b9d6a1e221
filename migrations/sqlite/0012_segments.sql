-- Old records leave the database for segment files. What was done with segments is a chain of its own, as runs and the ledger
-- are: an `archived` act names a file with its digest and the part of the chain of runs that is in it, a `deleted` act says who
-- deleted it and why. `detail` is a JSON object.

create table archive (
    seq integer primary key autoincrement,
    at bigint not null,
    event text not null,
    -- The file's name.
    segment text not null,
    detail text not null,
    link bigint,
    hash text
);
create unique index archive_link on archive (link) where link is not null;
create unique index archive_once on archive (segment, event);

insert into chain_heads (chain, link, hash, unchained) values ('archive', 0, '', 0);

-- A run in a segment: the link of the `archived` act, and where in the file its packed bytes begin and how many they are.
-- `packed` is empty there, and not null, which is the shape of before records were packed.
alter table runs add column segment bigint;
alter table runs add column segment_place bigint;
alter table runs add column segment_bytes bigint;
