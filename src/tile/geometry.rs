//! One feature's geometry on a tile: filter by zoom, clip, snap, repair, orient.

use crate::model::GeometryKind;
use crate::model::ShapeRef;
use crate::model::crs::mercator_grid;
use crate::tile::clip::Place;
use crate::tile::clip::SIXTEENTHS;
use crate::tile::clip::area2;
use crate::tile::clip::clip_line;
use crate::tile::clip::clip_ring;
use crate::tile::clip::holds;
use crate::tile::encode::Geometry;
use crate::tile::generalise::Detail;
use crate::tile::grid::BUFFER;
use crate::tile::grid::TILE_EXTENT;
use crate::tile::grid::TileCoord;
use crate::tile::repair::repair;

/// Room for so many vertices of a line is made before any is placed.
const MOST_AT_ONCE: usize = 64;

/// Whether a grid place is on the tile or its buffer.
fn on_tile(place: Place) -> bool {
    let near = -BUFFER..TILE_EXTENT + BUFFER;
    near.contains(&place.0) && near.contains(&place.1)
}

/// The part of a shape that is on the tile, with the vertices that `zoom` needs; `None` if nothing of it is. What is
/// too small for the grid is drawn one cell large: a feature that meets the tile is in it.
pub fn on_grid(shape: ShapeRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> Option<Geometry> {
    let kind = shape.kind.broad();
    let parts = match kind {
        GeometryKind::Point => shape
            .positions
            .iter()
            .filter_map(|position| mercator_grid(*position))
            .map(|(x, y)| at.place(x, y))
            .filter(|place| on_tile(*place))
            .map(|place| vec![place])
            .collect(),
        GeometryKind::Line => lines(shape, detail, at, zoom),
        GeometryKind::Area => areas(shape, detail, at, zoom),
    };
    (!parts.is_empty()).then_some(Geometry { kind, parts })
}

/// The places of one ring or line that `zoom` needs, in sixteenths.
fn places(run: std::ops::Range<usize>, detail: &Detail, at: TileCoord, zoom: u8, out: &mut Vec<Place>) {
    out.clear();
    for (vertex, least) in detail.vertices()[run.clone()].iter().zip(&detail.zooms()[run]) {
        if *least <= zoom {
            out.push(at.fine_place(vertex[0], vertex[1]));
        }
    }
}

fn snap(place: Place) -> Place {
    (place.0 >> SIXTEENTHS, place.1 >> SIXTEENTHS)
}

/// A vertex in sixteenths, settled.
fn settled(at: TileCoord, [x, y]: [u32; 2]) -> Place {
    let mut place = at.fine_place(x, y);
    settle(&mut place);
    place
}

/// Moves a place to its cell's corner: what is cut after that is the same line for both tiles of an edge, which then
/// differ by the snapping of the places where it is cut alone.
fn settle(place: &mut Place) {
    *place = (place.0 >> SIXTEENTHS << SIXTEENTHS, place.1 >> SIXTEENTHS << SIXTEENTHS);
}

fn lines(shape: ShapeRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> Vec<Vec<Place>> {
    let (mut line, mut pieces) = (Vec::with_capacity(shape.positions.len().min(MOST_AT_ONCE)), Vec::new());
    let mut start = shape.first_position as usize;
    let (square, margin) = (at.square(), at.cell());
    for ring in shape.rings() {
        let run = start..start + ring.len();
        start = run.end;
        // Only stretches that may meet the square are placed and cut. Settling moves a place by less than a cell.
        let mut before: Option<([u32; 2], u8)> = None;
        line.clear();
        for (vertex, least) in detail.vertices()[run.clone()].iter().zip(&detail.zooms()[run]) {
            if *least > zoom {
                continue;
            }
            let beyond = square.beyond(*vertex, margin);
            if let Some((last, last_beyond)) = before.replace((*vertex, beyond)) {
                if beyond & last_beyond != 0 {
                    clip_line(&line, &mut pieces);
                    line.clear();
                    continue;
                }
                if line.is_empty() {
                    line.push(settled(at, last));
                }
                line.push(settled(at, *vertex));
            }
        }
        clip_line(&line, &mut pieces);
    }
    let first = pieces.first().map(|piece| snap(piece[0]));
    for piece in &mut pieces {
        for place in piece.iter_mut() {
            *place = snap(*place);
        }
        piece.dedup();
    }
    pieces.retain(|piece| piece.len() >= 2);
    match first {
        Some((x, y)) if pieces.is_empty() => vec![vec![(x, y), (x + 1, y)]],
        _ => pieces,
    }
}

fn areas(shape: ShapeRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> Vec<Vec<Place>> {
    let (mut ring, mut spare, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut settled: Vec<Place> = Vec::new();
    let mut mark = None;
    let mut start = shape.first_position as usize;
    for part in shape.parts() {
        let mut part_at = (0, 0);
        let mut outer_is_there = false;
        let (mut inside, mut small_at) = (0, None);
        for (number, positions) in part.rings().enumerate() {
            let run = start..start + positions.len();
            start = run.end;
            if number > 0 && !outer_is_there {
                continue;
            }
            places(run, detail, at, zoom, &mut ring);
            ring.pop();
            let small = is_small(&ring);
            settled.clear();
            if !ring.iter().all(|place| holds(*place)) {
                settled.extend_from_slice(&ring);
                settled.iter_mut().for_each(settle);
            }
            clip_ring(&mut ring, &mut spare);
            let Some(first) = ring.first().copied() else { continue };
            // What the holes leave: a tile within a hole has none of the area.
            let area = area2(&ring).unsigned_abs();
            if number == 0 {
                inside = area;
                small_at = (small && holds(first)).then_some(first);
                part_at = first;
            } else {
                inside = inside.saturating_sub(area);
            }
            // Whether anything of it is here is told by the exact ring, what is drawn by the settled one.
            if !settled.is_empty() {
                std::mem::swap(&mut ring, &mut settled);
                clip_ring(&mut ring, &mut spare);
            }
            for place in &mut ring {
                *place = snap(*place);
            }
            ring.dedup();
            while ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
            let area = area2(&ring);
            if ring.len() < 3 || area == 0 {
                continue;
            }
            // The outer ring has a positive area where y grows downwards, its holes a negative one.
            if (area > 0) != (number == 0) {
                ring.reverse();
            }
            outer_is_there |= number == 0;
            out.push(std::mem::take(&mut ring));
        }
        if mark.is_none() {
            mark = if inside > 0 { Some(part_at) } else { small_at }.map(snap);
        }
    }
    let out = if out.is_empty() { out } else { repair(out) };
    match mark {
        Some((x, y)) if out.is_empty() => vec![vec![(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]],
        _ => out,
    }
}

/// Whether a ring is at most two cells wide and high: too small to have an area on the grid for certain.
fn is_small(ring: &[Place]) -> bool {
    const MOST: i64 = 2 << SIXTEENTHS;
    let Some(first) = ring.first() else { return false };
    ring.iter().all(|place| (place.0 - first.0).abs() <= MOST && (place.1 - first.1).abs() <= MOST)
}
