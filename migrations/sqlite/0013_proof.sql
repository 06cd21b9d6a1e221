-- Who may change what decides about access, and chains that prove what was done besides the runs and the ledger.

-- Who wants the rule retired while a second person has yet to agree; empty where the directory does.
alter table deployments add column retire_proposed_by text;

-- A version of a table that waits for a second person, because a rule that decides about access looks things up in the table.
create table table_proposals (
    name text not null primary key,
    digest text not null,
    proposed_by text not null,
    why text not null,
    at bigint not null
) without rowid;

-- `proposed` where a second person had yet to agree; empty for a change that took effect.
alter table table_events add column event text not null default '';

-- Counts up whenever a request of this person opens or access is given: so that of two that cross, the later one is looked at
-- again.
create table access_revisions (
    name text not null primary key,
    revision bigint not null
) without rowid;

create index access_cases_awaiting on access_cases (subject, ticket) where state = 'awaiting';

create index ledger_ticket on ledger (ticket, link);
create index grants_ticket on grants (ticket);

-- From when on a token is refused; null for one that has no end.
alter table tokens add column expires_at bigint;

-- 1 where a key that the desk trusted had made the signature when it was kept: such a one is not replaced by another.
alter table rule_signatures add column verified bigint not null default 0;

-- What was done to rules, tables and tokens, and which submissions were refused; `about` names the rule, the table, the token
-- or the requester, and `detail` is a JSON object.
create table audit (
    seq integer primary key autoincrement,
    at bigint not null,
    event text not null,
    about text not null,
    detail text not null,
    link bigint,
    hash text
);
create unique index audit_link on audit (link) where link is not null;

-- Each record is the entries that one transaction has added to timelines: `entries` has, of each ticket, its number and the
-- first and the last place.
create table timelines (
    seq integer primary key autoincrement,
    entries text not null,
    link bigint,
    hash text
);
create unique index timelines_link on timelines (link) where link is not null;

insert into chain_heads (chain, link, hash, unchained) values ('audit', 0, '', 0), ('timelines', 0, '', 0);
