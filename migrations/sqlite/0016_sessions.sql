-- Sessions of people in browsers. A session has no permissions of its own: it stands for the token with which it was begun,
-- and ends with that.

create table sessions (
    -- SHA-256 of the cookie's secret, in hexadecimal; the secret itself is kept nowhere here.
    hash text not null primary key,
    -- The hash of the token with which the person signed in.
    token text not null,
    person text not null,
    -- The browser, as it names itself.
    agent text not null,
    created_at bigint not null,
    -- The last request, to within some minutes.
    seen_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
) without rowid;
create index sessions_person on sessions (person, created_at);
create index sessions_expire on sessions (expires_at);
