//! Judges what is written in `changeguard.toml` and turns it into [`Config`], noting every problem with its place.
//!
//! How single values are written is `values`, the contacts file is `contacts`, the defaults stand in `config`.

use super::contacts;
use super::file::{
    ApprovalTable, CloudTable, ConsoleTable, File, NoticesTable, ServerTable, TenantTable, TenantsTable, Value,
    WireguardTable,
};
use super::problem::{Problems, Source};
use super::{Approval, Cloud, Config, Console, Notices, Server, Smtp, Swap, Tenants, Wireguard, values};
use crate::domain::document::Fields;
use crate::domain::fault::Service;
use crate::domain::language::Language;
use crate::domain::second_mail::SecondMail;
use crate::domain::tenant::{Tenant, TenantId};
use crate::domain::transport::Exceptions;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;

/// The place at which a missing section is reported: the beginning of the file.
pub(super) const NOWHERE: Range<usize> = 0..0;

/// One pass over one file.
pub(super) struct Rules<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: &'a mut Problems,
    pub(super) home: Option<String>,
    /// Ids and names of the tenants read so far, with their place in the list.
    names: BTreeMap<String, usize>,
    /// The languages of the tenants that name one.
    languages: BTreeMap<TenantId, Language>,
    /// What may pass unprotected.
    pub(super) exceptions: Exceptions,
}

impl<'a> Rules<'a> {
    pub(super) fn new(source: &'a Source, problems: &'a mut Problems, home: Option<String>) -> Self {
        let (names, languages) = (BTreeMap::new(), BTreeMap::new());
        Self { source, problems, home, names, languages, exceptions: Exceptions::default() }
    }

    /// The configuration; where there are problems it holds defaults in their place and must not be used.
    pub(super) fn apply(mut self, file: File) -> Config {
        let written_tenants = file.tenant.len();
        let discovers =
            |table: &Spanned<TenantsTable>| table.get_ref().discover.as_ref().is_some_and(|on| *on.get_ref());
        // Cloud and mail are the tenants': beside clusters alone they may be missing, but not be there by half.
        let names_tenants = written_tenants > 0 || file.tenants.as_ref().is_some_and(discovers);
        let is_wrong = ["tenant", "tenants", "tenants.discover"].iter().any(|field| self.problems.is_broken(field));
        let has_clusters = !file.keystone.is_empty() || !file.kops.is_empty();
        let clusters_only = !names_tenants && !is_wrong && has_clusters;
        let is_needed = |is_written: bool| is_written || !clusters_only;
        let (needs_cloud, needs_smtp, needs_notices) =
            (is_needed(file.cloud.is_some()), is_needed(file.smtp.is_some()), is_needed(file.notices.is_some()));
        let (cloud_at, cloud) = split(file.cloud);
        let (wireguard_at, wireguard) = split(file.wireguard);
        let (_, server) = split(file.server);
        let (smtp_at, smtp) = split(file.smtp);
        let (notices_at, notices) = split(file.notices);
        let (_, tenants) = split(file.tenants);
        let (_, state) = split(file.state);
        // First: the addresses of the other sections are held to it.
        let (exceptions, read_only) = self.security(file.security);
        self.exceptions = exceptions;
        let mut config = Config {
            path: self.source.path.clone(),
            cloud: if needs_cloud { self.cloud(&cloud_at, cloud) } else { Cloud::default() },
            state: self.state(state),
            wireguard: self.wireguard(wireguard),
            tenants: Tenants {
                discover: tenants.discover.is_some_and(Spanned::into_inner),
                server: self.optional("tenants.server", tenants.server, |text| {
                    let filled = text.replace("{tenant_name}", "x").replace("{tenant_id}", "x");
                    values::host(&filled).map(|_| text.to_owned())
                }),
                contacts: None,
            },
            tenant: file.tenant.into_iter().enumerate().filter_map(|(at, t)| self.tenant(at, t)).collect(),
            server: self.server(server),
            smtp: if needs_smtp { self.smtp(&smtp_at, smtp) } else { Smtp::default() },
            inbox: None,
            notices: if needs_notices { self.notices(&notices_at, notices) } else { Notices::default() },
            console: file.console.map(|console| self.console(console)),
            exceptions: self.exceptions.clone(),
            read_only,
            approval: self.approval(file.approval),
            reminders: self.reminders(file.reminders),
            alerts: file.alerts.map(|alerts| self.alerts(alerts)),
            keystone: self.keystones(file.keystone),
            kops: self.kops(file.kops),
            contacts: Vec::new(),
            languages: BTreeMap::new(),
        };
        config.languages = std::mem::take(&mut self.languages);
        config.inbox = file.inbox.map(|inbox| self.inbox(inbox, &config.smtp));
        let clusters = config.keystone.len() + config.kops.len();
        let nobody = written_tenants == 0 && clusters == 0 && !config.tenants.discover;
        if nobody && !self.problems.is_broken("tenant") {
            let message = "there is no tenant: add a [[tenant]] with id and name, or set tenants.discover = true, or add a [keystone.NAME]";
            self.problems.add(self.source, &NOWHERE, "tenant", message);
        }
        let many = written_tenants > 1 || config.tenants.discover;
        if many && !(config.wireguard.container.clone() + &config.wireguard.object).contains("{tenant_id}") {
            let message =
                "all tenants would share one object: wireguard.container or wireguard.object must hold {tenant_id}";
            self.problems.add(self.source, &wireguard_at, "wireguard.container", message);
        }
        if let Some(written) = tenants.contacts {
            let span = written.span();
            config.tenants.contacts = self.path("tenants.contacts", Some(written));
            if let Some(path) = config.tenants.contacts.clone() {
                config.contacts = contacts::load(path, &config, self.source, &span, self.problems);
            }
        }
        config
    }

