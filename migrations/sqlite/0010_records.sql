-- Small records. All stages of a run are in one row: `packed` holds their texts, compressed by Zstandard (RFC 8878) with the
-- dictionary that `dictionary` names. `cause`, `engine` and `common` are empty there, because they are among those texts. Runs
-- from before have no `packed`, and their stages in `decisions`; they are converted while the desk runs.

create table record_dictionaries (
    id integer primary key autoincrement,
    -- SHA-256 of the whole dictionary.
    digest text not null unique,
    -- The dictionary that this one begins with: `content` is what follows. Null where `content` is all of it.
    base bigint,
    -- 1 where it was made of this database's own records: the latest of these is the one to begin with.
    trained bigint not null,
    content blob not null
);

alter table runs add column dictionary bigint;
alter table runs add column packed blob;
create index runs_unpacked on runs (id) where packed is null;

-- A component is kept once, however often its manifest changes.
create table components (
    digest text not null primary key,
    bytes blob not null
);

insert into components (digest, bytes)
select v.component_digest, v.component from rule_versions v
where not exists (
    select 1 from rule_versions o
    where o.component_digest = v.component_digest and o.manifest_digest < v.manifest_digest
);

alter table rule_versions drop column component;

-- What rules did, summed up by the hour (since 1970-01-01T00:00:00Z) and written with the records. Each process has rows of its
-- own, whose numbers only it changes: so no two wait for each other. `fuel` and `micros` are histograms.
create table rule_hours (
    rule text not null,
    hour bigint not null,
    writer bigint not null,
    stage text not null,
    mode text not null,
    outcome text not null,
    -- What was chosen; empty where no answer counted.
    answer text not null,
    version text not null,
    component text not null,
    manifest text not null,
    calls bigint not null,
    differences bigint not null,
    log_cuts bigint not null,
    memory_peak bigint not null,
    fuel blob not null,
    micros blob not null,
    primary key (rule, hour, writer, stage, mode, outcome, answer, version, component, manifest)
) without rowid;

-- The processes that write those rows.
create table rule_hour_writers (
    id integer primary key autoincrement,
    since bigint not null
);
