-- The name by which an app was asked for a person when what they hold there was read back: an app that knows people by their address
-- alone is asked by it again after the address has changed. Empty where no name was kept.
alter table holdings add column known_as text not null default '';
