-- When the access that is asked for is to begin; null for at once.
alter table access_cases add column starts_at bigint;

-- One submission that asks for several items or several people: each part is a request of its own.
create table access_bundles (
    id uuid not null primary key,
    requester text collate "C" not null,
    -- Of what was asked: the same key for another submission is refused.
    digest text collate "C" not null,
    asked_at bigint not null
);

create table access_bundle_parts (
    bundle uuid not null,
    part bigint not null,
    subject text collate "C" not null,
    app text collate "C" not null,
    tier text collate "C" not null,
    -- The request's number; null as long as it is not made.
    ticket bigint,
    -- Why the rules did not take it; null where they did.
    problem text collate "C",
    primary key (bundle, part)
);

-- What an approver asked back before deciding, and the answer.
create table access_questions (
    id uuid not null primary key,
    ticket uuid not null,
    asked_by text collate "C" not null,
    question text collate "C" not null,
    asked_at bigint not null,
    answered_by text collate "C",
    answer text collate "C",
    answered_at bigint
);

create index access_questions_ticket on access_questions (ticket, id);

-- Where people who hold access stood in the organisation when their access was last held against the rules.
create table access_places (
    person text collate "C" not null primary key,
    place text collate "C" not null,
    seen_at bigint not null
);
