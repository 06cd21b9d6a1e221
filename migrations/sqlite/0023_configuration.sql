-- Documents of the configuration that were published by API: added to, never changed. The latest version of each is live.
create table configuration_versions (
    -- Of all documents together.
    revision bigint not null primary key,
    -- `people`, `teams`, `taxonomy`, `request-types` or `apps`.
    document text not null,
    -- TOML, as in the file of the directory.
    content text not null,
    digest text not null,
    author text not null,
    why text not null,
    at bigint not null,
    -- The revision whose content it has again.
    again bigint
);

create index configuration_versions_document on configuration_versions (document, revision);
