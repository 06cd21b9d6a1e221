-- Since when the tickets of a team have to be taken up in a time, and since when that time is so long: what was assigned before the first
-- is not taken back, and what was assigned before the second has all of the time from then on.
create table take_up (
    team text not null primary key,
    minutes bigint not null,
    since bigint not null,
    set_at bigint not null
) without rowid;
