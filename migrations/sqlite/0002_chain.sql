-- Two chains of hashes, so that a record which is removed, changed, added or moved later is found. A record's `link` is its
-- place in the chain, from 1 on without gaps; its `hash` is over its content, its place and the hash before it. What was
-- written before this migration has neither: `unchained` says how many records those are, and the first hash stands on it.

alter table runs add column engine text not null default '';
alter table runs add column link bigint;
alter table runs add column hash text;
create unique index runs_link on runs (link) where link is not null;

alter table ledger add column link bigint;
alter table ledger add column hash text;
create unique index ledger_link on ledger (link) where link is not null;

-- Updating a chain's row is also what keeps two hosts from writing the same link.
create table chain_heads (
    chain text not null primary key,
    link bigint not null,
    hash text not null,
    unchained bigint not null
) without rowid;

insert into chain_heads (chain, link, hash, unchained) select 'runs', 0, '', count(*) from runs;
insert into chain_heads (chain, link, hash, unchained) select 'ledger', 0, '', count(*) from ledger;
