-- Whether the files were agreed to together with the tables among them. Those of earlier versions were not: the tables that were there when
-- such files are met first are taken along, and from then on the first table waits for two people as any other does.
alter table configuration_agreed add column with_tables bigint not null default 0;
