//! The gate before every http request: what is not protected passes only where the configuration allows it by name, and
//! what has passed so is remembered, so that check, status and screen can say it.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::transport::{self, Address, Exceptions, Passage, Weakness};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The exceptions, and which of them were used. Cheap to clone; all adapters of a process share one.
#[derive(Clone, Debug, Default)]
pub struct Transport(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    exceptions: Exceptions,
    used: Mutex<BTreeMap<(Weakness, Address), Vec<Service>>>,
}

impl Transport {
    /// With what the configuration allows.
    pub fn new(exceptions: Exceptions) -> Self {
        Self(Arc::new(Inner { exceptions, used: Mutex::default() }))
    }

    /// To be asked before anything is sent there. Errors (of that service): the way is not protected and not allowed.
    pub fn pass(&self, service: Service, address: &Address, verified: bool) -> Result<(), Fault> {
        match self.0.exceptions.judge(service, address, verified) {
            Passage::Protected => Ok(()),
            Passage::Allowed(weakness) => {
                let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
                let services = used.entry((weakness, address.clone())).or_default();
                if !services.contains(&service) {
                    services.push(service);
                }
                Ok(())
            }
            Passage::Refused(weakness) => Err(refused(service, address, weakness)),
        }
    }

    /// Whether `verify: false` of a cloud may be obeyed for any of its services at all.
    pub fn allows_unverified(&self) -> bool {
        !self.0.exceptions.unverified_tls.is_empty()
    }

    /// What has passed unprotected, one line each; empty where everything is protected.
    pub fn unprotected(&self) -> Vec<String> {
        let used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |((weakness, address), services): (&(Weakness, Address), &Vec<Service>)| {
            let services: Vec<String> = services.iter().map(Service::to_string).collect();
            format!("{} to {} ({address})", weakness.word(), services.join(" and "))
        };
        used.iter().map(line).collect()
    }
}

fn refused(service: Service, address: &Address, weakness: Weakness) -> Fault {
    let what = match weakness {
        Weakness::PlainHttp => "over plain http everybody on the way could read and change what is sent",
        Weakness::UnverifiedTls => "without a verified certificate anybody on the way could pretend to be it",
    };
    Fault::new(service, FaultKind::Refused, format!("use {address}: {what}")).hint(format!(
        "nothing was sent; {}, or allow it by name in the configuration: {} = [\"{}\"]",
        weakness.cure(),
        weakness.setting(),
        transport::name_of(service)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transport::Allowed;

    #[test]
    fn a_refusal_names_service_address_and_setting_and_an_exception_is_remembered() {
        let at = |host: &str| Address { tls: false, host: host.into(), port: 9311 };
        let plain_http = vec![Allowed::Service(Service::Swift)];
        let transport = Transport::new(Exceptions { plain_http, ..Exceptions::default() });
        let fault = transport.pass(Service::Barbican, &at("10.0.0.5"), true).unwrap_err();
        assert_eq!(fault.service, Service::Barbican);
        assert!(fault.message.contains("http://10.0.0.5:9311"), "{fault}");
        assert!(fault.advice().contains("security.allow_plain_http = [\"barbican\"]"), "{}", fault.advice());
        assert!(transport.unprotected().is_empty());
        for _ in 0..3 {
            transport.pass(Service::Swift, &at("10.0.0.5"), true).unwrap();
        }
        transport.pass(Service::Keystone, &at("127.0.0.1"), true).unwrap();
        assert_eq!(transport.unprotected(), ["plain http to Swift (http://10.0.0.5:9311)"]);
    }
}
