-- Tickets by their tags: a row for each tag of each ticket that has any, so that those without tags cost nothing here. It says where the
-- ticket is in the queue, so that a list by tag is read in its order and ends where there is no more, however many tickets there are.
create table tagged (
    tag text not null,
    number bigint not null,
    unfinished bigint not null,
    rank bigint not null,
    queue_due bigint not null,
    primary key (tag, number)
) without rowid;

-- differs: each database reads JSON its own way.
-- What there is: tickets without tags are passed over in one reading, and tags that cannot be read are left out, as lists leave them out.
insert into tagged (tag, number, unfinished, rank, queue_due)
    select one.value, t.number, t.unfinished, t.rank, t.queue_due
    from tickets t, json_each(case when json_valid(t.tags) then t.tags else '[]' end) as one
    where t.tags <> '[]' and one.type = 'text'
    on conflict (tag, number) do nothing;

-- differs: SQLite has the key at the end of every entry as it is, and written out it would be there twice.
create index tagged_queue on tagged (tag, unfinished, rank, queue_due);
