-- What comes again by the calendar can be paused and done before its time, and says what became of it.

-- When the entry was paused; null where it runs.
alter table schedules add column paused_at bigint;
-- 1 where the next occurrence is to be done at once, before its time.
alter table schedules add column wanted bigint not null default 0;

-- The last occurrences of each entry, as they ended.
create table schedule_runs (
    name text not null,
    -- The occurrence.
    at bigint not null,
    done_at bigint not null,
    -- Why it was left out; empty where it was done.
    left_out text not null default '',
    primary key (name, at)
) without rowid;
