//! Numbers and checksums.

use std::io::Read;

use super::NutError;

/// CRC-32 with generator 0x04C11DB7, most significant bit first, starting at zero.
const CRC: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = (n as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000_0000 != 0 { (crc << 1) ^ 0x04C1_1DB7 } else { crc << 1 };
            bit += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "n is below 256; checked at compile time")]
        {
            table[n] = crc;
        }
        n += 1;
    }
    table
};

pub(super) fn crc(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |crc, byte| {
        let idx = (crc >> 24) as u8 ^ byte;
        crc << 8 ^ CRC.get(usize::from(idx)).copied().unwrap_or_default()
    })
}

/// A source that knows where it is and sums up what it reads.
pub(super) struct Source<R> {
    inner: R,
    pub(super) at: u64,
    pub(super) crc: u32,
}

impl<R: Read> Source<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, at: 0, crc: 0 }
    }

    pub(super) fn malformed(&self, what: &'static str) -> NutError {
        NutError::Malformed { at: self.at, what }
    }

    /// Exactly as many bytes as fit, left out of the checksum.
    pub(super) fn exact(&mut self, buf: &mut [u8]) -> Result<(), NutError> {
        self.inner.read_exact(buf).map_err(|source| NutError::Io { at: self.at, source })?;
        self.at += buf.len() as u64;
        Ok(())
    }

    pub(super) fn byte(&mut self) -> Result<u8, NutError> {
        let mut byte = [0];
        self.exact(&mut byte)?;
        self.crc = crc(self.crc, &byte);
        let [byte] = byte;
        Ok(byte)
    }

    /// As [`Self::byte`]; none at the end.
    pub(super) fn byte_or_end(&mut self) -> Result<Option<u8>, NutError> {
        match self.byte() {
            Err(NutError::Io { source, .. }) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    pub(super) fn u32(&mut self) -> Result<u32, NutError> {
        let mut bytes = [0; 4];
        self.exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    pub(super) fn v(&mut self) -> Result<u64, NutError> {
        let mut value = 0u64;
        loop {
            let byte = self.byte()?;
            if value >> 57 != 0 {
                return Err(self.malformed("a number of more than 64 bits"));
            }
            value = value << 7 | u64::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
    }

    pub(super) fn s(&mut self) -> Result<i64, NutError> {
        // At most 2^64 - 1 plus one, halved, fits.
        let temp = u128::from(self.v()?) + 1;
        let half = i64::try_from(temp >> 1).map_err(|_| self.malformed("a number of more than 64 bits"))?;
        Ok(if temp & 1 == 1 { -half } else { half })
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64, what: &'static str) -> Result<u64, NutError> {
        let value = self.v()?;
        if value < limit { Ok(value) } else { Err(self.malformed(what)) }
    }

    pub(super) fn skip(&mut self, mut len: u64) -> Result<(), NutError> {
        let mut scratch = [0; 4096];
        while len > 0 {
            let n = len.min(scratch.len() as u64);
            if let Some(part) = scratch.get_mut(..n as usize) {
                self.exact(part)?;
            }
            len -= n;
        }
        Ok(())
    }
}

pub(super) fn put_v(out: &mut Vec<u8>, value: u64) {
    let sevens = (64 - value.leading_zeros()).div_ceil(7).max(1);
    for n in (0..sevens).rev() {
        let more = if n > 0 { 0x80 } else { 0 };
        out.push(more | (value >> (7 * n)) as u8 & 0x7F);
    }
}

pub(super) fn put_s(out: &mut Vec<u8>, value: i64) {
    put_v(out, 2 * value.unsigned_abs() - u64::from(value > 0));
}

pub(super) fn put_vb(out: &mut Vec<u8>, bytes: &[u8]) {
    put_v(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Startcode, length, body, checksum.
pub(super) fn put_packet(out: &mut Vec<u8>, startcode: u64, body: &[u8]) {
    let start = out.len();
    out.extend(startcode.to_be_bytes());
    put_v(out, body.len() as u64 + 4);
    if body.len() + 4 > 4096 {
        let sum = crc(0, out.get(start..).unwrap_or_default());
        out.extend(sum.to_be_bytes());
    }
    out.extend_from_slice(body);
    out.extend(crc(0, body).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        for value in [0, 1, 127, 128, 16383, 16384, u64::MAX >> 1, u64::MAX] {
            let mut out = Vec::new();
            put_v(&mut out, value);
            assert_eq!(Source::new(out.as_slice()).v().unwrap(), value);
        }
        for value in [0, 1, -1, 63, -64, 1 << 40, -(1 << 40)] {
            let mut out = Vec::new();
            put_s(&mut out, value);
            assert_eq!(Source::new(out.as_slice()).s().unwrap(), value);
        }
        assert!(Source::new([0xFF; 11].as_slice()).v().is_err());
    }

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        // CRC-32/MPEG-2 without its initial ones; "123456789" from zero.
        assert_eq!(crc(0, b"123456789"), 0x89A1_897F);
    }
}
