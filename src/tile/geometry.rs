//! One feature's geometry on a tile: filter by zoom, clip, snap, repair, orient.

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

/// Room for so many vertices of a line is made before any is placed.
const MOST_AT_ONCE: usize = 64;

/// Whether a grid place is on the tile or its buffer.
fn on_tile(place: Place) -> bool {
    let near = -BUFFER..TILE_EXTENT + BUFFER;
    near.contains(&place.0) && near.contains(&place.1)
}

/// The part of a geometry that is on the tile, with the vertices that `zoom` needs; `None` if nothing of it is. Whether it
/// meets the tile is decided by all of its vertices. What is too small for the grid, or reaches the tile by less than
/// what the zoom leaves out, is drawn one cell large: a feature that meets the tile is in it.
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
        // Beyond the Mercator square there are no tiles; vertices there were moved to its edge.
        _ if geometry.positions.iter().all(|position| mercator_grid(*position).is_none()) => Vec::new(),
        GeometryKind::Line => lines(geometry, detail, at, zoom),
        GeometryKind::Polygon => areas(geometry, detail, at, zoom),
    };
    (!parts.is_empty()).then_some(Geometry { kind, parts })
}

/// The places of one open ring that `zoom` needs, in sixteenths.
fn places(run: std::ops::Range<usize>, detail: &Detail, at: TileCoord, zoom: u8, out: &mut Vec<Place>) {
    out.clear();
    // The repeated end goes before any vertex is left out: else the last one that stays would be taken for it.
    let open = open_ring(&detail.vertices()[run.clone()]);
    for (vertex, least) in open.iter().zip(&detail.zooms()[run]) {
        if *least <= zoom {
            out.push(at.fine_place(vertex[0], vertex[1]));
        }
    }
}

/// Whether a vertex that `zoom` needs is on the tile or its buffer: then the geometry meets it for certain.
fn has_vertex_here(geometry: GeometryRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> bool {
    let run = geometry.first_position as usize..geometry.first_position as usize + geometry.positions.len();
    let square = at.square();
    let mut needed = detail.vertices()[run.clone()].iter().zip(&detail.zooms()[run]);
    needed.any(|(vertex, least)| *least <= zoom && square.holds(*vertex))
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

fn lines(geometry: GeometryRef<'_>, detail: &Detail, at: TileCoord, zoom: u8) -> Vec<Vec<Place>> {
    let (mut line, mut pieces) = (Vec::with_capacity(geometry.positions.len().min(MOST_AT_ONCE)), Vec::new());
    let mut start = geometry.first_position as usize;
    let (square, margin) = (at.square(), at.cell());
    for ring in geometry.rings() {
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
                // A sliver of a coverage: its other half is the neighbour's.
                0 if detail.is_coverage() => {}
                // A figure of eight, whose halves are alike, or nothing.
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

/// Turns a ring so that it begins at its least place, or with the least run of places if it comes by there again: the
/// same ring is written alike wherever its file begins it.
fn begin_at_least(ring: &mut [Place]) {
    let Some(least) = ring.iter().min().copied() else { return };
    let mut found = (0..ring.len()).filter(|at| ring[*at] == least);
    let first = found.next().unwrap_or(0);
    let first = if found.next().is_some() { least_rotation(ring) } else { first };
    ring.rotate_left(first);
}
