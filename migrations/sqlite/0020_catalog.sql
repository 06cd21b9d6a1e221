-- Where a grant stands with the app that it gives access to: `provisioning`, `active`, `deprovisioning`, `ended`,
-- `compensating` or `failed`; and why it ended.
alter table grants add column state text not null default 'active';
alter table grants add column end_reason text;

-- What is held ends by a timer. What has ended already needs none: the last event of the ledger is about as late as now.
insert into timers (kind, ticket, due_at, not_before)
select 'access-expiry', ticket, max(expires_at), max(expires_at)
from grants
where revoked_at is null and expires_at > (select coalesce(max(at), 0) from ledger)
group by ticket
on conflict do nothing;
