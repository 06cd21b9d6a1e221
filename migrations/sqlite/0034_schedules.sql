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
