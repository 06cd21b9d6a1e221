//! Attachments that no ticket got, and contents that nothing has any more.

use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::id::AttachmentId;
use crate::store::db::Arg;
use crate::store::sql::columns::ms;
use crate::store::{Error, Store};

/// Contents that are removed at once.
const AT_ONCE: usize = 100;

impl Store {
    /// Forgets an attachment that no ticket has; its content goes with the others that nothing has any more.
    ///
    /// # Errors
    ///
    /// Where the database cannot be written.
    pub async fn forget_loose_attachment(&self, id: AttachmentId) -> Result<(), Error> {
        self.write("delete from attachments where id = $1 and ticket is null", vec![id.0.into()]).await.map(drop)
    }

    /// Forgets the attachments that were uploaded before an instant and that no ticket has, then the contents that nothing has
    /// since; how many contents.
    ///
    /// # Errors
    ///
    /// Where the database or the store of files cannot be written.
    pub async fn sweep_attachments(&self, before: Timestamp) -> Result<usize, Error> {
        let forget = "delete from attachments where ticket is null and uploaded_at < $1";
        // Without its digest, a content is found by no upload any more.
        let unname = "update attachment_contents set digest = null where touched_at < $1 and digest is not null \
                      and not exists (select 1 from attachments a where a.object = attachment_contents.object)";
        let args: Vec<Arg> = vec![ms(before).into()];
        let written = self.db.transaction(async |mut tx| {
            tx.execute(forget, args.clone()).await?;
            tx.execute(unname, args.clone()).await?;
            Ok(((), tx))
        });
        written.await?.1.done().await?;
        let lost = format!(
            "select object from attachment_contents where digest is null and touched_at < $1 order by touched_at limit {AT_ONCE}"
        );
        let lost: Vec<Uuid> =
            self.db.all(&lost, args.clone()).await?.iter().map(|row| row.uuid(0)).collect::<Result<_, _>>()?;
        for object in &lost {
            self.files.remove(*object).await?;
            self.write("delete from attachment_contents where object = $1 and digest is null", vec![(*object).into()])
                .await?;
        }
        self.files.sweep().await?;
        Ok(lost.len())
    }
}
