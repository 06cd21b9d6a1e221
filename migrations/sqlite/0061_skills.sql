-- The skills that routing asked for, so that a ticket which waits for a person, or is handed on, goes to one who has them. None for tickets
-- from before, and for those that a person sent to their team.
alter table tickets add column skills text not null default '[]';
