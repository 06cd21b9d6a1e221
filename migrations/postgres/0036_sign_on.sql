-- Whom the subjects of identity providers stand for: a subject is bound to a person when they first come.
create table identities (
    -- The provider's address, as it names itself.
    issuer text collate "C" not null,
    -- What the provider calls the person; it is never given to another.
    subject text collate "C" not null,
    person text collate "C" not null,
    bound_at bigint not null,
    primary key (issuer, subject)
);

create unique index identities_person on identities (person, issuer);

-- The tokens that stand for sign-ins by a provider, so that it can end them.
create table sign_ons (
    token text collate "C" not null primary key,
    issuer text collate "C" not null,
    subject text collate "C" not null,
    -- The provider's own session; empty where it names none.
    provider_session text collate "C" not null,
    begun_at bigint not null
);

create index sign_ons_subject on sign_ons (issuer, subject);
create index sign_ons_begun on sign_ons (begun_at);
