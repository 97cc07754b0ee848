//! What the screen says of one client, `status` says in text.

use super::fixture::*;
use changeguard::cli::print::client_line;
use changeguard::domain::freshness::Presence;
use changeguard::engine::status::{ClientView, Standing, TenantStatus};

/// All of them: whoever adds one is sent here by the compiler.
const STANDINGS: [Standing; 14] = {
    use Standing::*;
    match Waived {
        ToTell | Queued | NotDelivered | Bounced | Uncertain | ToRead | Sent | Silent | OldAnswer | Declined
        | Tentative | OtherTime | Confirmed | Waived => {}
    }
    [
        ToTell,
        Queued,
        NotDelivered,
        Bounced,
        Uncertain,
        ToRead,
        Sent,
        Silent,
        OldAnswer,
        Declined,
        Tentative,
        OtherTime,
        Confirmed,
        Waived,
    ]
};

/// The cells of the row of the only client: how they stand, their mail, and why.
fn cells(status: &TenantStatus) -> [String; 3] {
    let screen = screen(&showing(status.clone(), (160, 30)));
    let head: Vec<char> = screen.lines().find(|line| line.contains("HANDSHAKE")).unwrap().chars().collect();
    let at = |word: &str| {
        let word: Vec<char> = word.chars().collect();
        head.windows(word.len()).position(|window| window == word)
    };
    let name = status.clients[0].client.name.as_str();
    let below = screen.lines().skip_while(|line| !line.contains("HANDSHAKE"));
    let row: Vec<char> = below.skip(1).find(|line| line.contains(name)).unwrap().chars().collect();
    let cell = |from: usize, to: usize| row[from..to.min(row.len())].iter().collect::<String>().trim().to_owned();
    let (mail, seen, why) = (at("MAIL").unwrap(), at("HANDSHAKE").unwrap(), at("WHY").unwrap());
    let stands = cell(at("STANDS").or(at("BACK")).unwrap(), mail);
    let (_glyph, word) = stands.split_once(' ').unwrap();
    [word.to_owned(), cell(mail, seen), cell(why, row.len()).trim_end_matches(['│', '|', ' ']).to_owned()]
}

#[test]
fn every_standing_that_the_screen_shows_is_in_the_text_of_status() {
    let mut walked = Vec::new();
    let mut walk = |mut status: TenantStatus, view: ClientView| {
        let line = client_line(&view, status.back.is_some());
        let email = view.client.email.clone().unwrap_or_default();
        status.clients = vec![view];
        for cell in cells(&status) {
            // The same words, between marks of their own; the screen may have no room for the last of them.
            for part in cell.trim_end_matches(&email).trim_end_matches('…').split([';', ':']).map(str::trim) {
                assert!(line.contains(part), "{part:?} is not in {line:?}");
            }
        }
        walked.push(cells(&status)[0].clone());
    };
    for standing in STANDINGS {
        walk(announced("acme"), client("Ada", standing));
    }
    let seen = [Presence::NoPeer, Presence::Never, Presence::NoSign, Presence::ProbablyBack, Presence::Back];
    for presence in seen.into_iter().map(Some).chain([None]) {
        for (is_back, says_not_back, standing) in [
            (false, false, Standing::Silent),
            (false, true, Standing::Silent),
            (true, false, Standing::Confirmed),
            (false, false, Standing::Waived),
        ] {
            for gateway_ping in [None, Some(true), Some(false)] {
                let back = is_back.then(|| ("handshake".into(), "under the live key".into()));
                let reconfigure_notice = Some("bounced".to_owned());
                let known = client("Ada", standing);
                let view = ClientView { presence, back, says_not_back, gateway_ping, reconfigure_notice, ..known };
                walk(returning("acme"), view);
            }
        }
    }
    for word in ["says: not back", "back, not rec", "not looked", "no sign yet", "waived", "bounced"] {
        assert!(walked.iter().any(|walked| walked.starts_with(word)), "{word} was never shown: {walked:?}");
    }
}
