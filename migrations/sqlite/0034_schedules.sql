-- What comes again by the calendar: tickets and reports.

-- How far each entry of the configuration has come.
create table schedules (
    -- `ticket:` or `report:`, and the entry's id.
    name text not null primary key,
    -- The last occurrence that was done, or from which on it is looked for: those after it are still to come.
    done_until bigint not null,
    -- The claim of the host that works on the next one, and how long it holds.
    fence blob,
    leased_until bigint not null default 0,
    -- Tries of the next one that failed, and why the last did.
    attempts bigint not null default 0,
    last_error text not null default ''
) without rowid;

-- What happened to the promises of tickets, event by event. A breach is no row: it is at `due`, where none that follows comes before it.
create table clock_events (
    ticket bigint not null,
    -- Counts up within a ticket, with gaps.
    seq bigint not null,
    clock text not null,
    -- `start`, `pause`, `resume`, `meet`, `retarget` or `cancel`.
    step text not null,
    at bigint not null,
    -- Open time, in milliseconds: what is promised, and what was used by then.
    target bigint not null,
    used bigint not null,
    -- When it runs out from then on; null where it does not run.
    due bigint,
    primary key (ticket, seq)
) without rowid;

create index clock_events_at on clock_events (at);
create index clock_events_due on clock_events (due) where due is not null;
