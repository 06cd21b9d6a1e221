-- What people hold in apps that the desk writes to, as it was read back there last.
create table holdings (
    subject text not null,
    app text not null,
    -- `account`, `tier:ID`, `role:NAME` or `group:NAME`.
    entitlement text not null,
    -- 1 where it was there before any grant of the desk gave it: the end of a grant leaves it.
    preexisting bigint not null,
    -- The grant for which it was given or found first.
    grant_id blob not null,
    ticket blob not null,
    since bigint not null,
    primary key (subject, app, entitlement)
) without rowid;

create index holdings_app on holdings (app, entitlement, subject);

-- One effect in an app each: what is to be there, or gone, and how far that has come.
create table access_ops (
    id blob not null primary key,
    ticket blob not null,
    grant_id blob not null,
    subject text not null,
    app text not null,
    entitlement text not null,
    -- `grant`, `revoke` or `replace`.
    direction text not null,
    -- The tier that a replacement takes away.
    replaces text,
    -- Counts up for each entitlement of a person in an app.
    generation bigint not null,
    -- `planned`, `sent`, `unknown`, `applied`, `waiting`, `verified`, `rejected` or `superseded`.
    state text not null,
    -- How often it was sent: what comes back is taken only for the last time.
    attempt bigint not null,
    not_before bigint not null,
    -- What the app said last, without secrets.
    said text not null,
    planned_at bigint not null,
    changed_at bigint not null
) without rowid;

create index access_ops_ticket on access_ops (ticket, id);
create index access_ops_subject on access_ops (subject, app, entitlement, generation);
create index access_ops_open on access_ops (subject, id)
    where state in ('planned', 'sent', 'unknown', 'applied', 'waiting');
