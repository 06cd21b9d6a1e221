-- When people have signed in last to apps that say so, as it was read there.
create table access_sign_ins (
    subject text collate "C" not null,
    app text collate "C" not null,
    -- Null where the app knows of none.
    last_at bigint,
    looked_at bigint not null,
    primary key (subject, app)
);

create index access_sign_ins_app on access_sign_ins (app, last_at);
