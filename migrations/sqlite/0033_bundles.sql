-- Tickets that belong together: outages, which submissions like them attach themselves to. And submissions that are not made yet.

-- A ticket that stands for many while it lasts.
create table outages (
    ticket bigint not null primary key,
    -- The words that each person reads whose submission is attached.
    announcement text not null,
    -- Which submissions are like it, as JSON.
    likeness text not null,
    declared_by text not null,
    declared_at bigint not null,
    -- When it took no more; null while it does.
    ended_at bigint
) without rowid;

create index outages_open on outages (declared_at) where ended_at is null;

-- Public words on such a ticket that its children are to get, too. A row goes when all of them have the words.
create table outage_words (
    ticket bigint not null,
    comment blob not null,
    at bigint not null,
    author text not null,
    body text not null,
    primary key (ticket, comment)
) without rowid;

-- A submission that its author goes on with later.
create table drafts (
    person text not null,
    id blob not null,
    -- The submission as it was sent, as JSON.
    content text not null,
    -- Problems that the desk found with it, as JSON; an empty list where it was not tried.
    problems text not null,
    saved_at bigint not null,
    primary key (person, id)
) without rowid;