    fn approval(&mut self, table: Value<ApprovalTable>) -> Approval {
        let (_, table) = split(table);
        let default = Approval::default();
        Approval {
            required: table.required.map_or(default.required, Spanned::into_inner),
            key: self.path("approval.key", table.key),
            signers: self.path("approval.signers", table.signers),
            valid: self.or("approval.valid", table.valid, default.valid, values::duration),
        }
    }

    fn cloud(&mut self, at: &Range<usize>, table: CloudTable) -> Cloud {
        let default = Cloud::default();
        Cloud {
            name: self.required("cloud.name", at, table.name, values::line),
            clouds_file: self.path("cloud.clouds_file", table.clouds_file),
            connect_timeout: self.or(
                "cloud.connect_timeout",
                table.connect_timeout,
                default.connect_timeout,
                values::duration,
            ),
            read_timeout: self.or("cloud.read_timeout", table.read_timeout, default.read_timeout, values::duration),
            upload_timeout: self.or(
                "cloud.upload_timeout",
                table.upload_timeout,
                default.upload_timeout,
                values::duration,
            ),
        }
    }

    fn wireguard(&mut self, table: WireguardTable) -> Wireguard {
        let default = Wireguard::default();
        let (_, fields) = split(table.fields);
        let known = Fields::default();
        Wireguard {
            secret_name: self.or("wireguard.secret_name", table.secret_name, default.secret_name, secret_name),
            container: self.or("wireguard.container", table.container, default.container, container),
            object: self.or("wireguard.object", table.object, default.object, object),
            interface: self.or("wireguard.interface", table.interface, default.interface, interface),
            reconcile_interval: self.or(
                "wireguard.reconcile_interval",
                table.reconcile_interval,
                default.reconcile_interval,
                values::duration,
            ),
            swap: self.or("wireguard.swap", table.swap, default.swap, |text| match text {
                "delete-first" => Ok(Swap::DeleteFirst),
                "store-first" => Ok(Swap::StoreFirst),
                _ => Err(format!("{text:?} is not an order of the swap; write \"delete-first\" or \"store-first\"")),
            }),
            cadence_months: self
                .number("wireguard.cadence_months", table.cadence_months, 1..=120)
                .unwrap_or(default.cadence_months),
            preflight_valid: self.or(
                "wireguard.preflight_valid",
                table.preflight_valid,
                default.preflight_valid,
                values::duration,
            ),
            fields: Fields {
                id: self.or("wireguard.fields.id", fields.id, known.id, values::line),
                name: self.or("wireguard.fields.name", fields.name, known.name, values::line),
                email: self.or("wireguard.fields.email", fields.email, known.email, values::line),
                public_key: self.or("wireguard.fields.public_key", fields.public_key, known.public_key, values::line),
            },
        }
    }

    fn tenant(&mut self, at: usize, table: Spanned<TenantTable>) -> Option<Tenant> {
        let place = table.span();
        let table = table.into_inner();
        let field = |name: &str| format!("tenant[{at}].{name}");
        let id_span = table.id.as_ref().map(Spanned::span);
        let name_span = table.name.as_ref().map(Spanned::span);
        let id = self.required(&field("id"), &place, table.id, |text| {
            TenantId::new(text).map(Some).map_err(|error| error.to_string())
        });
        let name = self.required(&field("name"), &place, table.name, |text| {
            let name = values::line(text)?;
            if name.chars().count() > 64 {
                return Err("is longer than 64 characters".into());
            }
            Ok(name)
        });
        // A name that is another tenant's id would make the contacts file ambiguous.
        for (what, span, text) in [
            ("id", id_span, id.as_ref().map(TenantId::to_string)),
            ("name", name_span, Some(name.clone()).filter(|name| !name.is_empty())),
        ] {
            if let (Some(span), Some(text)) = (span, text)
                && let Some(first) = self.names.insert(text.clone(), at)
                && first != at
            {
                let message = format!("{text:?} is already the id or name of tenant[{first}]; each must be its own");
                self.problems.add(self.source, &span, &field(what), message);
            }
        }
        let server = self.optional(&field("server"), table.server, values::host);
        let gateway = self.optional(&field("gateway"), table.gateway, values::ip);
        let language = self.optional(&field("language"), table.language, values::language);
        let id = id?;
        self.languages.extend(language.map(|language| (id.clone(), language)));
        Some(Tenant { id, name, server, gateway })
    }

