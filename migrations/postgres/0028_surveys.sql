-- What requesters say about how it went, once a ticket is closed; and a guard, so that links close no circle.

-- One answer for each closure, which is that of a resolution.
create table surveys (
    ticket bigint not null,
    round bigint not null,
    -- 1 to 5.
    score bigint not null,
    comment text not null,
    answered_at bigint not null,
    changed_at bigint not null,
    primary key (ticket, round)
);

create index surveys_answered on surveys (answered_at);
create index time_spent_at on time_spent (at);

-- A row for each kind of link of which a ticket depends on another. One transaction at a time makes links of a kind.
create table link_kinds (
    kind text not null primary key,
    made bigint not null
);

insert into link_kinds (kind, made) values
    ('child-of', 0), ('duplicate-of', 0), ('blocked-by', 0), ('follow-up-of', 0), ('split-from', 0), ('merged-into', 0);
