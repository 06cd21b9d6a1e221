-- In whose place a review was answered: the ids of the reviewers who let another say it, with a space between. None where it was asked of the
-- one who answered.
alter table review_items add column in_place_of text not null default '';
