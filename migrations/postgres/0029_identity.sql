-- The users and groups that the company's identity provider keeps here by SCIM.
create table directory_entries (
    id uuid not null primary key,
    -- `user` or `group`.
    kind text collate "C" not null,
    -- What no other of its kind has: the user's or the group's name in lower case.
    name text collate "C" not null,
    -- The person that a user is, or the group's id in the organisation.
    stands_for text collate "C" not null,
    -- As the provider has put it, in JSON.
    body text collate "C" not null,
    -- Counts up with each change.
    version bigint not null,
    created_at bigint not null,
    changed_at bigint not null,
    -- Kept all the same: who has gone must not come back by way of the configuration.
    deleted_at bigint
);

create unique index directory_entries_name on directory_entries (kind, name) where deleted_at is null;
create unique index directory_entries_stands_for on directory_entries (kind, stands_for);

-- How often the directory has changed, so that other hosts see that it has.
create table directory_revision (
    id bigint not null primary key,
    revision bigint not null
);

insert into directory_revision (id, revision) values (1, 0);
