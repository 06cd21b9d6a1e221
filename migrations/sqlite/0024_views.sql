-- People follow tickets and say which messages they want; lists are kept under a name; time is written down.

-- Those who follow a ticket that is not theirs, as JSON, in the order in which they came.
alter table tickets add column watchers text not null default '[]';

-- The same, from the person to the ticket.
create table watchers (
    person text not null,
    ticket bigint not null,
    primary key (person, ticket)
) without rowid;

-- How a person wants to hear of single kinds of message, as JSON: the kind's word, and one of `off`, `immediately`, `digest`.
alter table message_preferences add column kinds text not null default '{}';

-- Lists under a name.
create table views (
    id blob not null primary key,
    owner text not null,
    name text not null,
    -- Who else has it: empty for no one, `staff` for all who work on tickets, or `team:` and a team.
    audience text not null,
    -- What the list shows, as JSON.
    filter text not null,
    version bigint not null,
    changed_at bigint not null
) without rowid;

create index views_owner on views (owner, name);
create index views_audience on views (audience, name) where audience <> '';

-- Time that people have worked on tickets. What was written down in error is taken off by a row of its own.
create table time_spent (
    ticket bigint not null,
    id blob not null,
    person text not null,
    minutes bigint not null,
    note text not null,
    at bigint not null,
    primary key (ticket, id)
) without rowid;
