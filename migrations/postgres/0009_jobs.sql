-- Work that happens later waits in two tables, `timers` and `outbox`, and is claimed from both in the same way. A claim puts
-- off `not_before` to the end of its lease and leaves its id in `fence`: work that ends is struck off only under the fence that
-- it was claimed with, and a host that dies leaves a row that is claimed again when the lease is over.

-- When the desk looks at a ticket again, at most once for each kind of reason.
create table timers (
    kind text collate "C" not null,
    ticket uuid not null,
    due_at bigint not null,
    -- From when on it may be claimed: when it is due, and later the end of a lease or of the wait before another try.
    not_before bigint not null,
    -- Claims so far: a run that was cut off counts, too.
    attempts bigint not null default 0,
    -- The claim under which it is being worked on; null where no host works on it.
    fence uuid,
    -- Why the last attempt failed; empty where none has.
    last_error text not null default '',
    -- When the desk gave up on it; null while it has not.
    dead_at bigint,
    primary key (kind, ticket)
);

create index timers_due on timers (kind, not_before, ticket) where dead_at is null;
create index timers_dead on timers (kind, dead_at) where dead_at is not null;

-- differs: functions on JSON
-- Requests that await a decision. Programs from before migration 6 may have left out when one is due: then its steps say it.
-- Steps are numbered from 0, each `[approvers, needed, due]`; one is open that has not enough approvals.
insert into timers (kind, ticket, due_at, not_before)
select 'access-deadline', ticket, due_at, due_at
from (
    select c.ticket, coalesce(c.due_at, (
        select min((step.value ->> 2)::bigint)
        from json_array_elements(c.steps::json) with ordinality as step (value, place)
        where (step.value ->> 1)::bigint > (
            select count(*) from access_decisions d
            where d.ticket = c.ticket and d.step = step.place - 1 and d.approve = 1
        )
    )) as due_at
    from access_cases c
    where c.state = 'awaiting'
) awaiting
where due_at is not null;

drop index access_cases_due;
alter table access_cases drop column due_at;

-- The content of a message besides its kind, as a JSON text; empty for messages from before this was kept.
alter table outbox add column payload text not null default '';
alter table outbox add column not_before bigint not null default 0;
alter table outbox add column attempts bigint not null default 0;
alter table outbox add column fence uuid;
alter table outbox add column last_error text not null default '';
alter table outbox add column dead_at bigint;

create index outbox_ticket on outbox (ticket, id);
create index outbox_due on outbox (not_before, id) where sent_at is null and dead_at is null;
create index outbox_dead on outbox (dead_at) where dead_at is not null;
