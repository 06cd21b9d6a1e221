-- Until when an access case may be approved; null where nothing is awaited. Whatever is overdue is denied.

alter table access_cases add column due_at bigint;

-- Steps are numbered from 0, each `[approvers, needed, due]`; one is open that has not enough approvals.
update access_cases set due_at = (
    select min((step.value ->> 2)::bigint)
    from json_array_elements(access_cases.steps::json) with ordinality as step (value, place)
    where (step.value ->> 1)::bigint > (
        select count(*) from access_decisions d
        where d.ticket = access_cases.ticket and d.step = step.place - 1 and d.approve = 1
    )
)
where state = 'awaiting';

create index access_cases_due on access_cases (due_at) where state = 'awaiting';
