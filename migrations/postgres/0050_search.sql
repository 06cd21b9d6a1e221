-- The highest number of the tickets that have yet to be put into the index, from the newest to the oldest; no row where there are none.
create table search_filling (
    up_to bigint primary key
);
