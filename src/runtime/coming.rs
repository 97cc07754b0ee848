//! The part of a folder that comes next, read while the one before it is taken in: neither the mailbox nor this process waits
//! for the other. What becomes of the mails is left to `post`.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::ports::{Cursor, FolderReading};
use tokio::task::JoinSet;

/// A reading that is under way. It ends by being dropped: nothing of it was taken in, so it is read again.
pub(super) struct Coming {
    from: Cursor,
    task: JoinSet<Result<FolderReading, Fault>>,
}

impl Coming {
    /// Begins to read what stands behind this cursor.
    pub(super) fn begin(
        from: Cursor,
        reading: impl Future<Output = Result<FolderReading, Fault>> + Send + 'static,
    ) -> Self {
        let mut task = JoinSet::new();
        task.spawn(reading);
        Self { from, task }
    }

    /// What it gave. `None`: the folder is to be read from elsewhere by now, since somebody else has read on.
    pub(super) async fn end(mut self, from: Option<Cursor>) -> Option<Result<FolderReading, Fault>> {
        if from != Some(self.from) {
            return None;
        }
        let broken = |why: String| {
            let text = format!("reading the mailbox broke off: {why}");
            Fault::new(Service::Mail, FaultKind::Reset, text)
                .hint("nothing was lost: it is read again at the next look")
        };
        Some(match self.task.join_next().await? {
            Ok(reading) => reading,
            Err(error) => Err(broken(error.to_string())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    fn at(next_uid: u32) -> Cursor {
        Cursor { uid_validity: 1, next_uid }
    }

    fn nothing() -> FolderReading {
        FolderReading { cursor: at(9), mails: Vec::new(), more: false, renumbered: false }
    }

    #[tokio::test]
    async fn it_is_read_while_whoever_wants_it_does_something_else() {
        let (tell, told) = oneshot::channel();
        let coming = Coming::begin(at(5), async move {
            tell.send(()).ok();
            Ok(nothing())
        });
        // Would never come if it were read only when it is asked for.
        told.await.unwrap();
        assert_eq!(coming.end(Some(at(5))).await.unwrap().unwrap().cursor, at(9));
    }

    #[tokio::test]
    async fn where_somebody_else_has_read_on_it_does_not_count() {
        for from in [None, Some(at(4)), Some(at(6)), Some(Cursor { uid_validity: 2, next_uid: 5 })] {
            assert!(Coming::begin(at(5), async { Ok(nothing()) }).end(from).await.is_none());
        }
    }

    #[tokio::test]
    async fn a_fault_of_it_is_met_where_its_mails_are_wanted() {
        let fault = || Fault::new(Service::Mail, FaultKind::Reset, "gone");
        let coming = Coming::begin(at(5), async move { Err(fault()) });
        assert_eq!(coming.end(Some(at(5))).await.unwrap().unwrap_err().message, "gone");
    }
}
