//! The lines as forces would report them: one sheet in the layout of the national return, with 3 % malformed rows. It is
//! for testing imports; no row of a store is generated from it.

use csv::Writer;

use crate::demo::DemoError;
use crate::demo::Settings;
use crate::demo::facts::Facts;
use crate::demo::lines;
use crate::demo::lines::DealLine;
use crate::demo::random::Random;
use crate::demo::records::GRADES;
use crate::demo::records::handling;
use crate::model::RowId;
use crate::model::crs::lon_lat_to_grid;
use crate::model::time::format_date;

/// The fraction of rows that no import accepts (A).
const MALFORMED: f64 = 0.03;
/// Their faults: the codes that an import reports.
const FAULTS: [&str; 4] = ["column-count", "half-a-place", "coordinate", "out-of-range"];
const HEADING: [&str; 19] = [
    "Ref/URN",
    "Line Name",
    "Status",
    "Date First Identified",
    "Date Last Active",
    "Exporting Force",
    "Exporting Town/Borough",
    "Importing Force",
    "Importing Town(s) (;)",
    "Easting",
    "Northing",
    "Drugs (;)",
    "Mode of Travel",
    "Source Eval",
    "Intel Eval",
    "Handling",
    "GSC",
    "Date Closed",
    "Comments",
];

/// The record of a row of the sheet, and the row's fault.
pub type ReturnRow = (RowId, Option<&'static str>);

/// Generates the sheet as CSV, and for each row its record and fault.
///
/// # Errors
/// [`DemoError`] as for [`crate::demo::generate`].
pub fn returns(settings: &Settings) -> Result<(Vec<u8>, Vec<ReturnRow>), DemoError> {
    let facts = Facts::read()?;
    let register = lines::register(settings, &facts)?;
    let refused = |error: csv::Error| DemoError::Refused(error.to_string());
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(HEADING).map_err(refused)?;
    let mut random = Random::new(settings.seed, "returns", 0);
    let mut rows = Vec::with_capacity(register.lines.len());
    for (number, line) in register.lines.iter().enumerate() {
        let fault = random.chance(MALFORMED).then(|| *random.one_of(&FAULTS));
        row(&mut writer, number, line, &facts, fault, &mut random).map_err(refused)?;
        rows.push((line.id, fault));
    }
    let sheet = writer.into_inner().map_err(|error| DemoError::Refused(error.to_string()))?;
    Ok((sheet, rows))
}

/// A day as British spreadsheets write it.
fn day(day: i32) -> String {
    let iso = format_date(day);
    let mut parts = iso.splitn(3, '-');
    let mut part = || parts.next().unwrap_or_default();
    let (year, month, day) = (part(), part(), part());
    format!("{day}/{month}/{year}")
}

fn row(
    writer: &mut Writer<Vec<u8>>,
    number: usize,
    line: &DealLine,
    facts: &Facts,
    fault: Option<&str>,
    random: &mut Random,
) -> Result<(), csv::Error> {
    let hub = &facts.hubs[line.hub];
    let town = line.legs.first().map(|leg| &facts.towns[leg.town]);
    let names: Vec<&str> = line.legs.iter().map(|leg| facts.towns[leg.town].name.as_str()).collect();
    let place = town.and_then(|town| {
        lon_lat_to_grid(town.position.lon_degrees(), town.position.lat_degrees())
            .map(|(easting, northing)| (format!("{easting:.0}"), format!("{northing:.0}")))
    });
    let (mut easting, mut northing) = place.unwrap_or_default();
    match fault {
        Some("half-a-place") => northing.clear(),
        Some("coordinate") => "N/K".clone_into(&mut easting),
        Some("out-of-range") => "99999999".clone_into(&mut easting),
        _ => {}
    }
    let grade = *random.weighted(&GRADES);
    let unknown = *random.one_of(&["", "NK", "N/K", "not known"]);
    let mut cells = vec![
        format!("{}/{:05}/{}", hub.force.to_uppercase(), number + 1, 24),
        line.brand.clone(),
        line.state.as_str().to_owned(),
        day(line.first),
        day(line.last),
        hub.force.clone(),
        hub.name.clone(),
        town.map_or_else(|| unknown.to_owned(), |town| town.force.clone()),
        names.join(";"),
        easting,
        northing,
        "Crack;Heroin".to_owned(),
        line.legs.first().map_or("", |leg| leg.mode).to_owned(),
        grade[..1].to_owned(),
        grade[1..].to_owned(),
        handling(random).to_owned(),
        "OFFICIAL-SENSITIVE".to_owned(),
        line.ended.map(day).unwrap_or_default(),
        format!("SYNTHETIC {unknown}").trim_end().to_owned(),
    ];
    if fault == Some("column-count") {
        cells.push("one cell too many".to_owned());
    }
    writer.write_record(cells)
}
