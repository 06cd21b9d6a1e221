-- Files that people add to tickets. A content is kept once, however many attachments have it.
create table attachment_contents (
    -- The name of the object in the store of files.
    object blob not null primary key,
    -- SHA-256 in hexadecimal; null while the object is being written, and when nothing has it any more.
    digest text,
    size bigint not null,
    -- When an attachment with it was last added.
    touched_at bigint not null,
    -- `unscanned`, `pending`, `clean` or `infected`.
    scan text not null,
    -- The name of the malware that was found.
    malware text not null default '',
    scan_attempts bigint not null default 0,
    -- When it is to be scanned, or again.
    scan_due bigint not null
) without rowid;

create unique index attachment_contents_digest on attachment_contents (digest);
create index attachment_contents_scan on attachment_contents (scan_due) where scan = 'pending';
create index attachment_contents_lost on attachment_contents (touched_at) where digest is null;

create table attachments (
    id blob not null primary key,
    object blob not null,
    name text not null,
    -- As its sender says, and by the content's own beginning.
    declared_type text not null,
    found_type text not null,
    size bigint not null,
    uploader text not null,
    uploaded_at bigint not null,
    -- Null until a ticket has it.
    ticket bigint,
    -- The comment that it came with; empty where it came with none.
    comment text not null default '',
    -- 1 where only those who work on tickets may see it.
    internal bigint not null default 0
) without rowid;

create index attachments_ticket on attachments (ticket, id) where ticket is not null;
create index attachments_uploader on attachments (uploader, size);
create index attachments_loose on attachments (uploaded_at) where ticket is null;
create index attachments_object on attachments (object);
