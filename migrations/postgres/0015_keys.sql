-- Keys of idempotency end, but those of imports, which make an import repeatable for good. Keys from before are kept for a
-- week from when they were taken.

alter table idempotency add column ends_at bigint;
update idempotency set ends_at = at + 604800000 where key not like 'import-%';
create index idempotency_ends on idempotency (ends_at) where ends_at is not null;
