-- Whether a request could not wait: then it is given at once where the tier allows that, and reviewed afterwards.
alter table access_cases add column emergency bigint not null default 0;

-- Campaigns of access reviews.
create table review_campaigns (
    id uuid not null primary key,
    name text collate "C" not null,
    -- The app whose access is reviewed; null for all.
    app text collate "C",
    -- Who is asked first: `owner` or `manager`.
    asks text collate "C" not null,
    started_by text collate "C" not null,
    started_at bigint not null,
    due_at bigint not null
);

-- The review of one grant each. What the ledger says of it stands there.
create table review_items (
    id uuid not null primary key,
    -- Of zeros where the grant was given in an emergency.
    campaign uuid not null,
    grant_id uuid not null,
    ticket uuid not null,
    asked_at bigint not null,
    due_at bigint not null,
    -- The ids of those whom it asks, with a space between.
    reviewers text collate "C" not null,
    -- `keep`, `revoke`, `lapsed` or `ended`; null while it is open.
    verdict text collate "C",
    decided_by text collate "C",
    reason text collate "C" not null,
    decided_at bigint
);

create index review_items_campaign on review_items (campaign, id);
create index review_items_ticket on review_items (ticket);
create unique index review_items_open on review_items (grant_id) where verdict is null;

-- The same, to find what waits for a person.
create table review_reviewers (
    person text collate "C" not null,
    item uuid not null,
    primary key (person, item)
);

create index review_reviewers_item on review_reviewers (item);

-- The times at which the desk has stopped ending access because too many people had left at once, and who let it go on.
create table access_brakes (
    id uuid not null primary key,
    at bigint not null,
    -- How many people were to lose their access.
    people bigint not null,
    resumed_at bigint,
    resumed_by text collate "C",
    reason text collate "C"
);
