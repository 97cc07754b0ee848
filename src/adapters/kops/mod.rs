//! A kOps cluster behind the `kops` command: here, or on a deploy host behind ssh.
//!
//! Each call is `kops VERB … --name C --state S` with a KUBECONFIG of the case's own, never the operator's. What it prints is judged in
//! `domain::kops`; running it is `run`, what ends it in time `guard`, what its failures mean is `refusal`, the kubeconfigs it writes are `files`.

mod cluster;
mod files;
mod guard;
mod refusal;
mod run;

pub use cluster::{Kops, KopsParameters};

#[cfg(test)]
mod tests;
