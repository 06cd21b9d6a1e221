-- The end of the day for which a promise was made, where a day was promised and no time, such as that of a part of a bundle: another
-- calendar or target leaves the day as it is. Promises that were made before this follow their priority.
alter table clocks add column day_end bigint;
