-- Who holds an app now is answered out of this index alone, however much was given before: what is over lies before its range.
drop index grants_app;
create index grants_app on grants (app, expires_at, state, revoked_at, tier, subject, granted_at, id);
-- How many of some people hold an app: a look for each of them, however many others hold it.
create index grants_app_subject on grants (app, subject);
-- What the desk is not done with in the app, also where its time is over.
create index grants_under_way on grants (app, tier, subject)
    where state in ('provisioning', 'deprovisioning', 'compensating');
