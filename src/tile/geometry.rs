//! The geometry of one feature on a tile: vertices are filtered by zoom, clipped, snapped; polygons are then repaired
//! and oriented.

use crate::model::GeometryKind;
use crate::model::GeometryRef;
use crate::model::crs::mercator_grid;
use crate::tile::clip::Place;
use crate::tile::clip::SIXTEENTHS;
use crate::tile::clip::area2;
use crate::tile::clip::clip_line;
use crate::tile::clip::clip_ring;
use crate::tile::clip::holds;
use crate::tile::encode::Geometry;
use crate::tile::generalise::Detail;
use crate::tile::generalise::least_rotation;
use crate::tile::generalise::open_ring;
use crate::tile::grid::BUFFER;
use crate::tile::grid::TILE_EXTENT;
use crate::tile::grid::TileCoord;
use crate::tile::reach::meeting;
use crate::tile::repair::lobes;
use crate::tile::repair::repair;

/// The most vertices of a line that memory is reserved for in advance.
const MOST_AT_ONCE: usize = 64;

/// Whether a grid place is on the tile or its buffer.
fn on_tile(place: Place) -> bool {
    let near = -BUFFER..TILE_EXTENT + BUFFER;
    near.contains(&place.0) && near.contains(&place.1)
}

/// The part of a geometry on the tile, with the vertices that `zoom` draws; `None` if the geometry does not meet the
/// tile. All of its vertices decide whether it does. A geometry that meets the tile is never left out: if its vertices
/// at `zoom` leave nothing on the grid, it is drawn one grid cell large.
pub fn on_grid(geometry: GeometryRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> Option<Geometry> {
    let kind = geometry.kind.broad();
    let parts = match kind {
        GeometryKind::Point => geometry
            .positions
            .iter()
            .filter_map(|position| mercator_grid(*position))
            .map(|(x, y)| at.place(x, y))
            .filter(|place| on_tile(*place))
            .map(|place| vec![place])
            .collect(),
        // There are no tiles beyond the Mercator square; its vertices there were moved to the square's edge.
        _ if geometry.positions.iter().all(|position| mercator_grid(*position).is_none()) => Vec::new(),
        GeometryKind::Line => lines(geometry, detail, at, zoom),
        GeometryKind::Polygon => areas(geometry, detail, at, zoom),
    };
    (!parts.is_empty()).then_some(Geometry { kind, parts })
}

/// The places that `zoom` draws of one open ring, in sixteenths of a grid cell.
fn places(run: std::ops::Range<usize>, detail: &Detail, at: TileCoord, zoom: u8, out: &mut Vec<Place>) {
    out.clear();
    // The last vertex, which repeats the first, is removed before vertices are filtered: afterwards it is not known
    // whether the last one is that repetition.
    let open = open_ring(&detail.vertices()[run.clone()]);
    for (vertex, least) in open.iter().zip(&detail.zooms()[run]) {
        if *least <= zoom {
            out.push(at.fine_place(vertex[0], vertex[1]));
        }
    }
}

/// Whether a vertex that `zoom` draws is on the tile or its buffer; if so, the geometry certainly meets the tile.
fn has_vertex_here(geometry: GeometryRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> bool {
    let run = geometry.first_position as usize..geometry.first_position as usize + geometry.positions.len();
    let square = at.square();
    let mut needed = detail.vertices()[run.clone()].iter().zip(&detail.zooms()[run]);
    needed.any(|(vertex, least)| *least <= zoom && square.holds(*vertex))
}

fn snap(place: Place) -> Place {
    (place.0 >> SIXTEENTHS, place.1 >> SIXTEENTHS)
}

/// A vertex in sixteenths of a grid cell, moved to its cell's corner.
fn settled(at: TileCoord, [x, y]: [u32; 2]) -> Place {
    let mut place = at.fine_place(x, y);
    settle(&mut place);
    place
}

/// Moves a place to its cell's corner before clipping. Two neighbouring tiles then clip the same line, and differ only by
/// the snapping of the places at which they clip it.
fn settle(place: &mut Place) {
    *place = (place.0 >> SIXTEENTHS << SIXTEENTHS, place.1 >> SIXTEENTHS << SIXTEENTHS);
}

fn lines(geometry: GeometryRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> Vec<Vec<Place>> {
    let (mut line, mut pieces) = (Vec::with_capacity(geometry.positions.len().min(MOST_AT_ONCE)), Vec::new());
    let mut start = geometry.first_position as usize;
    let (square, margin) = (at.square(), at.cell());
    for ring in geometry.rings() {
        let run = start..start + ring.len();
        start = run.end;
        // Only segments that may meet the square are converted and clipped. Settling moves a place by less than a cell.
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
    for piece in &mut pieces {
        for place in piece.iter_mut() {
            *place = snap(*place);
        }
        piece.dedup();
    }
    pieces.retain(|piece| piece.len() >= 2);
    if !pieces.is_empty() && has_vertex_here(geometry, detail, at, zoom) {
        return pieces;
    }
    let Some([x, y]) = meeting(geometry, detail.vertices(), at) else { return Vec::new() };
    if pieces.is_empty() {
        let (x, y) = at.place(x, y);
        pieces.push(vec![(x, y), (x + 1, y)]);
    }
    pieces
}

fn areas(geometry: GeometryRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> Vec<Vec<Place>> {
    let meet = || meeting(geometry, detail.vertices(), at);
    let met = if has_vertex_here(geometry, detail, at, zoom) { None } else { Some(meet()) };
    if met == Some(None) {
        return Vec::new();
    }
    let (mut ring, mut spare, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut start = geometry.first_position as usize;
    for part in geometry.parts() {
        let mut outer_is_there = false;
        for (number, positions) in part.rings().enumerate() {
            let run = start..start + positions.len();
            start = run.end;
            let is_hole = number > 0;
            if is_hole && !outer_is_there {
                continue;
            }
            places(run, detail, at, zoom, &mut ring);
            if !ring.iter().all(|place| holds(*place)) {
                ring.iter_mut().for_each(settle);
                clip_ring(&mut ring, &mut spare);
            }
            for place in &mut ring {
                *place = snap(*place);
            }
            ring.dedup();
            while ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
            let before = out.len();
            match area2(&ring) {
                // A sliver of a coverage is left out: the neighbouring polygon covers its area.
                0 if detail.is_coverage() => {}
                // A figure of eight with halves of equal area, or a ring without area.
                0 => out.extend(lobes(&ring)),
                // The outer ring has a positive area where y grows downwards.
                area => {
                    if area < 0 {
                        ring.reverse();
                    }
                    out.push(std::mem::take(&mut ring));
                }
            }
            for ring in &mut out[before..] {
                if is_hole {
                    ring.reverse();
                }
                begin_at_least(ring);
            }
            outer_is_there |= !is_hole && out.len() > before;
        }
    }
    if !out.is_empty() {
        out = repair(out, detail.is_coverage());
    }
    if out.is_empty()
        && let Some([x, y]) = met.unwrap_or_else(meet)
    {
        let (x, y) = at.place(x, y);
        out.push(vec![(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]);
    }
    out
}

/// Rotates a ring so that it begins at its least place (at the least rotation, if the ring passes that place again).
/// The bytes of a ring then do not depend on the vertex at which its file begins it.
fn begin_at_least(ring: &mut [Place]) {
    let Some(least) = ring.iter().min().copied() else { return };
    let mut found = (0..ring.len()).filter(|at| ring[*at] == least);
    let first = found.next().unwrap_or(0);
    let first = if found.next().is_some() { least_rotation(ring) } else { first };
    ring.rotate_left(first);
}
