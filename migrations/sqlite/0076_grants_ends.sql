-- All that is held now, of every app and person, is found without a look at what is over: most grants have ended, and lie before its range.
create index grants_ends on grants (expires_at, id);
