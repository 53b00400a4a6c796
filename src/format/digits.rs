//! Decimal text of numbers, written without loops. Each function returns an array of bytes and the length of the text at
//! its start.

/// One degree in units of 1e-7 degree.
const DEGREE: u32 = 10_000_000;
/// [`thousandths`] accepts numbers below this one.
pub const THOUSANDTHS: u32 = 10_000_000;

/// The text of a number below 100,000,000.
#[inline]
pub fn whole(value: u32) -> ([u8; 8], usize) {
    let digits = eight_digits(value);
    // The number of leading zeros; the last digit is always written.
    let zeros = ((digits | 1 << 56).trailing_zeros() / 8) as usize;
    ((ascii(digits) >> (8 * zeros)).to_le_bytes(), 8 - zeros)
}

/// The shortest decimal text of `value` / 1,000. `value` must be below [`THOUSANDTHS`].
#[inline]
pub fn thousandths(value: u32) -> ([u8; 8], usize) {
    let (whole, fraction) = (value / 1_000, value % 1_000);
    // Four digits before the point, one for the point itself, three after it.
    let digits = eight_digits(whole * 10_000 + fraction);
    let before = ((digits | 1 << 24).trailing_zeros() / 8) as usize;
    let behind = if fraction == 0 { 4 } else { (digits.leading_zeros() / 8) as usize };
    let mut text = ascii(digits).to_le_bytes();
    text[4] = b'.';
    ((u64::from_le_bytes(text) >> (8 * before)).to_le_bytes(), 8 - before - behind)
}

/// The shortest decimal text of an angle in degrees, in two parts. `units` are units of 1e-7 degree.
#[inline]
pub fn degrees(units: i32) -> [([u8; 8], usize); 2] {
    let magnitude = units.unsigned_abs();
    let (whole, fraction) = (magnitude / DEGREE, magnitude % DEGREE);
    let text = WHOLE[usize::from(units < 0)][whole as usize];
    let digits = eight_digits(fraction);
    // The first of the eight digits is 0. If all are 0, the point is left out too.
    let places = 8_usize.saturating_sub((digits.leading_zeros() / 8) as usize + 1);
    [
        (text.to_le_bytes(), (text >> 56) as usize - usize::from(fraction == 0)),
        ((ascii(digits) >> 8).to_le_bytes(), places),
    ]
}

/// The text (sign, digits and point) of all whole degrees that 32 bits of 1e-7 degree can hold: first positive, then
/// negative ones. The lowest byte holds the first character, the highest byte the length.
static WHOLE: [[u64; 215]; 2] = {
    let mut wholes = [[0; 215]; 2];
    let mut place = 0;
    while place < 430 {
        let (negative, degrees) = (place / 215, place % 215);
        let (mut text, mut length) = ([0; 8], 0);
        if negative == 1 {
            text[length] = b'-';
            length += 1;
        }
        let mut power = 100;
        while power > 0 {
            if degrees >= power || power == 1 {
                text[length] = b'0' + (degrees / power % 10) as u8;
                length += 1;
            }
            power /= 10;
        }
        text[length] = b'.';
        text[7] = length as u8 + 1;
        wholes[negative][degrees] = u64::from_le_bytes(text);
        place += 1;
    }
    wholes
};

/// The eight digits of a number below 100,000,000; the lowest byte holds the first digit.
#[inline]
fn eight_digits(value: u32) -> u64 {
    // First two numbers of four digits, then four of two, then eight of one: each step divides all parts at once.
    let fours = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos - tens * 10) << 8
}

/// The digits as ASCII characters.
#[inline]
fn ascii(digits: u64) -> u64 {
    digits | 0x3030_3030_3030_3030
}
