-- The console: lists that a person has put in front, the queue by when tickets are due, and the audit from its end.

-- The lists that stand in front of a person's queue.
create table starred_views (
    person text not null,
    list blob not null,
    primary key (person, list)
) without rowid;

create index tickets_due on tickets (unfinished, queue_due, number, state, category);

create index audit_event on audit (event, seq);
create index audit_about on audit (about, seq);
