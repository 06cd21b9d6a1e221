-- Articles of the knowledge base. The key is KB and the number.
create table articles (
    number integer primary key autoincrement,
    version bigint not null,
    -- draft, internal, public or retired.
    state text not null,
    title text not null,
    body text not null,
    -- A language tag (RFC 5646), or empty.
    language text not null,
    category text,
    -- The ticket that it was written from.
    source bigint,
    -- When it is to be looked at again.
    review_at bigint,
    author text not null,
    created_at bigint not null,
    updated_at bigint not null
);

create index articles_state on articles (state, number);
create index articles_review on articles (review_at, number);
create unique index articles_source on articles (source);

-- Every version as it was written; added to, never changed.
create table article_versions (
    article bigint not null,
    version bigint not null,
    state text not null,
    title text not null,
    body text not null,
    language text not null,
    category text,
    author text not null,
    at bigint not null,
    primary key (article, version)
) without rowid;

-- One vote a person, which may be changed.
create table article_votes (
    article bigint not null,
    person text not null,
    helpful bigint not null,
    at bigint not null,
    primary key (article, person)
) without rowid;

-- Articles that spared a ticket: one a person, article and day.
create table deflections (
    article bigint not null,
    person text not null,
    day bigint not null,
    at bigint not null,
    primary key (article, person, day)
) without rowid;

-- Checklists: what is to be done before a ticket is resolved.
create table tasks (
    ticket bigint not null,
    id blob not null,
    text text not null,
    at bigint not null,
    author text not null,
    -- Null while it is open.
    done_by text,
    done_at bigint,
    primary key (ticket, id)
) without rowid;

-- Tickets whose words are to be put into the index for searches, by version, so that none that comes meanwhile is lost.
create table search_pending (
    ticket bigint not null,
    version bigint not null,
    primary key (ticket, version)
) without rowid;

insert into search_pending (ticket, version) select number, version from tickets;

-- differs: each database has an index of its own for words; it holds no texts.
create virtual table articles_text using fts5 (title, body, content='', contentless_delete=1, tokenize='unicode61');

-- differs: as above. The row of a ticket's public words is twice its number, that of the private ones the next.
create virtual table tickets_text using fts5 (words, content='', contentless_delete=1, tokenize='unicode61');
