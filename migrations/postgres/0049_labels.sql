-- The decisions of people in another desk about tickets that were imported as new: what rules decide is judged by them.
create table ticket_labels (
    -- The ticket's number.
    ticket bigint not null,
    -- `category`, `priority` or `team`.
    field text collate "C" not null,
    value text not null,
    primary key (ticket, field)
);
