-- How many bytes at the beginning of the reason of a request for access are the desk's own words, which are said in each reader's language:
-- what follows is of rules. Null for requests from before.
alter table access_cases add column own_words bigint;
