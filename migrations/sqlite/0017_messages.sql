-- Messages leave: receipts, what people prefer, and webhooks with what is delivered to them.

-- The answer of the peer that took a message, or why it was not to be sent; empty while it waits. Its content is emptied then.
alter table outbox add column receipt text not null default '';

-- Messages from before are due since they were queued.
update outbox set not_before = queued_at where sent_at is null and not_before = 0;

create index outbox_recipient on outbox (recipient, id) where sent_at is null and dead_at is null;

-- How people want to hear of things; a person without a row hears at once, in the desk's language.
create table message_preferences (
    person text not null primary key,
    -- `off`, `immediately` or `digest`.
    delivery text not null,
    -- Empty for the directory's or the desk's own.
    locale text not null,
    changed_at bigint not null
) without rowid;

-- Keys that the desk makes for itself, which all its hosts share.
create table secrets (
    name text not null primary key,
    value text not null
) without rowid;

-- The endpoints of the configuration, and how far each has come.
create table webhooks (
    name text not null primary key,
    -- The last record of the chain of timelines whose events are deliveries.
    seen bigint not null,
    -- Since when no delivery has succeeded; null where the last one has.
    failing_since bigint,
    -- Since when nothing is delivered to it; null while it is in use.
    disabled_at bigint,
    -- Why it is not in use.
    why text not null default ''
) without rowid;

-- One event for one endpoint. It is claimed as messages and timers are.
create table webhook_deliveries (
    id blob not null primary key,
    webhook text not null,
    ticket blob not null,
    -- The stable id of the event, the same for all endpoints and for each attempt.
    event text not null,
    kind text not null,
    body text not null,
    queued_at bigint not null,
    not_before bigint not null,
    attempts bigint not null default 0,
    fence blob,
    last_error text not null default '',
    dead_at bigint,
    sent_at bigint,
    -- The status of the last answer; null where there was none.
    status bigint
) without rowid;

create index webhook_deliveries_due on webhook_deliveries (not_before, id) where sent_at is null and dead_at is null;
create index webhook_deliveries_dead on webhook_deliveries (dead_at) where dead_at is not null;
create index webhook_deliveries_of on webhook_deliveries (webhook, id);
create index webhook_deliveries_sent on webhook_deliveries (sent_at) where sent_at is not null;
