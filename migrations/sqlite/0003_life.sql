-- Which version of each rule has which part. A version is written `COMPONENT/MANIFEST`, both as SHA-256 in hexadecimal; its
-- bytes are in `rule_versions`.
create table deployments (
    name text not null primary key,
    -- directory or api: a rule lives in one of the two.
    source text not null,
    -- The folder that offers it, if one does.
    folder text,
    active text,
    candidate text,
    -- The candidate's: loaded, shadow or canary, and the canary's share of tickets in percent.
    trial text,
    percent bigint,
    -- Who wants the candidate active while a second admin has yet to agree; empty where the directory does.
    proposed_by text,
    previous text,
    -- What the directory offered last: the same offered again, as by a restart, changes nothing.
    offered text,
    suspended text,
    -- Counts up with each change, so that two that cross are noticed.
    revision bigint not null,
    changed_at bigint not null,
    changed_by text not null,
    why text not null
) without rowid;

-- What happened to deployments, in order; added to, never changed. `before` and `after` are JSON.
create table deployment_events (
    seq integer primary key autoincrement,
    at bigint not null,
    name text not null,
    event text not null,
    before text not null,
    after text not null,
    actor text not null,
    why text not null
);

create index deployment_events_name on deployment_events (name, seq);

-- One row, which changes with every deployment: other processes look at it to learn that there is something new.
create table deployment_revision (
    one bigint not null primary key,
    revision bigint not null
);

insert into deployment_revision (one, revision) values (1, 0);
