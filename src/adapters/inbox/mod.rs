//! The mailbox of the operators: what its mails say is read here; what they mean is left to `domain::reply`.

pub mod read;
