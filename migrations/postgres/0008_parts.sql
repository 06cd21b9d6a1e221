-- A ticket in its parts. `tickets` holds what lists show and what changes; `contents` the texts, which no list reads and no
-- change rewrites; `clocks` one promise a row. What belongs to a ticket is kept under its number, which is short.

create table contents (
    ticket bigint primary key,
    body text not null,
    fields text not null,
    attachments text not null,
    signals text not null
);

insert into contents (ticket, body, fields, attachments, signals)
select number, body, fields, attachments, signals from tickets;

create table clocks (
    ticket bigint not null,
    clock text collate "C" not null,
    -- In milliseconds of open time.
    target bigint not null,
    used bigint not null,
    running bigint,
    met bigint,
    due bigint,
    primary key (ticket, clock)
);

insert into clocks (ticket, clock, target, used, running, met, due)
select number, 'first-response', response_target, response_used, response_running, response_met, response_due from tickets;
insert into clocks (ticket, clock, target, used, running, met, due)
select number, 'resolution', resolution_target, resolution_used, resolution_running, resolution_met, resolution_due
from tickets;

alter table tickets
    drop column body, drop column fields, drop column attachments, drop column signals,
    drop column response_target, drop column response_used, drop column response_running, drop column response_met,
    drop column response_due, drop column resolution_target, drop column resolution_used, drop column resolution_running,
    drop column resolution_met, drop column resolution_due;

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
);

insert into timeline_in_parts
select t.number, l.seq, l.at,
    case l.author_kind when 'system' then 0 when 'person' then 1 else 2 end,
    nullif(l.author, ''), nullif(l.author_version, ''),
    case l.visibility when 'public' then 0 else 1 end,
    l.kind,
    case l.kind
        when 'submitted' then json_build_array(l.details::json ->> 'channel')::text
        when 'set' then json_build_array(l.details::json ->> 'field', l.details::json ->> 'from',
            l.details::json ->> 'to', l.details::json ->> 'reason')::text
        when 'assigned' then json_build_array(l.details::json ->> 'team', l.details::json ->> 'assignee',
            l.details::json ->> 'reason')::text
        when 'state-changed' then json_build_array(l.details::json ->> 'from', l.details::json ->> 'to',
            l.details::json ->> 'reason')::text
        when 'commented' then json_build_array(l.details::json ->> 'comment', l.details::json ->> 'body')::text
        when 'access-decided' then json_build_array(l.details::json ->> 'outcome', l.details::json ->> 'detail')::text
        when 'acknowledged' then json_build_array(l.details::json ->> 'to')::text
        else l.details
    end
from timeline l join tickets t on t.id = l.ticket;
drop table timeline;
alter table timeline_in_parts rename to timeline;
alter index timeline_in_parts_pkey rename to timeline_pkey;
