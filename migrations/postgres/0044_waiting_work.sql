-- How many of a person's unfinished tickets wait for their requesters, which weigh less in what the person has to do: kept as the
-- count of all of them is.
alter table agents add column waiting bigint not null default 0;

update agents set waiting = (select count(*) from tickets t
    where t.assignee = agents.person and t.state = 'waiting_requester');
