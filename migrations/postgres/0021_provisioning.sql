-- What people hold in apps that the desk writes to, as it was read back there last.
create table holdings (
    subject text collate "C" not null,
    app text collate "C" not null,
    -- `account`, `tier:ID`, `role:NAME` or `group:NAME`.
    entitlement text collate "C" not null,
    -- 1 where it was there before any grant of the desk gave it: the end of a grant leaves it.
    preexisting bigint not null,
    -- The grant for which it was given or found first.
    grant_id uuid not null,
    ticket uuid not null,
    since bigint not null,
    primary key (subject, app, entitlement)
);

create index holdings_app on holdings (app, entitlement, subject);

-- One effect in an app each: what is to be there, or gone, and how far that has come.
create table access_ops (
    id uuid not null primary key,
    ticket uuid not null,
    grant_id uuid not null,
    subject text collate "C" not null,
    app text collate "C" not null,
    entitlement text collate "C" not null,
    -- `grant`, `revoke` or `replace`.
    direction text collate "C" not null,
    -- The tier that a replacement takes away.
    replaces text,
    -- Counts up for each entitlement of a person in an app.
    generation bigint not null,
    -- `planned`, `sent`, `unknown`, `applied`, `waiting`, `verified`, `rejected` or `superseded`.
    state text collate "C" not null,
    -- How often it was sent: what comes back is taken only for the last time.
    attempt bigint not null,
    not_before bigint not null,
    -- What the app said last, without secrets.
    said text collate "C" not null,
    planned_at bigint not null,
    changed_at bigint not null
);

create index access_ops_ticket on access_ops (ticket, id);
create index access_ops_subject on access_ops (subject, app, entitlement, generation);
create index access_ops_open on access_ops (subject, id)
    where state in ('planned', 'sent', 'unknown', 'applied', 'waiting');
