-- Who vouches for an archived version: the text of its `rule.sig`. The last one that came with these bytes stands.
create table rule_signatures (
    component_digest text not null,
    manifest_digest text not null,
    signature text not null,
    at bigint not null,
    primary key (component_digest, manifest_digest),
    foreign key (component_digest, manifest_digest) references rule_versions (component_digest, manifest_digest)
);

-- The revision of the deployments that the rules of a run were of. `generation` counts within one process; this means the same
-- on all hosts. Null for runs before there were deployments.
alter table runs add column revision bigint;

-- Whoever changes a deployment tells the other hosts, once the change is there to be read.
create function tell_of_deployments() returns trigger language plpgsql as $$
begin
    perform pg_notify('ruledesk_deployments', '');
    return null;
end
$$;

create trigger tell_of_deployments after update on deployment_revision
    for each statement execute function tell_of_deployments();
