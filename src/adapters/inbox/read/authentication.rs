//! What mail servers say of a sender in Authentication-Results headers (RFC 8601); whose word counts is left to the rule.

use crate::domain::letter::{Authentication, Dmarc};
use mail_parser::Message;

/// More headers than these are not looked at. The ones that count stand on top.
const MOST_HEADERS: usize = 400;
/// Of one mail. The receiving server's own stands on top.
const MOST: usize = 20;
/// Longest header that is looked at, bytes.
const LONGEST: usize = 16 * 1024;

/// Every such header, the topmost first.
pub fn results(message: &Message<'_>) -> Vec<Authentication> {
    let ours = |(name, _): &(&str, &str)| name.trim().eq_ignore_ascii_case("authentication-results");
    message.headers_raw().take(MOST_HEADERS).filter(ours).take(MOST).map(|(_, value)| parsed(value)).collect()
}

/// One header. What can't be understood is nobody's word and no result.
fn parsed(value: &str) -> Authentication {
    let Some(parts) = Some(value).filter(|value| value.len() <= LONGEST).and_then(parts) else {
        return Authentication::default();
    };
    let mut parts = parts.into_iter();
    let authserv_id = parts.next().and_then(|words| words.into_iter().next()).unwrap_or_default().to_lowercase();
    Authentication { authserv_id, dmarc: parts.filter_map(|words| dmarc(&words)).collect() }
}

fn dmarc(words: &[String]) -> Option<Dmarc> {
    let mut pairs = words.iter().map(|word| word.split_once('=').unwrap_or((word, "")));
    let (method, result) = pairs.next()?;
    let method = method.split('/').next().unwrap_or_default();
    if !method.eq_ignore_ascii_case("dmarc") {
        return None;
    }
    let from = pairs.find(|(name, _)| name.eq_ignore_ascii_case("header.from"));
    let from = from.map(|(_, domain)| domain.trim_start_matches('@').to_lowercase());
    Some(Dmarc { result: result.to_lowercase(), from })
}

/// The parts between semicolons as words, without comments and quotes. None if a comment or a quotation does not end, or
/// the words can't be told apart.
fn parts(value: &str) -> Option<Vec<Vec<String>>> {
    let mut parts = vec![Vec::new()];
    let mut word = String::new();
    let (mut depth, mut quoted) = (0usize, false);
    let mut chars = value.chars();
    let end = |word: &mut String, parts: &mut Vec<Vec<String>>| {
        if let Some(last) = parts.last_mut().filter(|_| !word.is_empty()) {
            last.push(std::mem::take(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || depth > 0 => {
                let escaped = chars.next()?;
                if depth == 0 {
                    word.push(escaped);
                }
            }
            '"' if depth == 0 => quoted = !quoted,
            _ if quoted => word.push(c),
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            ';' => {
                end(&mut word, &mut parts);
                parts.push(Vec::new());
            }
            c if c.is_whitespace() => end(&mut word, &mut parts),
            c => word.push(c),
        }
    }
    end(&mut word, &mut parts);
    (depth == 0 && !quoted).then(|| parts.into_iter().map(joined).collect())
}

/// `dmarc = pass` is `dmarc=pass`.
fn joined(words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        match out.last_mut() {
            Some(last) if last.ends_with('=') || word.starts_with('=') => last.push_str(&word),
            _ => out.push(word),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(value: &str) -> (String, Vec<String>) {
        let said = parsed(value);
        (said.authserv_id, said.dmarc.into_iter().map(|one| one.result).collect())
    }

    #[test]
    fn results_of_real_servers_are_understood() {
        let google = "mx.google.com;\r\n       dkim=pass header.i=@x.example header.s=s1 header.b=abc;\r\n spf=pass \
            (google.com: domain of a@x.example designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@x.example;\r\n \
            dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=X.example";
        assert_eq!(parsed(google).dmarc, [Dmarc { result: "pass".into(), from: Some("x.example".into()) }]);
        for (value, id, results) in [
            ("MX.example 1; dmarc=fail (p=reject dis=none) header.from=x", "mx.example", vec!["fail"]),
            ("mx.example; none", "mx.example", vec![]),
            ("mx.example; spf=pass smtp.mailfrom=x", "mx.example", vec![]),
            ("(a (nested) comment) mx.example (x); dmarc/1 = pass", "mx.example", vec!["pass"]),
            (
                "mx.example; dmarc=bestguesspass action=none header.from=x;compauth=pass",
                "mx.example",
                vec!["bestguesspass"],
            ),
        ] {
            assert_eq!(
                result(value),
                (id.to_owned(), results.iter().map(|one| (*one).to_owned()).collect()),
                "{value}"
            );
        }
    }

    #[test]
    fn what_a_sender_writes_into_a_result_is_no_result() {
        for value in [
            "mx.example; dkim=fail reason=\"; dmarc=pass\" header.d=x; dmarc=fail",
            "mx.example; dkim=fail (; dmarc=pass) header.d=x; dmarc=fail",
            "mx.example; dkim=fail reason=\"\\\"; dmarc=pass\" header.d=x; dmarc=fail",
            "mx.example; dkim=fail (\\); dmarc=pass) header.d=x; dmarc=fail",
        ] {
            assert_eq!(result(value).1, ["fail"], "{value}");
        }
        for broken in
            ["mx.example; dkim=fail (; dmarc=pass", "mx.example; x=\"; dmarc=pass", "mx.example; ) dmarc=pass"]
        {
            assert_eq!(result(broken), (String::new(), Vec::new()), "{broken}");
        }
    }
}
