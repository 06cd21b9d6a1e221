-- The promises that open tickets follow, as a digest of the configuration that makes them: where it is another one, they are
-- looked through and follow it.
create table promises_followed (
    id bigint not null primary key,
    digest text not null
);

insert into promises_followed (id, digest) values (1, '');

-- 1 where a message was not to be sent, of which the receipt says why.
alter table outbox add column not_sent bigint not null default 0;

update outbox set not_sent = 1 where receipt like 'not sent: %';
