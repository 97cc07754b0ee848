//! The measured pair: DELETE and POST back to back on warm connections with a token that lives long enough, in a task of
//! its own that no dropped future stops. Look-ups, attachments and what to do after a fault are left to the engine.

use super::answer::Answer;
use super::attachments;
use super::barbican::{BARBICAN, Barbican, asking_for, deleted, first_secret, store_request, stored};
use super::catalog::Kind;
use super::http::{DOCUMENT, below, request};
use super::keystone::{Session, Token};
use super::parameters::Limits;
use super::secret_document::{Body, secret_id};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::secret_shape::SecretShape;
use crate::engine::ports::{Fence, NewSecret, SecretRef, Swap, SwapOrder, Touch};
use async_trait::async_trait;
use futures_util::try_join;
use reqwest::{Method, Request, StatusCode};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{RwLock, RwLockWriteGuard};

/// A token must live at least so long when the pair begins (where the site's tokens live that long).
const LEAST_LIFE: Duration = Duration::from_secs(300);

/// After its answer a connection goes back to the pool in a task of hyper's (hyperium/hyper#4134). A DELETE that is faster
/// takes another one, new or not used with this token, and pays for it inside the gap. This pause is before the gap.
const CONNECTIONS_RETURN: Duration = Duration::from_millis(2);

/// Held for reading by each pair that is under way, for writing by whoever must not come in between.
static PAIRS: RwLock<()> = RwLock::const_new(());

