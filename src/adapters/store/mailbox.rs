//! What is remembered of the mailbox: one row per folder, one per mail that belongs to nobody.

use super::trouble::Failure;
use super::{OPERATION, SqlJournal, bounded, give_back};
use crate::domain::fault::Fault;
use crate::engine::mail_store::{MailStore, Stray};
use crate::engine::ports::Cursor;
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Connection, Row};

/// The most mails that are kept for the operator to look at.
const MOST_STRAYS: i64 = 500;

const CURSOR: &str = "SELECT uid_validity, next_uid FROM mailbox WHERE mailbox = $1 AND folder = $2";
/// Two processes that read the same folder: whoever is further counts.
const ADVANCE: &str = "INSERT INTO mailbox (mailbox, folder, uid_validity, next_uid) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (mailbox, folder) DO UPDATE SET uid_validity = $3, next_uid = CASE \
     WHEN mailbox.uid_validity = $3 AND mailbox.next_uid > $4 THEN mailbox.next_uid ELSE $4 END";
const KEEP: &str = "INSERT INTO stray (mailbox, mail, at_ms, place, sender, subject, why) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (mailbox, mail) DO NOTHING";
const TRIM: &str = "DELETE FROM stray WHERE mailbox = $1 AND at_ms < (SELECT MIN(at_ms) FROM \
     (SELECT at_ms FROM stray WHERE mailbox = $1 ORDER BY at_ms DESC LIMIT $2) AS newest)";
const STRAYS: &str =
    "SELECT mail, at_ms, place, sender, subject, why FROM stray WHERE mailbox = $1 ORDER BY at_ms DESC, mail";
const FORGET: &str = "DELETE FROM stray WHERE mailbox = $1 AND mail = $2";

#[async_trait]
impl MailStore for SqlJournal {
    async fn cursor(&self, mailbox: &str, folder: &str) -> Result<Option<Cursor>, Fault> {
        let doing = "reading how far the mailbox was read";
        let mut connection = self.connection(doing).await?;
        let work = async {
            let row = sqlx::query(CURSOR).bind(mailbox).bind(folder).fetch_optional(&mut *connection).await?;
            let cursor = |row: sqlx::any::AnyRow| {
                let column = |index| Ok::<_, Failure>(u32::try_from(row.try_get::<i64, _>(index)?).unwrap_or_default());
                Ok::<_, Failure>(Cursor { uid_validity: column(0)?, next_uid: column(1)? })
            };
            row.map(cursor).transpose()
        };
        let result = bounded(doing, OPERATION, work).await;
        give_back(connection, result)
    }

    async fn advance(&self, mailbox: &str, folder: &str, cursor: Cursor) -> Result<(), Fault> {
        self.may_write()?;
        let doing = "writing how far the mailbox was read";
        let mut connection = self.connection(doing).await?;
        let work = async {
            let (validity, next) = (i64::from(cursor.uid_validity), i64::from(cursor.next_uid));
            let query = sqlx::query(ADVANCE).bind(mailbox).bind(folder).bind(validity).bind(next);
            query.execute(&mut *connection).await?;
            Ok(())
        };
        let result = bounded(doing, OPERATION, work).await;
        give_back(connection, result)
    }

    async fn keep_strays(&self, mailbox: &str, strays: &[Stray]) -> Result<(), Fault> {
        self.may_write()?;
        let doing = "keeping mails that belong to nobody";
        let mut connection = self.connection(doing).await?;
        let work = async {
            let mut transaction = connection.begin().await?;
            for stray in strays {
                let query = sqlx::query(KEEP).bind(mailbox).bind(&stray.mail).bind(stray.at.as_millisecond());
                let query = query.bind(&stray.place).bind(&stray.from).bind(&stray.subject).bind(&stray.why);
                query.execute(&mut *transaction).await?;
            }
            sqlx::query(TRIM).bind(mailbox).bind(MOST_STRAYS).execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(())
        };
        let result = bounded(doing, OPERATION, work).await;
        give_back(connection, result)
    }

    async fn strays(&self, mailbox: &str) -> Result<Vec<Stray>, Fault> {
        let doing = "reading the mails that belong to nobody";
        let mut connection = self.connection(doing).await?;
        let work = async {
            let rows = sqlx::query(STRAYS).bind(mailbox).fetch_all(&mut *connection).await?;
            let stray = |row: &sqlx::any::AnyRow| {
                let at: i64 = row.try_get(1)?;
                Ok::<_, Failure>(Stray {
                    mail: row.try_get(0)?,
                    at: Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH),
                    place: row.try_get(2)?,
                    from: row.try_get(3)?,
                    subject: row.try_get(4)?,
                    why: row.try_get(5)?,
                })
            };
            rows.iter().map(stray).collect()
        };
        let result = bounded(doing, OPERATION, work).await;
        give_back(connection, result)
    }

    async fn forget_stray(&self, mailbox: &str, mail: &str) -> Result<bool, Fault> {
        self.may_write()?;
        let doing = "taking a mail off the list";
        let mut connection = self.connection(doing).await?;
        let work = async {
            let done = sqlx::query(FORGET).bind(mailbox).bind(mail).execute(&mut *connection).await?;
            Ok(done.rows_affected() > 0)
        };
        let result = bounded(doing, OPERATION, work).await;
        give_back(connection, result)
    }
}
