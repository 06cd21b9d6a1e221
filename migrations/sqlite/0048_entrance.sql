-- 1 once the chain has taken in the rows of accounts, identities, sessions, published documents and proposals that were there
-- before it kept their facts.
alter table chain_heads add column taken_in bigint not null default 0;
