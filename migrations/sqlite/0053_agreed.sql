-- The files of the configuration directory to which two people have agreed last, where the desk asks for two: by their path there.
create table configuration_agreed (
    file text not null primary key,
    content text not null
);

-- Files that make access easier to get and wait for the second person.
create table configuration_waiting (
    -- SHA-256 of all of them, in hexadecimal.
    digest text not null primary key,
    -- What would be easier.
    what text not null,
    author text not null,
    noted_at bigint not null
);
