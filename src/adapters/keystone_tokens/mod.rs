//! Tokens at one Keystone node, directly and not through the load balancer: issued, and validated in both ways in which a node meets
//! one. What the answers prove is `domain::fernet::matrix`; no token is kept longer than its [`Token`] lives.
//!
//! Nothing is followed and nothing is sent twice: a retry would hide the one 401 that is looked for, and a redirect would ask another
//! node than the one that is named. How TLS is done is as for all OpenStack services of the project.

mod account;
mod asking;
mod client;
mod login;

pub use crate::engine::ports::nodes::{Token, Validated};
pub use account::{Account, Whose};
pub use asking::Asking;
pub use client::{TokenClient, TokenParameters};
pub use login::{Credentials, Named};
