-- The version that a step was about, as `COMPONENT/MANIFEST`; null where it names none, and for steps before this was kept.
alter table deployment_events add column version text;