/// While this lives no pair is under way in this process, and none begins.
pub struct BetweenPairs(#[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'static, ()>);

/// Waits until no pair is under way. The program must neither exit nor rest before: a DELETE may have been sent.
pub async fn between_pairs() -> BetweenPairs {
    BetweenPairs(PAIRS.write().await)
}

/// Whether a pair is under way, so that [`between_pairs`] would have to wait.
pub fn is_pair_running() -> bool {
    PAIRS.try_write().is_err()
}

/// How long a pair lasts at most: two requests, and if the token is revoked in that very moment, two authentications and
/// both requests again.
pub(super) fn bound(limits: Limits) -> Duration {
    limits.read * 6
}

/// Prepares and runs the pair. Until DELETE is sent, dropping this future leaves everything as it was; from then on the
/// pair is finished whatever happens to the caller.
pub(super) async fn swap(
    barbican: &Barbican,
    old: &SecretRef,
    new: NewSecret,
    order: SwapOrder,
    touch: &dyn Touch,
) -> Swap {
    let pair = match prepare(barbican, old, &new).await {
        Ok(pair) => pair,
        Err(fault) => {
            return Swap::not_deleted(fault);
        }
    };
    drop(new);
    if let Err(fault) = touch.touch().await {
        return Swap::not_deleted(fault);
    }
    let judged = Judged::now();
    // Not before the preparation: nothing that may be dropped holds up the end of the program.
    let running = PAIRS.read().await;
    let task = tokio::spawn(async move {
        let _running = running;
        match order {
            SwapOrder::DeleteFirst => pair.delete_first(judged).await,
            SwapOrder::StoreFirst => pair.store_first(judged).await,
        }
    });
    task.await.unwrap_or_else(|_| {
        let text = "swap the secret: the task was ended from outside; look what is stored";
        Swap::not_deleted(Fault::new(BARBICAN, FaultKind::Reset, text))
    })
}

/// What was judged right before the first request is old after this: a process may be stopped between the two, and a host
/// put to sleep.
const JUDGED_LASTS: Duration = Duration::from_secs(5);

/// When it was judged whether the secret may be changed: by the clock that stands still while a host sleeps, and by the
/// one that goes on.
#[derive(Clone, Copy)]
struct Judged {
    running: Instant,
    wall: SystemTime,
}

impl Judged {
    fn now() -> Self {
        Self { running: Instant::now(), wall: SystemTime::now() }
    }

    /// Errs when that was too long ago to begin anything now.
    fn still(self) -> Result<(), Fault> {
        let slept = self.wall.elapsed().is_ok_and(|elapsed| elapsed > JUDGED_LASTS);
        if !slept && self.running.elapsed() <= JUDGED_LASTS {
            return Ok(());
        }
        let text = "begin the swap: this process was stopped right after the gate was judged";
        Err(Fault::new(BARBICAN, FaultKind::Refused, text).hint("nothing was deleted; resume judges the gate again"))
    }
}

/// Both requests, complete but for the token.
struct Pair {
    session: Arc<Session>,
    token: Arc<Token>,
    delete: Request,
    post: Request,
    body: Body,
    barbican: Barbican,
    shape: SecretShape,
}

async fn prepare(barbican: &Barbican, old: &SecretRef, new: &NewSecret) -> Result<Pair, Fault> {
    let id = secret_id(old)?;
    let body = Body::of(new)?;
    let session = Arc::clone(&barbican.session);
    let needed = bound(session.http.limits());
    let mut token = session.token(LEAST_LIFE).await?;
    if token.remaining() < needed {
        // Where tokens live short, one that has lived a while may do no more, and a young one does.
        token = session.renew(&token).await?;
    }
    let token = warm(barbican, token).await?;
    if token.remaining() < needed {
        let text = format!(
            "begin the swap: the newest token lives only {} s more, the pair may need {} s",
            token.remaining().as_secs(),
            needed.as_secs()
        );
        return Err(Fault::new(Service::Keystone, FaultKind::Refused, text)
            .hint("nothing was deleted; have Keystone's tokens live longer, or set cloud.read_timeout lower"));
    }
    tokio::time::sleep(CONNECTIONS_RETURN).await;
    let base = token.endpoint(Kind::KeyManager)?;
    let mut url = below(&base, ["secrets", id]);
    // From version 1.2 a secret with consumers is not deleted. Those that the replacement will carry are known, so the
    // refusal would protect nobody; any that are not known still stop it.
    if !new.shape.consumers.is_empty() {
        url.set_query(Some("force=true"));
    }
    let delete = asking_for(barbican.minor(), request(Method::DELETE, url));
    let post = asking_for(barbican.minor(), store_request(&base, body.bytes()));
    Ok(Pair {
        session,
        token,
        delete,
        post,
        body,
        barbican: barbican.behind(Arc::clone(&barbican.fence)),
        shape: new.shape.clone(),
    })
}

/// Two cheap requests at once: two connections are then open, and whichever worker of Barbican holds them has checked
/// the token at Keystone (seen: 182 ms the first time, 19 ms later; a connection returns to the pool a moment after its
/// answer, so with only one the POST may have to open another).
async fn warm(barbican: &Barbican, mut token: Arc<Token>) -> Result<Arc<Token>, Fault> {
    let what = "reach the service before the swap";
    let session = &barbican.session;
    let mut renewed = false;
    let mut stale = false;
    loop {
        let base = token.endpoint(Kind::KeyManager)?;
        let minor = barbican.minor();
        let cheap = || async {
            let request = token.sign(asking_for(minor, first_secret(&base)?));
            session.http.send(BARBICAN, what, DOCUMENT, request).await
        };
        match try_join!(cheap(), cheap()) {
            // A connection that a firewall has forgotten is found out here, not by the DELETE.
            Err(fault) if !stale && matches!(fault.kind, FaultKind::Reset | FaultKind::TimedOut) => stale = true,
            Err(fault) => return Err(fault),
            Ok((one, two)) => {
                let worse = if one.status.is_success() { two } else { one };
                if worse.status == StatusCode::UNAUTHORIZED && !renewed {
                    renewed = true;
                    token = session.renew(&token).await?;
                } else if !barbican.lower(minor, &worse) {
                    worse.accept(BARBICAN, what)?;
                    return Ok(token);
                }
            }
        }
    }
}

impl Pair {
    /// The right to begin: the tenant is ours, and what was judged is not old.
    async fn hold(&self, judged: Judged) -> Result<(), Fault> {
        self.barbican.fence.hold().await?;
        judged.still()
    }

    async fn delete_first(mut self, judged: Judged) -> Swap {
        if let Err(fault) = self.hold(judged).await {
            return Swap::not_deleted(fault);
        }
        let sent = Instant::now();
        let mut begun = sent;
        let mut answer = self.exchange(&self.delete, "delete the secret").await;
        if is_unauthorized(&answer) {
            // Refused before it was done: the first attempt has opened no gap.
            if let Err(fault) = self.renew().await {
                return Swap::not_deleted(fault);
            }
            begun = Instant::now();
            answer = self.exchange(&self.delete, "delete the secret").await;
        }
        if let Err(fault) = answer.and_then(|answer| deleted(&answer)) {
            // Not deleted, or not known: storing now could leave two. The engine looks first.
            return Swap::not_deleted(fault);
        }
        // Whoever took the tenant over while we were stopped stores the key; a second one from us would be a duplicate.
        let stored = match self.barbican.fence.finish().await {
            Ok(()) => self.store().await,
            Err(fault) => Err(fault),
        };
        let gap = stored.is_ok().then(|| begun.elapsed());
        let not_carried = self.attach(&stored, sent).await;
        Swap { deleted: Ok(()), stored: Some(stored), gap, overlap: None, not_carried }
    }

    async fn store_first(mut self, judged: Judged) -> Swap {
        let sent = Instant::now();
        let stored = match self.hold(judged).await {
            Ok(()) => self.store().await,
            Err(fault) => Err(fault),
        };
        if stored.is_err() {
            let text = "delete the secret: left as it was, because its replacement could not be stored";
            let deleted = Err(Fault::new(BARBICAN, FaultKind::Refused, text));
            return Swap { deleted, stored: Some(stored), gap: None, overlap: None, not_carried: Vec::new() };
        }
        // Before the old one goes: whoever reads through an access control list must not find a moment without it.
        let not_carried = self.attach(&stored, sent).await;
        let mut answer = match self.barbican.fence.hold().await {
            Ok(()) => self.exchange(&self.delete, "delete the secret").await,
            Err(fault) => Err(fault),
        };
        if is_unauthorized(&answer) {
            answer = match self.renew().await {
                Ok(()) => self.exchange(&self.delete, "delete the secret").await,
                Err(fault) => Err(fault),
            };
        }
        let deleted = answer.and_then(|answer| deleted(&answer));
        let gap = deleted.is_ok().then_some(Duration::ZERO);
        let overlap = deleted.is_ok().then(|| sent.elapsed());
        Swap { deleted, stored: Some(stored), gap, overlap, not_carried }
    }

    async fn store(&mut self) -> Result<SecretRef, Fault> {
        let mut answer = self.exchange(&self.post, "store the secret").await;
        if is_unauthorized(&answer) {
            self.renew().await?;
            answer = self.exchange(&self.post, "store the secret").await;
        }
        stored(&answer?, &self.body)
    }

    /// Sets what hangs on the secret, within the protected task: a program that ends now must not leave it open to all.
    ///
    /// What can't be set within the bound that is shown is named, not waited for.
    async fn attach(&self, stored: &Result<SecretRef, Fault>, sent: Instant) -> Vec<String> {
        let Ok(href) = stored else { return Vec::new() };
        let left = bound(self.session.http.limits()).saturating_sub(sent.elapsed());
        let finishing = self.barbican.behind(Arc::new(Finishing(Arc::clone(&self.barbican.fence))));
        let attaching = attachments::attach(&finishing, href, &self.shape);
        tokio::time::timeout(left, attaching).await.unwrap_or_else(|_| {
            vec!["access control list, metadata and consumers: not all of them could be set in time".into()]
        })
    }

    async fn renew(&mut self) -> Result<(), Fault> {
        self.token = self.session.renew(&self.token).await?;
        Ok(())
    }

    /// Sends a copy (the body is shared, not copied) and reads the answer to its end.
    async fn exchange(&self, request: &Request, what: &str) -> Result<Answer, Fault> {
        let copy = request.try_clone().ok_or_else(|| {
            Fault::new(BARBICAN, FaultKind::Invalid, format!("{what}: the request can't be repeated"))
        })?;
        self.session.http.send(BARBICAN, what, DOCUMENT, self.token.sign(copy)).await
    }
}

/// What hangs on the secret belongs to the second half: a journal that has gone away in the gap must not leave a key open to the
/// whole project.
struct Finishing(Arc<dyn Fence>);

#[async_trait]
impl Fence for Finishing {
    async fn hold(&self) -> Result<(), Fault> {
        self.0.finish().await
    }

    async fn finish(&self) -> Result<(), Fault> {
        self.0.finish().await
    }
}

fn is_unauthorized(answer: &Result<Answer, Fault>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED)
}
