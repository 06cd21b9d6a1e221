-- Documents of the configuration that are not published yet: one draft each, which administrators share.
create table configuration_drafts (
    document text not null primary key,
    -- Counts up with each that is kept; what one has not seen is not overwritten.
    version bigint not null,
    content text not null,
    author text not null,
    saved_at bigint not null
) without rowid;
