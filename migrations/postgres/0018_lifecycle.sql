-- The largest share of a promise at which something was done about it, in percent, so that each is acted on once.
alter table clocks add column alerted bigint not null default 0;

-- How tickets were resolved, a row each time. What the desk itself resolves has no texts.
create table resolutions (
    ticket bigint not null,
    -- Counts up from 1.
    round bigint not null,
    symptom text not null,
    cause text not null,
    fix text not null,
    next_time text not null,
    -- Who resolved it; null is the desk.
    resolved_by text,
    resolved_at bigint not null,
    -- confirmed, disputed, unanswered or taken-up; null while it stands open.
    ended text,
    ended_at bigint,
    primary key (ticket, round)
);

-- Links, each kept with the ticket that depends on the other.
create table links (
    ticket bigint not null,
    kind text not null,
    other bigint not null,
    at bigint not null,
    -- Who made it; null is the desk.
    author text,
    primary key (ticket, kind, other)
);

create index links_other on links (other, kind, ticket);
