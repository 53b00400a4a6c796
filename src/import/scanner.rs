//! Reads a JSON document of any size and returns the text of one value at a time.
//!
//! It knows only brackets and strings. Not here: whether the text of a value is valid JSON.

use std::io::BufRead;

/// The most bytes of a value. Parsing may take up to seventy times as much memory for a moment; a coastline of a million
/// vertices fits.
pub const MAX_VALUE_BYTES: usize = 32 << 20;

/// The reason why reading stopped.
#[derive(Debug)]
pub enum ScanFault {
    /// Reading failed.
    Io(std::io::Error),
    /// The document ends inside a value, an object or an array.
    Early,
    /// Another byte (the second value) stands where the first value should be.
    Expected(&'static str, u8),
    /// A value of more than [`MAX_VALUE_BYTES`].
    TooLarge,
}

/// Reads a document.
pub struct Scanner<R> {
    reader: R,
    offset: u64,
}

impl<R: BufRead> Scanner<R> {
    /// A scanner at the start of a document.
    pub fn new(reader: R) -> Self {
        Self { reader, offset: 0 }
    }

    /// The number of bytes that were read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next byte that is not white space, without taking it; `None` at the end of the document.
    pub fn peek(&mut self) -> Result<Option<u8>, ScanFault> {
        loop {
            let buffer = self.reader.fill_buf().map_err(ScanFault::Io)?;
            if buffer.is_empty() {
                return Ok(None);
            }
            if let Some(place) = buffer.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            {
                let byte = buffer[place];
                self.skip(place);
                return Ok(Some(byte));
            }
            let all = buffer.len();
            self.skip(all);
        }
    }

    /// Takes the next byte, which must be `byte`; `name` stands for it in the fault.
    pub fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), ScanFault> {
        match self.peek()? {
            None => Err(ScanFault::Early),
            Some(found) if found == byte => {
                self.skip(1);
                Ok(())
            }
            Some(found) => Err(ScanFault::Expected(name, found)),
        }
    }

    /// Takes the next byte if it is `byte`, and returns whether it was.
    pub fn take(&mut self, byte: u8) -> Result<bool, ScanFault> {
        let is = self.peek()? == Some(byte);
        if is {
            self.skip(1);
        }
        Ok(is)
    }

    fn skip(&mut self, count: usize) {
        self.reader.consume(count);
        self.offset += count as u64;
    }

    /// Reads the text of the next value into `out`.
    pub fn value(&mut self, out: &mut Vec<u8>) -> Result<(), ScanFault> {
        out.clear();
        match self.peek()? {
            None => return Err(ScanFault::Early),
            Some(byte @ (b',' | b':' | b']' | b'}')) => return Err(ScanFault::Expected("a value", byte)),
            Some(_) => {}
        }
        let (mut depth, mut in_string, mut escaped) = (0_u64, false, false);
        loop {
            let buffer = self.reader.fill_buf().map_err(ScanFault::Io)?;
            if buffer.is_empty() {
                // A number or a word may end at the end of the document.
                return if depth == 0 && !in_string && !out.is_empty() {
                    Ok(())
                } else {
                    Err(ScanFault::Early)
                };
            }
            let mut end = None;
            for (place, byte) in buffer.iter().enumerate() {
                if in_string {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => {
                            in_string = false;
                            if depth == 0 {
                                end = Some(place + 1);
                                break;
                            }
                        }
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => in_string = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => {
                        end = Some(place);
                        break;
                    }
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            end = Some(place + 1);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            let count = end.unwrap_or(buffer.len());
            if out.len() + count > MAX_VALUE_BYTES {
                return Err(ScanFault::TooLarge);
            }
            out.extend_from_slice(&buffer[..count]);
            self.skip(count);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// Reads the bytes before the next `end` into `out` and takes them and `end`; `false` if the document has no more bytes.
    pub fn until(&mut self, end: u8, out: &mut Vec<u8>) -> Result<bool, ScanFault> {
        out.clear();
        loop {
            let buffer = self.reader.fill_buf().map_err(ScanFault::Io)?;
            if buffer.is_empty() {
                return Ok(!out.is_empty());
            }
            let found = buffer.iter().position(|byte| *byte == end);
            let count = found.unwrap_or(buffer.len());
            if out.len() + count > MAX_VALUE_BYTES {
                return Err(ScanFault::TooLarge);
            }
            out.extend_from_slice(&buffer[..count]);
            self.skip(count + usize::from(found.is_some()));
            if found.is_some() {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_whole_with_a_buffer_of_any_size() {
        let text = br#" {"a":"}\"]","b":[1,{"c":"\\"}]} , -1.5e3 ,"x,y" ] "#;
        for size in 1..20 {
            let mut scanner = Scanner::new(std::io::BufReader::with_capacity(size, &text[..]));
            let mut out = Vec::new();
            scanner.value(&mut out).unwrap();
            assert_eq!(out, br#"{"a":"}\"]","b":[1,{"c":"\\"}]}"#);
            scanner.expect(b',', "a comma").unwrap();
            scanner.value(&mut out).unwrap();
            assert_eq!(out, b"-1.5e3");
            assert!(scanner.take(b',').unwrap());
            scanner.value(&mut out).unwrap();
            assert_eq!(out, br#""x,y""#);
            assert!(matches!(scanner.value(&mut out), Err(ScanFault::Expected(_, b']'))));
        }
        let mut cut = Scanner::new(&br#"{"a":["#[..]);
        assert!(matches!(cut.value(&mut Vec::new()), Err(ScanFault::Early)));
    }
}
