-- A ticket in its parts. `tickets` holds what lists show and what changes; `contents` the texts, which no list reads and no
-- change rewrites; `clocks` one promise a row. What belongs to a ticket is kept under its number, which is short.

create table contents (
    ticket integer primary key,
    body text not null,
    fields text not null,
    attachments text not null,
    signals text not null
);

insert into contents (ticket, body, fields, attachments, signals)
select number, body, fields, attachments, signals from tickets;

create table clocks (
    ticket bigint not null,
    clock text not null,
    -- In milliseconds of open time.
    target bigint not null,
    used bigint not null,
    running bigint,
    met bigint,
    due bigint,
    primary key (ticket, clock)
) without rowid;

insert into clocks (ticket, clock, target, used, running, met, due)
select number, 'first-response', response_target, response_used, response_running, response_met, response_due from tickets;
insert into clocks (ticket, clock, target, used, running, met, due)
select number, 'resolution', resolution_target, resolution_used, resolution_running, resolution_met, resolution_due
from tickets;

-- Dropping fourteen columns one by one would write the whole table fourteen times.
create table tickets_in_parts (
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
    -- When it is due, or the end of time where nothing runs: queues are in the order rank, queue_due, number.
    queue_due bigint not null
);

insert into tickets_in_parts
select number, id, version, request_type, kind, channel, requester, submitted_by, subject, tags, category, impact, urgency,
    priority, rank, team, assignee, tier, state, unfinished, duplicate_of, created_at, updated_at, resolved_at, closed_at,
    queue_due
from tickets;
drop table tickets;
alter table tickets_in_parts rename to tickets;

create index tickets_queue on tickets (unfinished, rank, queue_due, number);
create index tickets_requester on tickets (requester, created_at);

-- An entry's facts are a JSON array, in one order for each kind.
create table timeline_in_parts (
    ticket bigint not null,
    seq bigint not null,
    at bigint not null,
    -- 0 is the desk itself, 1 a person, 2 a rule; then who, and for a rule its version.
    author_kind bigint not null,
    author text,
    author_version text,
    -- 0 is public, 1 internal.
    visibility bigint not null,
    kind text not null,
    details text not null,
    primary key (ticket, seq)
) without rowid;

insert into timeline_in_parts
select t.number, l.seq, l.at,
    case l.author_kind when 'system' then 0 when 'person' then 1 else 2 end,
    nullif(l.author, ''), nullif(l.author_version, ''),
    case l.visibility when 'public' then 0 else 1 end,
    l.kind,
    case l.kind
        when 'submitted' then json_array(json_extract(l.details, '$.channel'))
        when 'set' then json_array(json_extract(l.details, '$.field'), json_extract(l.details, '$.from'),
            json_extract(l.details, '$.to'), json_extract(l.details, '$.reason'))
        when 'assigned' then json_array(json_extract(l.details, '$.team'), json_extract(l.details, '$.assignee'),
            json_extract(l.details, '$.reason'))
        when 'state-changed' then json_array(json_extract(l.details, '$.from'), json_extract(l.details, '$.to'),
            json_extract(l.details, '$.reason'))
        when 'commented' then json_array(json_extract(l.details, '$.comment'), json_extract(l.details, '$.body'))
        when 'access-decided' then json_array(json_extract(l.details, '$.outcome'), json_extract(l.details, '$.detail'))
        when 'acknowledged' then json_array(json_extract(l.details, '$.to'))
        else l.details
    end
from timeline l join tickets t on t.id = l.ticket
order by t.number, l.seq;
drop table timeline;
alter table timeline_in_parts rename to timeline;
