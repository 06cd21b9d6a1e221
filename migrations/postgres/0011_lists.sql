-- Lists are walked in their order, whatever narrows them. Behind its first column each index is in the order of the queue:
-- within one state, or within the unfinished and within the finished ones. All end with the number, but for columns behind it
-- that lists are narrowed by as well: an entry that does not match is passed over without a look at its ticket.

drop index tickets_queue;

create index tickets_team on tickets (team, state, rank, queue_due, number, category);
create index tickets_category on tickets (category, unfinished, rank, queue_due, number, state);
-- Which ranks a priority has.
create index tickets_priority on tickets (priority, rank);
create index tickets_updated on tickets (updated_at, number, category);

-- differs: SQLite has the number at the end of every entry as it is, and written out it would be there twice.
create index tickets_state on tickets (state, rank, queue_due, number);
create index tickets_assignee on tickets (assignee, unfinished, rank, queue_due, number) where assignee is not null;
create index tickets_requester_queue on tickets (requester, unfinished, rank, queue_due, number);
-- Most people submit for themselves: those tickets are in the index above.
create index tickets_submitted_by on tickets (submitted_by, unfinished, rank, queue_due, number)
    where submitted_by <> requester;

drop index grants_subject;
create index grants_subject on grants (subject, granted_at, id);
