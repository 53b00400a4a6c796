//! Keys on a Hilbert curve: positions with neighbouring keys are near each other.
//!
//! The canonical order of features is (Hilbert key, id).

use crate::model::Position;

/// The Hilbert key of a position on the 2^32 by 2^32 grid of 1e-7 degrees.
#[must_use]
pub fn hilbert(position: Position) -> u64 {
    let x = (i64::from(position.lon) + 1_800_000_000) as u32;
    let y = (i64::from(position.lat) + 900_000_000) as u32;
    hilbert_xy(x, y)
}

/// The key of a row without geometry. It sorts after the key of every position.
pub const HILBERT_NONE: u64 = u64::MAX;

fn hilbert_xy(mut x: u32, mut y: u32) -> u64 {
    let mut key = 0_u64;
    for level in (0..32).rev() {
        let (rx, ry) = ((x >> level) & 1, (y >> level) & 1);
        key = (key << 2) | u64::from((3 * rx) ^ ry);
        if ry == 0 {
            if rx == 1 {
                x = !x;
                y = !y;
            }
            std::mem::swap(&mut x, &mut y);
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hilbert_keys_of_neighbours_are_neighbours() {
        // The curve goes through the four quadrants without a jump.
        let keys: Vec<u64> =
            [(0, 0), (0, 1), (1, 1), (1, 0)].map(|(x, y)| hilbert_xy(x << 31, y << 31) >> 62).to_vec();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
        assert!(keys.windows(2).all(|pair| pair[0].abs_diff(pair[1]) == 1), "{keys:?}");
    }

    proptest! {
        #[test]
        fn cells_with_successive_keys_share_a_side(x in 0_u32..u32::MAX, y in 0_u32..u32::MAX) {
            // At 8 bits a side: of the four neighbours of a cell exactly one has the next key.
            let key = hilbert_xy(x & 0xFF00_0000, y & 0xFF00_0000) >> 48;
            prop_assume!(key < 0xFFFF);
            let mut found = 0;
            for (dx, dy) in [(1_i64, 0_i64), (-1, 0), (0, 1), (0, -1)] {
                let (nx, ny) = (i64::from(x >> 24) + dx, i64::from(y >> 24) + dy);
                if (0..256).contains(&nx) && (0..256).contains(&ny)
                    && hilbert_xy((nx as u32) << 24, (ny as u32) << 24) >> 48 == key + 1 {
                    found += 1;
                }
            }
            prop_assert_eq!(found, 1);
        }
    }
}
