-- People who sign in with a password of this desk, where no other system says who they are.

create table accounts (
    person text not null primary key,
    -- Argon2id (RFC 9106) in the string format of its competition: parameters, salt and hash.
    password text not null,
    -- What they may do once they are in, as in tokens.
    roles text not null,
    set_at bigint not null,
    set_by text not null
) without rowid;
