-- In whose place an approver decided: the ids of those whom the step asked. None for decisions from before, and where it asked the approver
-- as well.
alter table access_decisions add column in_place_of text not null default '[]';
