//! The question before the first change, asked once.

use crate::domain::fault::Fault;
use crate::domain::key::PublicKey;
use crate::engine::ports::Touch;
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks only while nothing was changed, and remembers that it may be: what was refused before it was asked changed nothing.
pub(super) struct Until<'a> {
    touch: &'a dyn Touch,
    changed: bool,
    asked: AtomicBool,
}

impl<'a> Until<'a> {
    /// `changed`: something was changed before, so nobody is asked.
    pub(super) fn of(touch: &'a dyn Touch, changed: bool) -> Self {
        Self { touch, changed, asked: AtomicBool::new(false) }
    }

    /// Whether it was asked, and the answer was yes.
    pub(super) fn was_asked(self) -> bool {
        self.asked.into_inner()
    }
}

#[async_trait]
impl Touch for Until<'_> {
    async fn touch(&self) -> Result<(), Fault> {
        if !self.changed {
            self.touch.touch().await?;
            self.asked.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn not_touched(&self) -> Result<(), Fault> {
        self.touch.not_touched().await
    }

    fn announced(&self) -> Option<PublicKey> {
        self.touch.announced()
    }
}
