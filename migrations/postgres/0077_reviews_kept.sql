-- What was kept in reviews, by those who kept it, and what was answered in the place of others: of all reviews there ever were, only the word
-- of a person with several accounts is looked at again each hour. And what waits for an answer, in the order in which it was asked.
create index review_items_kept on review_items (decided_by) where verdict = 'keep';
create index review_items_in_place_of on review_items (verdict) where in_place_of <> '';
create index review_items_awaited on review_items (id) where verdict is null;

-- What has been begun more than once: ends of access that have failed are counted for those who run the desk.
create index timers_tried_again on timers (kind, due_at) where attempts > 1;
