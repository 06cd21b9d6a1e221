-- differs: SQLite has the number at the end of every entry as it is, and written out it would be there twice.
-- What no person has, and what came by one form, are found in the order of the queue without a look at all other tickets.
create index tickets_no_one on tickets (state, rank, queue_due, number) where assignee is null;
create index tickets_request_type on tickets (request_type, state, rank, queue_due, number);

-- Whether it was another desk, before this one, that resolved the ticket. Such a resolution has a row only once it did not hold: reports
-- count it on its day then, and not among those of this desk.
alter table resolutions add column elsewhere bigint not null default 0;

-- Reports ask for resolutions that did not hold: few, among rows with long texts.
create index resolutions_undone on resolutions (ended_at, resolved_at, ended) where ended in ('disputed', 'taken-up');
