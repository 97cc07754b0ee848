//! What puts the lab back to a moment that was seen before: its secrets with their ids, what each client's device has, the
//! mails that had arrived. Objects, the server's key and silences have their own ways in `world` and `alerts`.

use std::sync::Arc;
use std::time::SystemTime;

use super::barbican::Secret;
use super::smtp::Mail;
use super::state::lock;
use super::vpn;
use super::world::LabWorld;

impl LabWorld {
    /// These secrets and no others are there from now on, under their own ids.
    pub fn put_secrets(&self, secrets: Vec<Secret>) {
        lock(&self.shared.barbican).secrets = secrets.into_iter().map(|secret| (secret.id.clone(), secret)).collect();
        self.shared.touch();
    }

    /// These mails and no others have been accepted; nobody gets or answers them.
    pub fn put_mails(&self, mails: impl IntoIterator<Item = Vec<u8>>) {
        let mail = |raw| Mail { from: String::new(), to: Vec::new(), raw, at: SystemTime::now() };
        *lock(&self.shared.mails) = mails.into_iter().map(|raw| Arc::new(mail(raw))).collect();
        self.shared.touch();
    }

    /// These mails and no others lie in the operator's INBOX, numbered from 1 on.
    pub fn put_inbox(&self, mails: impl IntoIterator<Item = Vec<u8>>) {
        {
            let mut mailbox = lock(&self.shared.mailbox);
            let Some(folder) = mailbox.folder("INBOX") else { return };
            folder.mails.clear();
            folder.next = 1;
        }
        for raw in mails {
            self.deliver_to_operator(&raw);
        }
        self.shared.touch();
    }

    /// The server key that a client's device has, and its last handshake (seconds since 1970, 0 = never). Set the server's
    /// own key first. False: there is no such client.
    pub fn put_peer(&self, tenant: &str, client: &str, believes: [u8; 32], stamp: u64) -> bool {
        let Some(tenant) = self.shared.tenant(tenant) else { return false };
        tenant.client(client).is_some_and(|client| vpn::put_back(tenant, client, believes, stamp))
    }
}
