-- Reference tables that were put there by API or command line, and every version of any table that rules could look things up in.

-- Content is CSV in one form only, and the digest is its SHA-256: the same table is kept once.
create table table_versions (
    name text not null,
    digest text not null,
    content text not null,
    row_count bigint not null,
    first_seen bigint not null,
    primary key (name, digest)
);

-- The version that rules see, of tables that are not in the configuration directory.
create table tables_live (
    name text not null primary key,
    digest text not null,
    since bigint not null
) without rowid;

-- Who changed what, and why; added to, never changed. `digest` is null where the table was removed.
create table table_events (
    seq integer primary key autoincrement,
    at bigint not null,
    name text not null,
    digest text,
    actor text not null,
    why text not null
);

-- Counts up with every change, so that whoever wants to know whether anything has changed reads one row.
create table tables_revision (
    one bigint not null primary key,
    revision bigint not null
) without rowid;

insert into tables_revision (one, revision) values (1, 0);
