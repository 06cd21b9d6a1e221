-- The runs of connectors that are components, as they were: what was asked, the calls that were made and their answers. The last
-- of each order are kept.
create table connector_runs (
    id blob not null primary key,
    op blob not null,
    attempt bigint not null,
    at bigint not null,
    -- Whether it has looked only, and was to change nothing.
    looked bigint not null,
    record text not null
) without rowid;

create index connector_runs_op on connector_runs (op, id);
