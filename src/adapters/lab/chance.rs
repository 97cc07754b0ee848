//! The lab's one source of chance: a seeded generator, so that a run can be repeated; nothing here is fit for real secrets.

/// SplitMix64: small, seeded, good enough for names, ids and the toy keys of a lab on loopback.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// A generator that always gives the same sequence for `seed`.
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed ^ 0x6368_616e_6765_6772)
    }

    /// An independent generator for one thing of the lab (a tenant, a client): same `seed` and `label`, same values,
    /// whatever else was drawn before.
    pub(super) fn fork(seed: u64, label: u64) -> Chance {
        let mut chance = Chance::new(seed.wrapping_add(label.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        chance.next();
        chance
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of `low..=high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high.saturating_sub(low) + 1)
    }

    /// `N` bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        bytes
    }

    /// A Curve25519 private key, clamped as `wg genkey` does.
    pub(super) fn private_key(&mut self) -> [u8; 32] {
        let mut key: [u8; 32] = self.bytes();
        key[0] &= 248;
        key[31] = (key[31] & 127) | 64;
        key
    }

    /// 32 hexadecimal digits: an id of Keystone.
    pub(super) fn hex32(&mut self) -> String {
        hex(&self.bytes::<16>())
    }

    /// A version 4 UUID: an id of Barbican.
    pub(super) fn uuid(&mut self) -> String {
        let mut b: [u8; 16] = self.bytes();
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        let h = hex(&b);
        format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
    }

    /// `n` characters as they occur in a fernet token.
    pub(super) fn token(&mut self, n: usize) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..n).map(|_| char::from(LETTERS[(self.next() % 64) as usize])).collect()
    }

    /// Puts the items into an order that means nothing.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}

/// Lower-case hexadecimal digits of the bytes.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
