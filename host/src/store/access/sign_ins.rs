//! When people have signed in last to apps that say so, and the access that is not used.

use jiff::Timestamp;
use serde_json::json;

use super::{GRANT_COLUMNS, OF_ONE, grant};
use crate::desk::access::Grant;
use crate::desk::id::{AppId, GrantId, PersonId};
use crate::store::chain::audit;
use crate::store::db::{Arg, Row};
use crate::store::sql::columns::{at, ms};
use crate::store::sql::page::Page;
use crate::store::{Error, Store};

const T: &str = "access_sign_ins";

/// The last sign-in of a person to an app, as the app has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    /// `None` where the app knows of none.
    pub last: Option<Timestamp>,
    /// When the app was asked.
    pub looked_at: Timestamp,
}

impl Store {
    /// Keeps what an app says of a person's last sign-in, and notes in the audit where that is another than was known. An app that
    /// forgets one is not believed: what was known stays.
    ///
    /// # Errors
    ///
    /// Where the store cannot be written.
    pub async fn keep_sign_in(&self, (subject, app): (&PersonId, &AppId), sign_in: SignIn) -> Result<(), Error> {
        const KEEP: &str = "insert into access_sign_ins (subject, app, last_at, looked_at) values ($1, $2, $3, $4) \
                            on conflict (subject, app) do update set looked_at = excluded.looked_at, last_at = excluded.last_at \
                            where excluded.last_at is not null \
                            and (access_sign_ins.last_at is null or access_sign_ins.last_at <> excluded.last_at)";
        const LOOKED: &str = "update access_sign_ins set looked_at = $1 where subject = $2 and app = $3";
        let (last, looked_at) = (sign_in.last.map(ms), ms(sign_in.looked_at));
        let args: Vec<Arg> = vec![subject.as_str().into(), app.as_str().into(), last.into(), looked_at.into()];
        let detail = json!({ "app": app.as_str(), "last_at": last });
        let entry =
            audit::Entry { at: sign_in.looked_at, event: audit::APP_SIGN_IN, about: subject.to_string(), detail };
        if self.change_entrance(KEEP, args, Some(entry)).await? == 0 {
            self.write_row(LOOKED, vec![looked_at.into(), subject.as_str().into(), app.as_str().into()]).await?;
        }
        Ok(())
    }

    /// The last sign-in of a person to an app; `None` where the app has never said.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn sign_in(&self, subject: &PersonId, app: &AppId) -> Result<Option<SignIn>, Error> {
        let sql = "select last_at, looked_at from access_sign_ins where subject = $1 and app = $2";
        let row = self.db.optional(sql, vec![subject.as_str().into(), app.as_str().into()]).await?;
        row.map(|row| sign_in(&row, 0)).transpose()
    }

    /// The access that is held and was given before an instant, also where more time for it came since, and whose holder has not signed
    /// in since; only to apps that say so. In the order in which it was given, after one of the grants.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn unused(
        &self,
        app: Option<&AppId>,
        (since, now): (Timestamp, Timestamp),
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Page<(Grant, SignIn), GrantId>, Error> {
        let of = "from access_sign_ins s where s.subject = grants.subject and s.app = grants.app";
        let sql = format!(
            "select {GRANT_COLUMNS}, (select s.last_at {of}), (select s.looked_at {of}) from grants \
             where ($1 = '' or app = $1) and state = 'active' and revoked_at is null and expires_at > $2 and id > $4 \
             and exists (select 1 {of} and (s.last_at is null or s.last_at <= $3)) and (granted_at <= $3 \
             or exists (select 1 from {of_one} where g.subject = grants.subject and g.app = grants.app \
             and g.end_reason = 'replaced' and g.granted_at <= $3 and g.expires_at > $3)) order by id limit {}",
            limit + 1,
            of_one = OF_ONE.text(&self.db)
        );
        let app = app.map(AppId::as_str).unwrap_or_default();
        let after = after.map_or_else(uuid::Uuid::nil, |id| id.0);
        let rows = self.db.all(&sql, vec![app.into(), ms(now).into(), ms(since).into(), after.into()]).await?;
        let found = rows.iter().map(|row| Ok((grant(row)?, sign_in(row, 12)?))).collect::<Result<Vec<_>, Error>>()?;
        Ok(Page::cut(found, limit, |(grant, _)| grant.id))
    }
}

fn sign_in(row: &Row, place: usize) -> Result<SignIn, Error> {
    let last = row.opt_int(place)?.map(|last| at(T, "last_at", last)).transpose()?;
    Ok(SignIn { last, looked_at: at(T, "looked_at", row.opt_int(place + 1)?.unwrap_or_default())? })
}
