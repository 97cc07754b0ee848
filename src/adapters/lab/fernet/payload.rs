//! What is inside a token: Keystone's payloads of an unscoped and of a project's token, packed as msgpack. The envelope is
//! `token`; other scopes (domain, system, trusts, federation) are not known here and are refused as unrecognised.
//!
//! Source: `keystone/token/token_formatters.py` of Keystone 30.

use rmpv::Value;

/// `password` in Keystone's default `[auth] methods`, of which each has one bit.
pub(super) const PASSWORD: u64 = 2;
/// A payload nests no deeper, and is no longer (bytes).
const DEEPEST: usize = 8;
const LONGEST: usize = 4096;

/// Of whom and for what a token speaks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Payload {
    /// The user's id.
    pub(super) user: String,
    /// The methods, one bit each.
    pub(super) methods: u64,
    /// The project's id; `None`: unscoped.
    pub(super) project: Option<String>,
    /// Seconds since 1970.
    pub(super) expires: u64,
    /// 16 bytes each.
    pub(super) audit: Vec<Vec<u8>>,
}

impl Payload {
    /// As Keystone packs it.
    pub(super) fn pack(&self) -> Vec<u8> {
        let mut fields = match &self.project {
            None => vec![Value::from(0), id(&self.user), Value::from(self.methods)],
            Some(project) => vec![Value::from(2), id(&self.user), Value::from(self.methods), id(project)],
        };
        // A float there, though its own variable is called an int.
        fields.push(Value::F64(self.expires as f64));
        fields.push(Value::Array(self.audit.iter().map(|audit| Value::Binary(audit.clone())).collect()));
        let mut bytes = Vec::new();
        // Writing to a vector does not fail.
        rmpv::encode::write_value(&mut bytes, &Value::Array(fields)).ok();
        bytes
    }

    /// `None`: not a payload that is known here.
    pub(super) fn unpack(bytes: &[u8]) -> Option<Payload> {
        if bytes.len() > LONGEST {
            return None;
        }
        let value = rmpv::decode::read_value_with_max_depth(&mut &*bytes, DEEPEST).ok()?;
        let (project, user, methods, expires, audit) = match value.as_array()?.as_slice() {
            [version, user, methods, expires, audit] if version.as_u64() == Some(0) => {
                (None, user, methods, expires, audit)
            }
            [version, user, methods, project, expires, audit] if version.as_u64() == Some(2) => {
                (Some(read_id(project)?), user, methods, expires, audit)
            }
            _ => return None,
        };
        let audit = audit.as_array()?.iter().map(|one| one.as_slice().map(<[u8]>::to_vec)).collect::<Option<_>>()?;
        let expires = expires.as_f64().filter(|at| at.is_finite() && *at >= 0.0)? as u64;
        Some(Payload { user: read_id(user)?, methods: methods.as_u64()?, project, expires, audit })
    }
}

/// An id of 32 hexadecimal digits is packed as its 16 bytes, any other as it is; a flag says which.
fn id(text: &str) -> Value {
    match bytes_of(text) {
        Some(bytes) => Value::Array(vec![Value::from(true), Value::Binary(bytes)]),
        None => Value::Array(vec![Value::from(false), Value::from(text)]),
    }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    (0..16).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect()
}

fn read_id(value: &Value) -> Option<String> {
    match value.as_array()?.as_slice() {
        [Value::Boolean(true), Value::Binary(bytes)] => Some(super::super::chance::hex(bytes)),
        [Value::Boolean(false), Value::String(text)] => text.as_str().map(str::to_owned),
        [Value::Boolean(false), Value::Binary(bytes)] => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(user: &str, project: Option<&str>) -> Payload {
        Payload {
            user: user.into(),
            methods: PASSWORD,
            project: project.map(str::to_owned),
            expires: 1_795_000_000,
            audit: vec![vec![9; 16]],
        }
    }

    #[test]
    fn what_was_packed_is_unpacked_unscoped_and_of_a_project() {
        let hex = "bc507d4585ec409a9a69f75088ef2826";
        for one in [payload(hex, None), payload(hex, Some(hex)), payload("nova", Some("not-hex"))] {
            assert_eq!(Payload::unpack(&one.pack()), Some(one));
        }
    }

    #[test]
    fn a_hexadecimal_id_is_packed_as_its_bytes_and_the_time_as_a_float() {
        let bytes = payload("bc507d4585ec409a9a69f75088ef2826", None).pack();
        // Array of 5, version 0, (true, bin of 16), 2, float, list of one bin of 16: as msgpack.packb writes it.
        assert_eq!(&bytes[..6], [0x95, 0x00, 0x92, 0xc3, 0xc4, 16]);
        assert_eq!(&bytes[22..24], [2, 0xcb]);
        assert_eq!(&bytes[32..35], [0x91, 0xc4, 16]);
        assert_eq!(bytes.len(), 51);
    }

    #[test]
    fn another_version_or_junk_is_not_recognised() {
        let mut other = payload("nova", None).pack();
        other[1] = 8;
        assert_eq!(Payload::unpack(&other), None);
        assert_eq!(Payload::unpack(b"hello"), None);
        assert_eq!(Payload::unpack(&[0x91; 64]), None);
        assert_eq!(Payload::unpack(&[0; LONGEST + 1]), None);
    }
}
