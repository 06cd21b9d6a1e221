-- differs: the words of tickets stand in the index without their places, which no search asks for, as the desk has folded them. The
-- tables of before are dropped with all of their words, so that these are put into it again: see below.
drop table tickets_text;
create virtual table tickets_text using fts5 (words, content='', contentless_delete=1, detail=none, tokenize='ascii');
-- Pieces of the index are merged by eights instead of fours: each word is written again half as often, for nearly as many pieces.
insert into tickets_text (tickets_text, rank) values ('automerge', 8);
insert into tickets_text (tickets_text, rank) values ('crisismerge', 32);
-- A piece that is merged for what was taken out of it has lost a fifth: replies take out and put in a ticket's words.
insert into tickets_text (tickets_text, rank) values ('deletemerge', 20);
-- What one transaction puts in makes one piece: it is kept in memory until then, in bytes.
insert into tickets_text (tickets_text, rank) values ('hashsize', 8388608);
-- The words that are in the index, in order.
create virtual table tickets_terms using fts5vocab ('tickets_text', 'instance');

-- The highest number of the tickets that have yet to be put into the index, from the newest to the oldest; no row where there are none.
create table search_filling (
    up_to bigint primary key
) without rowid;

-- differs: there the words of tickets stay where they are.
delete from search_pending;
insert into search_filling (up_to) select max(number) from tickets having max(number) is not null;
