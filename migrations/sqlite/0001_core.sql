-- Times are milliseconds since 1970-01-01T00:00:00Z; ids are UUID version 7 (RFC 9562), so that new rows land side by side.
-- Lists and records that no query looks into are JSON texts.
-- Short rows are `without rowid`; the long ones of `runs` and `decisions` are not, because a long row in such a table spills
-- onto a page of its own.
-- No foreign keys: one transaction writes a ticket with all that belongs to it, nothing is ever deleted, and each check would
-- cost as much as the row itself.

create table tickets (
    -- The number behind the key IT-n. Numbers may have gaps: a transaction that failed has used one.
    number integer primary key autoincrement,
    id blob not null unique,
    version bigint not null,
    request_type text not null,
    kind text not null,
    channel text not null,
    requester text not null,
    submitted_by text not null,
    subject text not null,
    body text not null,
    fields text not null,
    attachments text not null,
    signals text not null,
    tags text not null,
    category text not null,
    impact text,
    urgency text,
    priority text not null,
    -- Of the priority; 0 is the most urgent.
    rank bigint not null,
    team text not null,
    assignee text,
    tier bigint not null,
    state text not null,
    -- 1 while work is owed: the queue.
    unfinished bigint not null,
    duplicate_of bigint,
    created_at bigint not null,
    updated_at bigint not null,
    resolved_at bigint,
    closed_at bigint,
    response_target bigint not null,
    response_used bigint not null,
    response_running bigint,
    response_met bigint,
    response_due bigint,
    resolution_target bigint not null,
    resolution_used bigint not null,
    resolution_running bigint,
    resolution_met bigint,
    resolution_due bigint,
    -- When it is due, or the end of time where nothing runs: queues are in the order rank, queue_due, number.
    queue_due bigint not null
);

create index tickets_queue on tickets (unfinished, rank, queue_due, number);
create index tickets_requester on tickets (requester, created_at);

create table timeline (
    ticket blob not null,
    seq bigint not null,
    at bigint not null,
    -- person, system or rule; then who, and for a rule its version.
    author_kind text not null,
    author text not null,
    author_version text not null,
    visibility text not null,
    kind text not null,
    details text not null,
    primary key (ticket, seq)
) without rowid;

-- One run of the rules for a ticket. `common` holds the parts of the input that several stages share.
create table runs (
    id blob not null primary key,
    ticket blob not null,
    at bigint not null,
    generation bigint not null,
    cause text not null,
    common text not null
);

create index runs_ticket on runs (ticket);

-- The exact input of a stage is its run's `common` with `input` laid over it, key by key.
create table decisions (
    run blob not null,
    stage text not null,
    input text not null,
    verdict text not null,
    rules text not null,
    primary key (run, stage)
);

-- Messages leave from here, after the transaction that wrote them.
create table outbox (
    id blob not null primary key,
    ticket blob not null,
    kind text not null,
    recipient text not null,
    queued_at bigint not null,
    sent_at bigint
) without rowid;

create table idempotency (
    actor text not null,
    key text not null,
    digest text not null,
    ticket blob not null,
    at bigint not null,
    primary key (actor, key)
) without rowid;

-- Whose turn it is. Updating a team's row is also what keeps two hosts from sharing out the same turn.
create table team_turns (
    team text not null primary key,
    turn bigint not null
) without rowid;

create table member_turns (
    team text not null,
    person text not null,
    turn bigint not null,
    primary key (team, person)
) without rowid;

-- How many unfinished tickets somebody has: kept in the transactions that change it, because counting would cost more with
-- every ticket that is open.
create table agents (
    person text not null primary key,
    unfinished bigint not null
) without rowid;

create table access_cases (
    ticket blob not null primary key,
    requester text not null,
    submitted_by text not null,
    subject text not null,
    extends bigint not null,
    app text not null,
    tier text not null,
    role text,
    duration_hours bigint,
    justification text not null,
    state text not null,
    scope text not null,
    steps text not null,
    reason text not null,
    opened_at bigint not null
) without rowid;

create index access_cases_subject on access_cases (subject, opened_at);

-- Who may decide now.
create table access_awaited (
    person text not null,
    ticket blob not null,
    primary key (person, ticket)
) without rowid;

-- What people decided: added to, never changed.
create table access_decisions (
    ticket blob not null,
    step bigint not null,
    approver text not null,
    approve bigint not null,
    reason text not null,
    at bigint not null,
    primary key (ticket, step, approver)
) without rowid;

create table grants (
    id blob not null primary key,
    ticket blob not null,
    subject text not null,
    app text not null,
    tier text not null,
    role text,
    groups text not null,
    granted_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint
) without rowid;

create index grants_subject on grants (subject);
create index grants_app on grants (app, expires_at);

-- Every event about access, in order; added to, never changed.
create table ledger (
    seq integer primary key autoincrement,
    at bigint not null,
    ticket blob not null,
    event text not null,
    detail text not null
);

create table tokens (
    -- SHA-256 of the token, in hexadecimal; the token itself is shown once and kept nowhere.
    hash text not null primary key,
    person text not null,
    roles text not null,
    label text not null,
    created_at bigint not null,
    revoked_at bigint
) without rowid;

-- Every component and manifest that ever decided.
create table rule_versions (
    component_digest text not null,
    manifest_digest text not null,
    name text not null,
    version text not null,
    manifest text not null,
    component blob not null,
    first_seen bigint not null,
    primary key (component_digest, manifest_digest)
);
