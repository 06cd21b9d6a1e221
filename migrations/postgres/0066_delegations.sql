-- Leave that people have given others by themselves to approve in their place, by the days of the desk's zone. It stays when it has ended:
-- whose approvals count as one is told by it.
create table delegations (
    id uuid not null primary key,
    person text collate "C" not null,
    delegate text collate "C" not null,
    -- As `2026-12-24`; the last day is one of them.
    first_day text collate "C" not null,
    last_day text collate "C" not null,
    made_at bigint not null,
    -- When it was ended before its last day was over, and by whom.
    ended_at bigint,
    ended_by text collate "C"
);

create index delegations_last_day on delegations (last_day);
create index delegations_person on delegations (person);
create index delegations_delegate on delegations (delegate);

-- How often anything was given or ended, so that other hosts see that it has.
create table delegation_revision (
    id bigint not null primary key,
    revision bigint not null
);

insert into delegation_revision (id, revision) values (1, 0);
