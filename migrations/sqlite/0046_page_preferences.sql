-- How people use the pages, in every browser of theirs; a person without a row uses them as they come.
create table page_preferences (
    person text not null primary key,
    -- 0 where letters alone are no keys.
    single_keys bigint not null,
    changed_at bigint not null
) without rowid;