    fn server(&mut self, table: ServerTable) -> Server {
        let default = Server::default();
        let command = match table.command {
            Some(written) => {
                self.argv("server.command", written, &["{server}", "{read}", "{control_path}"], &["{server}", "{read}"])
            }
            None => default.command,
        };
        Server {
            command,
            wg: self.or("server.wg", table.wg, default.wg, wg),
            timeout: self.or("server.timeout", table.timeout, default.timeout, values::duration),
            poll_interval: self.or(
                "server.poll_interval",
                table.poll_interval,
                default.poll_interval,
                values::duration,
            ),
            agent_check: self.optional("server.agent_check", table.agent_check, values::line),
            agent_log: self.optional("server.agent_log", table.agent_log, values::line),
        }
    }

    fn notices(&mut self, at: &Range<usize>, table: NoticesTable) -> Notices {
        Notices {
            guide_url: self.required("notices.guide_url", at, table.guide_url, values::url),
            portal_url: self.required("notices.portal_url", at, table.portal_url, values::url),
            organisation: self.required("notices.organisation", at, table.organisation, values::line),
            templates: self.folder("notices.templates", table.templates),
            language: self.or("notices.language", table.language, Language::default(), values::language),
            reconfigure_needs: self.second_mail(table.reconfigure_needs),
        }
    }

    fn second_mail(&mut self, written: Value<Vec<String>>) -> SecondMail {
        let Some(written) = written else { return SecondMail::default() };
        let words: Vec<&str> = written.get_ref().iter().map(String::as_str).collect();
        SecondMail::read(&words).unwrap_or_else(|message| {
            self.wrong("notices.reconfigure_needs", &written.span(), message);
            SecondMail::default()
        })
    }

    fn console(&mut self, table: Spanned<ConsoleTable>) -> Console {
        let at = table.span();
        let table = table.into_inner();
        let url_at = table.url.as_ref().map(Spanned::span);
        let url = self.required("console.url", &at, table.url, values::url);
        self.protected("console.url", url_at, Service::Console, &url);
        Console {
            url,
            token_file: match table.token_file {
                None => self.required("console.token_file", &at, None, |_| Ok(PathBuf::new())),
                // One that is not there, can't be read, or that others could read or replace is a state of the console: met and
                // told where it is asked, and nothing of it is sent.
                written => self.path("console.token_file", written).unwrap_or_default(),
            },
            role: self.or("console.role", table.role, "operator".into(), values::line),
            ca_file: self.trusted("console.ca_file", table.ca_file),
        }
    }
}

/// A section with its place; one that is not there is empty.
pub(super) fn split<T: Default>(section: Value<T>) -> (Range<usize>, T) {
    section.map_or((NOWHERE, T::default()), |section| (section.span(), section.into_inner()))
}

fn secret_name(text: &str) -> Result<String, String> {
    values::placeholders(text, &["{tenant_id}"])?;
    if !text.contains("{tenant_id}") {
        return Err("must hold {tenant_id}, else all tenants would share one secret; the runbook's is \"vpn-private-key-{tenant_id}\"".into());
    }
    // Barbican's name filter is SQL LIKE and decodes +, so only what neither interprets (and _ , checked byte for byte later).
    let plain = text.replace("{tenant_id}", "");
    if !plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) || plain.len() > 190 {
        return Err("may hold letters, digits and - _ . besides {tenant_id}, at most 190 of them".into());
    }
    Ok(text.to_owned())
}

fn container(text: &str) -> Result<String, String> {
    values::placeholders(text, &["{tenant_id}"])?;
    if text.contains('/') {
        return Err("is the name of a Swift container, which holds no /".into());
    }
    values::line(text)
}

fn object(text: &str) -> Result<String, String> {
    values::placeholders(text, &["{tenant_id}"])?;
    let parts_are_names = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !parts_are_names {
        return Err(
            "is the name of a Swift object such as \"config/vpn-users.json\", without an empty part, . or ..".into()
        );
    }
    values::line(text)
}

fn interface(text: &str) -> Result<String, String> {
    // What wg-quick accepts (its regular expression for the interface's name).
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.=+-".contains(&byte);
    if !(1..=15).contains(&text.len()) || !text.bytes().all(known) || text.starts_with('-') {
        return Err(format!(
            "{text:?} is not an interface; 1 to 15 letters, digits and _ . = + - are, such as \"wg0\""
        ));
    }
    Ok(text.to_owned())
}

fn wg(text: &str) -> Result<String, String> {
    // It stands in a script that a shell on the server reads, so nothing that a shell would interpret.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b" _./=@:+,-".contains(&byte);
    if !text.bytes().all(known) {
        return Err(format!("{text:?} is not a plain command; write for example \"sudo -n wg\" or \"/usr/bin/wg\""));
    }
    values::line(text)
}
