-- When the access that is asked for is to begin; null for at once.
alter table access_cases add column starts_at bigint;

-- One submission that asks for several items or several people: each part is a request of its own.
create table access_bundles (
    id blob not null primary key,
    requester text not null,
    -- Of what was asked: the same key for another submission is refused.
    digest text not null,
    asked_at bigint not null
) without rowid;

create table access_bundle_parts (
    bundle blob not null,
    part bigint not null,
    subject text not null,
    app text not null,
    tier text not null,
    -- The request's number; null as long as it is not made.
    ticket bigint,
    -- Why the rules did not take it; null where they did.
    problem text,
    primary key (bundle, part)
) without rowid;

-- What an approver asked back before deciding, and the answer.
create table access_questions (
    id blob not null primary key,
    ticket blob not null,
    asked_by text not null,
    question text not null,
    asked_at bigint not null,
    answered_by text,
    answer text,
    answered_at bigint
) without rowid;

create index access_questions_ticket on access_questions (ticket, id);

-- Where people who hold access stood in the organisation when their access was last held against the rules.
create table access_places (
    person text not null primary key,
    place text not null,
    seen_at bigint not null
) without rowid;
