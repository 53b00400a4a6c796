//! Random expressions over random rows against the naive evaluator, windows, and what errors say.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::access::BLOCK_ROWS;
use crate::access::View;
use crate::access::testing;
use crate::filter::ArithmeticOperator;
use crate::filter::ArrayOperand;
use crate::filter::ArrayOperator;
use crate::filter::Bbox;
use crate::filter::Bound;
use crate::filter::Circle;
use crate::filter::Comparison;
use crate::filter::Expr;
use crate::filter::FilterError;
use crate::filter::Function;
use crate::filter::GeometryOperand;
use crate::filter::MAX_DEPTH;
use crate::filter::MAX_IDS;
use crate::filter::MAX_NODES;
use crate::filter::Scalar;
use crate::filter::SpatialOperator;
use crate::filter::TemporalOperand;
use crate::filter::TemporalOperator;
use crate::filter::from_parameters;
use crate::filter::naive::Naive;
use crate::model::CollectionSchema;
use crate::model::Geometry;
use crate::model::GeometryType;
use crate::model::Row;
use crate::model::RowId;
use crate::model::Value;
use crate::model::ValueRef;
use crate::model::geometry::GeometryBuilder;
use crate::model::time::Interval;
use crate::model::time::parse_date;
use crate::model::time::parse_instant;

const DAY: i64 = 86_400_000_000;

/// A schema from names and types; `parent->others` is a text that refers to that collection.
fn schema(id: &str, fields: &[(&str, &str)], time: &[&str]) -> CollectionSchema {
    let mut text = format!("id = {id:?}\nclass = \"layer\"\ngeometry = \"any\"\ntime = {time:?}\n");
    for (name, kind) in fields {
        let (name, target) =
            name.split_once("->").map_or((*name, None), |(name, target)| (name, Some(target)));
        text.push_str(&format!("[[field]]\nname = {name:?}\ntype = {kind:?}\n"));
        if let Some(target) = target {
            text.push_str(&format!("ref = {target:?}\n"));
        }
        if name == "secret" {
            text.push_str("queryable = false\n");
        }
    }
    CollectionSchema::parse(&text).unwrap()
}

fn things() -> CollectionSchema {
    let fields = [
        ("n", "integer"),
        ("wide", "integer"),
        ("x", "number"),
        ("y", "number"),
        ("t", "text"),
        ("u", "text"),
        ("b", "boolean"),
        ("d", "date"),
        ("at", "timestamp"),
        ("until", "timestamp"),
        ("tags", "list"),
        ("j", "json"),
        ("parent->others", "text"),
        ("secret", "text"),
    ];
    schema("things", &fields, &["at", "until"])
}

fn others() -> CollectionSchema {
    let fields = [
        ("status", "text"),
        ("v", "integer"),
        ("tags", "list"),
        ("boss->others", "text"),
        ("gone->hidden", "text"),
    ];
    schema("others", &fields, &[])
}

const WORDS: [&str; 6] = ["red", "Red", "r\u{e9}d", "blue", "", "re_d"];

fn word() -> impl Strategy<Value = String> + Clone {
    prop::sample::select(WORDS.as_slice()).prop_map(str::to_owned)
}

fn or_null(values: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 5 => values].boxed()
}

fn line(kind: GeometryType, corners: &[(f64, f64)]) -> Geometry {
    let mut builder = GeometryBuilder::new(kind);
    for (lon, lat) in corners {
        builder.position(*lon, *lat).unwrap();
    }
    builder.end_ring().unwrap();
    builder.end_part();
    builder.finish().unwrap()
}

fn place(kind: usize, lon: i32, lat: i32, side: i32) -> Geometry {
    let (x, y, far) = (f64::from(lon), f64::from(lat), f64::from(lat + side));
    let east = f64::from(lon + side);
    match kind {
        0 => line(GeometryType::Point, &[(x, y)]),
        1 => line(GeometryType::LineString, &[(x, y), (east, far)]),
        _ => line(GeometryType::Polygon, &[(x, y), (east, y), (east, far), (x, far), (x, y)]),
    }
}

/// On a grid of few whole degrees, so that borders are met often; some at the antimeridian.
fn geometry(points_only: bool) -> impl Strategy<Value = Geometry> {
    let kinds = if points_only { 0..1_usize } else { 0..3_usize };
    let lons = prop_oneof![4 => -3_i32..4, 1 => 176_i32..178, 1 => -180_i32..-178];
    (kinds, lons, -3_i32..4, 1_i32..3).prop_map(|(kind, lon, lat, side)| place(kind, lon, lat, side))
}

fn list() -> impl Strategy<Value = Value> {
    vec(prop::sample::select(vec!["a", "b", "c"]), 0..3)
        .prop_map(|texts| Value::Json(serde_json::json!(texts).to_string()))
}

fn instant() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![-3_i64..4, Just(DAY), Just(DAY - 1), Just(DAY + 1), Just(2 * DAY)]
}

/// Ids that references name: public ones, one that there is not, and the internal id of a row without public id.
fn reference() -> impl Strategy<Value = Value> {
    let internal = RowId(77).to_string();
    let texts = vec!["o1".to_owned(), "o2".to_owned(), "o3".to_owned(), "nobody".to_owned(), internal];
    prop::sample::select(texts).prop_map(Value::Text)
}

fn thing(points_only: bool, kind_of_number: usize) -> impl Strategy<Value = Row> {
    let number = (-4_i32..5).prop_map(move |number| {
        Value::Float(match kind_of_number {
            0 => f64::from(number) / 2.0,
            1 => f64::from(number) / 1_024.0,
            _ => f64::from(number) * 0.1 + 1e-9,
        })
    });
    let values = (
        (
            or_null((-3_i64..4).prop_map(Value::Int)),
            or_null(prop_oneof![Just(i64::MAX), Just(i64::MIN), 0_i64..3].prop_map(Value::Int)),
            or_null(number),
            or_null((-2_000_i32..2_000).prop_map(|number| Value::Float(f64::from(number) / 1e3))),
            or_null(word().prop_map(Value::Text)),
            or_null("[a-c]{0,12}".prop_map(Value::Text)),
            or_null(any::<bool>().prop_map(Value::Bool)),
        ),
        (
            or_null((-1_i32..3).prop_map(Value::Date)),
            or_null(instant().prop_map(Value::Timestamp)),
            or_null(instant().prop_map(Value::Timestamp)),
            or_null(list()),
            or_null(Just(Value::Json("{\"k\":1}".to_owned()))),
            or_null(reference()),
        ),
    );
    (values, option::weighted(0.8, geometry(points_only)), option::weighted(0.7, 0..1_000_000_u32)).prop_map(
        |(((n, wide, x, y, t, u, b), (d, at, until, tags, j, parent)), geometry, public)| Row {
            id: None,
            public_id: public.map(|number| format!("p{number}")),
            geometry,
            values: vec![n, wide, x, y, t, u, b, d, at, until, tags, j, parent, Value::Text("s".into())],
        },
    )
}

fn other(
    number: usize,
    status: Value,
    v: Value,
    tags: Value,
    boss: Value,
    geometry: Option<Geometry>,
) -> Row {
    // The last has no public id and is named by its internal one.
    let (id, public_id) =
        if number == 3 { (Some(RowId(77)), None) } else { (None, Some(format!("o{}", number + 1))) };
    Row { id, public_id, geometry, values: vec![status, v, tags, boss, Value::Null] }
}

/// Things in up to three row groups, of sizes round a block's, and the four rows that they refer to.
fn world() -> impl Strategy<Value = View> {
    let sizes = prop::sample::select(vec![0_usize, 1, 2, 63, 64, 65, 130]);
    let one_other = (
        or_null(word().prop_map(Value::Text)),
        or_null((0_i64..3).prop_map(Value::Int)),
        or_null(list()),
        or_null(reference()),
        option::of(geometry(false)),
    );
    (vec(sizes, 1..4), any::<bool>(), 0_usize..3, vec(one_other, 4))
        .prop_flat_map(|(sizes, points_only, numbers, others)| {
            let groups: Vec<_> =
                sizes.into_iter().map(|size| vec(thing(points_only, numbers), size)).collect();
            (groups, Just(others))
        })
        .prop_map(|(mut groups, referred)| {
            let mut taken = std::collections::HashSet::new();
            for row in groups.iter_mut().flatten() {
                row.public_id = row.public_id.take().filter(|id| taken.insert(id.clone()));
            }
            let rows = referred.into_iter().enumerate();
            let rows = rows.map(|(number, (status, v, tags, boss, geometry))| {
                other(number, status, v, tags, boss, geometry)
            });
            testing::view(vec![(things(), groups), (others(), vec![rows.collect()])])
        })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::Greater,
        Comparison::LessOrEqual,
        Comparison::GreaterOrEqual,
    ])
}

fn property(names: &[&'static str]) -> impl Strategy<Value = Scalar> + Clone + use<> {
    prop::sample::select(names.to_vec()).prop_map(|name| Scalar::Property(name.to_owned()))
}

fn number() -> BoxedStrategy<Scalar> {
    let constant = prop_oneof![
        (-3_i64..4).prop_map(Value::Int),
        prop_oneof![Just(i64::MAX), Just(i64::MIN)].prop_map(Value::Int),
        (-6_i32..7).prop_map(|number| Value::Float(f64::from(number) / 4.0)),
        (-2_000_i32..2_000).prop_map(|number| Value::Float(f64::from(number) / 1e3)),
        Just(Value::Null),
    ];
    let plain = prop_oneof![
        3 => property(&["n", "wide", "x", "y", "parent.v", "parent.boss.v"]),
        3 => constant.prop_map(Scalar::Literal),
    ];
    let operators = prop::sample::select(vec![
        ArithmeticOperator::Add,
        ArithmeticOperator::Subtract,
        ArithmeticOperator::Multiply,
        ArithmeticOperator::Divide,
        ArithmeticOperator::Modulo,
        ArithmeticOperator::Power,
        ArithmeticOperator::IntegerDivide,
    ]);
    plain
        .prop_recursive(2, 6, 2, move |inner| {
            (operators.clone(), inner.clone(), inner).prop_map(|(operator, one, other)| {
                Scalar::Arithmetic(operator, Box::new(one), Box::new(other))
            })
        })
        .boxed()
}

fn text() -> BoxedStrategy<Scalar> {
    let plain = prop_oneof![
        3 => property(&["t", "u", "parent.status", "parent.boss.status", "parent"]),
        2 => word().prop_map(|text| Scalar::Literal(Value::Text(text))),
    ];
    let call = (prop::sample::select(vec![Function::Casei, Function::Accenti]), plain.clone())
        .prop_map(|(function, inner)| Scalar::Call(function, vec![inner]));
    prop_oneof![3 => plain, 1 => call].boxed()
}

fn time() -> BoxedStrategy<Scalar> {
    prop_oneof![
        property(&["d", "at", "until"]),
        (-1_i32..3).prop_map(|days| Scalar::Literal(Value::Date(days))),
        instant().prop_map(|at| Scalar::Literal(Value::Timestamp(at))),
    ]
    .boxed()
}

fn bbox() -> impl Strategy<Value = Bbox> {
    (-3_i32..4, -3_i32..4, 0_i32..4, 1_i32..4, any::<bool>()).prop_map(|(lon, lat, wide, high, crosses)| {
        let [west, south, east, north] = [lon, lat, lon + wide.max(1), lat + high].map(f64::from);
        if crosses {
            Bbox::new(175.0, south, -178.0, north).unwrap()
        } else {
            Bbox::new(west, south, east, north).unwrap()
        }
    })
}

fn place_operand() -> BoxedStrategy<GeometryOperand> {
    prop_oneof![
        3 => Just(GeometryOperand::Row),
        1 => Just(GeometryOperand::Property("geometry".into())),
        1 => Just(GeometryOperand::Property("parent.geometry".into())),
        2 => geometry(false).prop_map(GeometryOperand::Literal),
        2 => bbox().prop_map(GeometryOperand::Bbox),
    ]
    .boxed()
}

fn spatial_operator() -> impl Strategy<Value = SpatialOperator> {
    prop::sample::select(vec![
        SpatialOperator::Intersects,
        SpatialOperator::Equals,
        SpatialOperator::Disjoint,
        SpatialOperator::Touches,
        SpatialOperator::Within,
        SpatialOperator::Overlaps,
        SpatialOperator::Crosses,
        SpatialOperator::Contains,
    ])
}

fn temporal_operator() -> impl Strategy<Value = TemporalOperator> {
    prop::sample::select(vec![
        TemporalOperator::After,
        TemporalOperator::Before,
        TemporalOperator::Contains,
        TemporalOperator::Disjoint,
        TemporalOperator::During,
        TemporalOperator::Equals,
        TemporalOperator::FinishedBy,
        TemporalOperator::Finishes,
        TemporalOperator::Intersects,
        TemporalOperator::Meets,
        TemporalOperator::MetBy,
        TemporalOperator::OverlappedBy,
        TemporalOperator::Overlaps,
        TemporalOperator::StartedBy,
        TemporalOperator::Starts,
    ])
}

fn temporal_operand() -> BoxedStrategy<TemporalOperand> {
    let span = (instant(), 0_i64..3).prop_map(|(start, length)| Interval { start, end: start + length });
    prop_oneof![
        Just(TemporalOperand::Row),
        span.prop_map(TemporalOperand::Span),
        time().prop_map(TemporalOperand::Instant),
        (property(&["d", "at"]), option::of(property(&["until"])))
            .prop_map(|(start, end)| TemporalOperand::Interval(Some(start), end)),
        (0_i32..2, 2_i32..3).prop_map(|(start, end)| {
            let date = |days| Some(Scalar::Literal(Value::Date(days)));
            TemporalOperand::Interval(date(start), date(end))
        }),
        Just(TemporalOperand::Interval(None, Some(Scalar::Property("until".into())))),
    ]
    .boxed()
}

fn array_operand() -> BoxedStrategy<ArrayOperand> {
    prop_oneof![
        prop::sample::select(vec!["tags", "parent.tags"])
            .prop_map(|name| ArrayOperand::Property(name.into())),
        vec(prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned), 0..3)
            .prop_map(ArrayOperand::Literal),
    ]
    .boxed()
}

fn predicate() -> BoxedStrategy<Expr> {
    let compare = |scalar: BoxedStrategy<Scalar>| {
        (comparison(), scalar.clone(), scalar)
            .prop_map(|(comparison, one, other)| Expr::Compare(comparison, one, other))
    };
    let between = |scalar: BoxedStrategy<Scalar>| {
        (scalar.clone(), scalar.clone(), scalar)
            .prop_map(|(value, low, high)| Expr::Between(value, low, high))
    };
    let member = |scalar: BoxedStrategy<Scalar>| {
        (scalar.clone(), vec(scalar, 0..4)).prop_map(|(value, members)| Expr::In(value, members))
    };
    let whole = (property(&["n"]), vec((-3_i64..4).prop_map(|n| Scalar::Literal(Value::Int(n))), 0..4));
    let texts = (text(), vec(word().prop_map(|text| Scalar::Literal(Value::Text(text))), 0..4));
    let truth = prop_oneof![Just(Value::Bool(true)), Just(Value::Bool(false))].prop_map(Scalar::Literal);
    let pattern = prop::sample::select(vec!["r%", "%d", "r_d", "%", "", "%e_%", "blue"]);
    let pattern = pattern.prop_map(|text| Scalar::Literal(Value::Text(text.to_owned())));
    let nullable = property(&[
        "n",
        "wide",
        "x",
        "y",
        "t",
        "u",
        "b",
        "d",
        "at",
        "tags",
        "j",
        "parent",
        "parent.status",
        "geometry",
        "parent.geometry",
    ]);
    let ids = vec((0..40_u32).prop_map(|number| format!("p{}", number * 25_000)), 0..6);
    prop_oneof![
        4 => compare(number()),
        4 => compare(text()),
        2 => compare(time()),
        2 => (comparison(), property(&["b"]), truth).prop_map(|(comparison, one, other)| Expr::Compare(comparison, one, other)),
        2 => between(number()),
        1 => between(time()),
        1 => between(text()),
        1 => member(number()),
        1 => member(time()),
        1 => whole.prop_map(|(value, members)| Expr::In(value, members)),
        1 => texts.prop_map(|(value, members)| Expr::In(value, members)),
        2 => (text(), pattern).prop_map(|(value, pattern)| Expr::Like(value, pattern)),
        2 => nullable.prop_map(Expr::IsNull),
        1 => property(&["b"]).prop_map(Expr::Truth),
        4 => (spatial_operator(), place_operand(), place_operand()).prop_map(|(operator, one, other)| Expr::Spatial(operator, one, other)),
        3 => (temporal_operator(), temporal_operand(), temporal_operand()).prop_map(|(operator, one, other)| Expr::Temporal(operator, one, other)),
        2 => (
            prop::sample::select(vec![ArrayOperator::Equals, ArrayOperator::Contains, ArrayOperator::ContainedBy, ArrayOperator::Overlaps]),
            array_operand(),
            array_operand(),
        ).prop_map(|(operator, one, other)| Expr::Array(operator, one, other)),
        2 => bbox().prop_map(Expr::bbox),
        1 => (instant(), 0_i64..3).prop_map(|(start, length)| Expr::datetime(Interval { start, end: start + length })),
        1 => (-3_i32..4, -3_i32..4, 0_u32..400).prop_map(|(lon, lat, km)| {
            Expr::Within(Circle::new(f64::from(lon), f64::from(lat), f64::from(km) * 1e3).unwrap())
        }),
        1 => ids.prop_map(Expr::Ids),
        1 => Just(Expr::WithoutGeometry),
        1 => Just(Expr::WithoutTime),
        1 => any::<bool>().prop_map(Expr::Constant),
    ]
    .boxed()
}

fn expression() -> impl Strategy<Value = Expr> {
    predicate().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Expr::And),
            vec(inner.clone(), 0..4).prop_map(Expr::Or),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

/// Holds a bound expression against the naive evaluator, row by row, and its windows against the rows it is true of.
fn check(view: &View, expr: &Expr) -> Result<(), TestCaseError> {
    let collection = view.collection("things").unwrap();
    let bound =
        expr.bind(view, collection).map_err(|error| TestCaseError::fail(format!("{error}: {expr:?}")))?;
    let mut expected_rows = Vec::new();
    for (place, group) in collection.groups().iter().enumerate() {
        let masks = bound.masks(collection, place);
        for block in 0..=group.len().div_ceil(BLOCK_ROWS) {
            let mask = masks.mask(block);
            prop_assert_eq!(mask.yes & mask.unknown, 0);
            for bit in 0..BLOCK_ROWS {
                let row = block * BLOCK_ROWS + bit;
                let got = (mask.yes >> bit & 1 == 1, mask.unknown >> bit & 1 == 1);
                if row >= group.len() {
                    prop_assert_eq!(got, (false, false), "beyond the last row");
                    continue;
                }
                let expected = Naive { view, collection, group, row }.of(expr);
                prop_assert_eq!(got, (expected == Some(true), expected.is_none()), "row {} {:?}", row, expr);
                if expected != Some(true) {
                    continue;
                }
                expected_rows.push((place, row));
                if row >= group.located() {
                    prop_assert!(bound.may_lack_geometry(), "a row without geometry matches: {:?}", expr);
                } else if let Some(windows) = bound.windows() {
                    let bounds = group.row_bounds(row);
                    prop_assert!(
                        windows.iter().any(|window| window.intersects(&bounds)),
                        "outside: {:?}",
                        expr
                    );
                }
            }
            // Only of some rows: the others are false.
            let some = 0x5555_0F0F_3333_00FF;
            prop_assert_eq!(masks.mask_of(block, some), mask.of(some));
        }
    }
    let found: Vec<(usize, usize)> = bound.rows(collection).collect();
    prop_assert_eq!(&found, &expected_rows);
    prop_assert_eq!(crate::query::count(collection, &bound), found.len() as u64);
    let request = |limit, after| crate::query::ItemsRequest { filter: bound.clone(), limit, after };
    let (mut after, mut paged) = (None, Vec::new());
    loop {
        let page = crate::query::items(collection, &request(50, after));
        prop_assert_eq!(page.matched, found.len() as u64);
        paged.extend(page.rows.iter().map(|at| (at.group as usize, at.row as usize)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let key = |at: &(usize, usize)| collection.groups()[at.0].key(at.1);
    prop_assert!(paged.is_sorted_by_key(key), "pages are in canonical order");
    paged.sort_unstable();
    prop_assert_eq!(paged, expected_rows);
    Ok(())
}

proptest! {
    #[test]
    fn every_expression_is_what_its_definition_says(view in world(), exprs in vec(expression(), 12)) {
        for expr in &exprs {
            check(&view, expr)?;
        }
    }
}

fn property_of(name: &str) -> Scalar {
    Scalar::Property(name.to_owned())
}

fn literal(value: impl Into<LiteralValue>) -> Scalar {
    Scalar::Literal(value.into().0)
}

/// So that expressions of the tests are short.
struct LiteralValue(Value);

impl From<i64> for LiteralValue {
    fn from(value: i64) -> Self {
        Self(Value::Int(value))
    }
}

impl From<&str> for LiteralValue {
    fn from(value: &str) -> Self {
        Self(Value::Text(value.to_owned()))
    }
}

fn equals(name: &str, value: impl Into<LiteralValue>) -> Expr {
    Expr::Compare(Comparison::Equal, property_of(name), literal(value))
}

/// A small fixed world: a row of things for each parent there may be.
fn small() -> View {
    let row = |number: i64, parent: &str| Row {
        id: None,
        public_id: Some(format!("p{number}")),
        geometry: (number < 3).then(|| place(0, number as i32, 0, 1)),
        values: vec![
            Value::Int(number),
            Value::Null,
            Value::Float(number as f64 / 2.0),
            Value::Null,
            Value::Text("red".into()),
            Value::Null,
            Value::Bool(number % 2 == 0),
            Value::Date(number as i32),
            Value::Timestamp(number * DAY + 5),
            Value::Null,
            Value::Json("[\"a\",\"b\"]".into()),
            Value::Null,
            Value::Text(parent.into()),
            Value::Text("s".into()),
        ],
    };
    let parents = ["o1", "o2", "o4"];
    let rows = parents.iter().zip(0..).map(|(parent, number)| row(number, parent)).collect();
    let parent = |number: usize, status: &str| {
        other(number, Value::Text(status.into()), Value::Int(1), Value::Null, Value::Text("o1".into()), None)
    };
    testing::view(vec![(things(), vec![rows]), (others(), vec![vec![parent(0, "live"), parent(1, "dead")]])])
}

/// Numbers `n` of the rows that match.
fn found(view: &View, expr: &Expr) -> Vec<i64> {
    let collection = view.collection("things").unwrap();
    let bound = expr.bind(view, collection).unwrap();
    let number = |(group, row): (usize, usize)| match collection.groups()[group].value(0, row) {
        ValueRef::Int(number) => number,
        other => unreachable!("{other:?} is no number of a row"),
    };
    let mut numbers: Vec<i64> = bound.rows(collection).map(number).collect();
    numbers.sort_unstable();
    numbers
}

fn refused(view: &View, expr: &Expr) -> FilterError {
    expr.bind(view, view.collection("things").unwrap()).unwrap_err()
}

#[test]
fn references_are_followed_to_rows_that_the_view_has() {
    let view = small();
    assert_eq!(found(&view, &equals("parent.status", "live")), [0]);
    assert_eq!(found(&view, &equals("parent.boss.status", "live")), [0, 1]);
    // The third names a row that is not in the view: whatever it has is null.
    assert_eq!(found(&view, &Expr::IsNull(property_of("parent.status"))), [2]);
    assert_eq!(found(&view, &Expr::Not(Box::new(equals("parent.status", "live")))), [1]);
    let bound = equals("parent.boss.status", "live").bind(&view, view.collection("things").unwrap()).unwrap();
    let serials: Vec<u64> = bound.references().iter().map(|target| target.serial()).collect();
    assert_eq!(serials, [view.collection("others").unwrap().serial()], "each once");
}

#[test]
fn a_hidden_field_is_refused_as_one_that_there_is_not() {
    let view = small();
    let known = "n, wide, x, y, t, u, b, d, at, until, tags, j, parent";
    for name in ["secret", "nothing", "t.status", "parent", "geometry.x"] {
        let refusal = equals(name, 1).bind(&view, view.collection("things").unwrap()).unwrap_err();
        if name == "parent" {
            assert_eq!(refusal.to_string(), "1 is a number: give text, as parent is");
        } else {
            assert_eq!(
                refusal.to_string(),
                format!("{name:?} is no property that can be filtered by; there are: {known}")
            );
        }
    }
    // Through a reference the names of the target are listed; a collection that is not in the view is not there.
    let of_parent = "parent.status, parent.v, parent.tags, parent.boss, parent.gone";
    assert_eq!(
        refused(&view, &equals("parent.secret", 1)).to_string(),
        format!("\"parent.secret\" is no property that can be filtered by; there are: {of_parent}")
    );
    assert!(matches!(refused(&view, &equals("parent.gone.x", 1)), FilterError::UnknownProperty { .. }));
    let long = "parent.boss.boss.boss.boss.v";
    assert_eq!(
        refused(&view, &equals(long, 1)).to_string(),
        format!("{long:?} follows more than 4 references")
    );
    assert_eq!(found(&view, &equals("parent.boss.boss.boss.v", 1)), [0, 1]);
}

#[test]
fn errors_say_what_would_be_right() {
    let view = small();
    let compare = |one: Scalar, other: Scalar| Expr::Compare(Comparison::Less, one, other);
    for (expr, text) in [
        (equals("n", "many"), "\"many\" is text: give a number, as n is"),
        (equals("t", 1), "1 is a number: give text, as t is"),
        (
            equals("d", "soon"),
            "\"soon\" is no date or instant: give a date like 2031-03-01 or an instant like 2031-03-01T12:00:00Z",
        ),
        (
            compare(property_of("tags"), literal("a")),
            "tags is a list: give a property with plain values: a list has the array predicates, JSON only IS NULL",
        ),
        (
            compare(property_of("geometry"), literal("a")),
            "geometry is a geometry: give a property with plain values, or use a spatial predicate",
        ),
        (
            Expr::Truth(property_of("n")),
            "n is a number: give a predicate, or a property that is true or false",
        ),
        (Expr::Like(property_of("t"), property_of("u")), "the pattern of LIKE must be a constant"),
        (Expr::Like(property_of("n"), literal("a")), "n is a number: give text to be like a pattern"),
        (
            Expr::Truth(Scalar::Call(Function::Within, vec![])),
            "within takes three constant numbers: longitude, latitude and metres",
        ),
        (
            Expr::Array(
                ArrayOperator::Equals,
                ArrayOperand::Property("t".into()),
                ArrayOperand::Literal(vec![]),
            ),
            "t is text: give a property that is a list",
        ),
        (
            Expr::Spatial(
                SpatialOperator::Within,
                GeometryOperand::Property("t".into()),
                GeometryOperand::Row,
            ),
            "t is text: give geometry, or the geometry of a reference, such as station.geometry",
        ),
        (
            Expr::Temporal(
                TemporalOperator::After,
                TemporalOperand::Instant(property_of("n")),
                TemporalOperand::Row,
            ),
            "n is a number: give a date or an instant",
        ),
        (
            Expr::Temporal(
                TemporalOperator::After,
                TemporalOperand::Row,
                TemporalOperand::Interval(Some(literal("2031-03-02")), Some(literal("2031-03-01"))),
            ),
            "\"2031-03-02/2031-03-01\" is no interval: give the earlier end first",
        ),
        (
            compare(property_of("x"), Scalar::Literal(Value::Float(f64::NAN))),
            "\"NaN\" is no number: give a finite number",
        ),
    ] {
        assert_eq!(refused(&view, &expr).to_string(), text);
    }
}

#[test]
fn sizes_are_bounded() {
    let view = small();
    let nested = |depth: usize| (0..depth).fold(Expr::WithoutTime, |inner, _| Expr::Not(Box::new(inner)));
    assert!(nested(MAX_DEPTH).bind(&view, view.collection("things").unwrap()).is_ok());
    assert_eq!(refused(&view, &nested(MAX_DEPTH + 1)), FilterError::TooDeep);
    let members = |count: usize| Expr::In(property_of("n"), vec![literal(1); count]);
    assert!(members(MAX_NODES - 2).bind(&view, view.collection("things").unwrap()).is_ok());
    assert!(matches!(refused(&view, &members(MAX_NODES)), FilterError::TooMany { what: "nodes", .. }));
    let ids = Expr::Ids(vec!["p1".into(); MAX_IDS + 1]);
    assert_eq!(refused(&view, &ids).to_string(), "the filter has more than 10000 ids");
}

#[test]
fn what_a_bound_is_shows_in_its_windows() {
    let view = small();
    let collection = view.collection("things").unwrap();
    let bind = |expr: Expr| expr.bind(&view, collection).unwrap();
    assert!(bind(Expr::everything()).is_everything());
    assert!(bind(Expr::And(vec![Expr::Constant(true), Expr::everything()])).is_everything());
    assert_eq!(Bound::everything().rows_looked_at(collection, 10), 0);
    let bbox = |west: f64, east: f64| Expr::bbox(Bbox::new(west, -1.0, east, 1.0).unwrap());
    let one = bind(Expr::And(vec![bbox(0.0, 1.0)]));
    assert!(one.is_window_only() && one.may_lack_geometry());
    assert_eq!(one.rows_looked_at(collection, 10), 0);
    let two = bind(Expr::And(vec![bbox(0.0, 2.0), bbox(1.0, 3.0), equals("t", "red")]));
    assert!(!two.is_window_only());
    let edges: Vec<(i32, i32)> =
        two.windows().unwrap().iter().map(|window| (window.west, window.east)).collect();
    assert_eq!(edges, [(10_000_000, 20_000_000)], "and intersects");
    let either = bind(Expr::Or(vec![bbox(0.0, 2.0), bbox(5.0, 6.0)]));
    assert_eq!(either.windows().unwrap().len(), 2, "or unites");
    assert_eq!(bind(Expr::Or(vec![bbox(0.0, 2.0), equals("t", "red")])).windows(), None);
    assert_eq!(bind(Expr::Not(Box::new(bbox(0.0, 2.0)))).windows(), None);
    assert_eq!(bind(equals("t", "red")).rows_looked_at(collection, 10), 3);
    // What a box asks of rows without geometry is a node of its own.
    let meets = Expr::Spatial(
        SpatialOperator::Intersects,
        GeometryOperand::Row,
        GeometryOperand::Bbox(Bbox::new(-1.0, -1.0, 9.0, 1.0).unwrap()),
    );
    assert_eq!(found(&view, &meets), [0, 1, 2]);
    assert!(!bind(meets).may_lack_geometry());
    // Two boxes that a line may both meet, though they share nothing.
    let lines = vec![Row {
        id: None,
        public_id: None,
        geometry: Some(place(1, 0, 0, 2)),
        values: vec![Value::Null; things().fields.len()],
    }];
    let view = testing::view(vec![(things(), vec![lines])]);
    let apart = Expr::And(vec![bbox(-0.5, 0.5), bbox(1.0, 1.5)]);
    let bound = apart.bind(&view, view.collection("things").unwrap()).unwrap();
    assert_eq!(crate::query::count(view.collection("things").unwrap(), &bound), 1);
}

#[test]
fn parameters_are_typed_by_their_property() {
    let view = small();
    let collection = view.collection("things").unwrap();
    let ask = |name: &str, text: &str| from_parameters(&view, collection, [(name, text)]);
    let rows = |name: &str, text: &str| found(&view, &ask(name, text).unwrap());
    assert_eq!(rows("n", "2"), [2]);
    assert_eq!(rows("x", "0.5"), [1]);
    assert_eq!(rows("t", "red"), [0, 1, 2]);
    assert_eq!(rows("b", "true"), [0, 2]);
    assert_eq!(rows("d", "1970-01-02"), [1]);
    assert_eq!(rows("at", "1970-01-02"), [1], "the whole day");
    assert_eq!(rows("at", "1970-01-02T00:00:00Z"), Vec::<i64>::new());
    assert_eq!(rows("tags", "b"), [0, 1, 2], "a list has it as a member");
    assert_eq!(rows("tags", "c"), Vec::<i64>::new());
    assert_eq!(rows("parent.status", "dead"), [1]);
    assert_eq!(rows("ids", "p0,p2,p7"), [0, 2]);
    assert_eq!(rows("bbox", "0.5,-1,1.5,1"), [1]);
    assert_eq!(rows("bbox", "0.5,-1,-9,1.5,1,9"), [1], "heights are not looked at");
    assert_eq!(rows("within", "0,0,1000"), [0]);
    assert_eq!(rows("datetime", "1970-01-02/.."), [0, 1, 2], "a time that does not end");
    let both = from_parameters(&view, collection, [("b", "true"), ("bbox", "-1,-1,1,1")]).unwrap();
    assert_eq!(found(&view, &both), [0]);
    for (name, text, reason) in [
        ("n", "many", "\"many\" is no whole number: give one like 12 or -7"),
        ("x", "inf", "\"inf\" is no number: give a number like 12 or 0.5"),
        ("b", "yes", "\"yes\" is no truth value: give true or false"),
        ("d", "1.2.1970", "\"1.2.1970\" is no date: give a date like 2031-03-01"),
        ("j", "1", "the property is JSON, which equals no text"),
        ("bbox", "0,5,1,4", "south (5) is above north (4); give west,south,east,north"),
        (
            "bbox",
            "1,2,3",
            "3 numbers; give four numbers: west,south,east,north in degrees (or six with heights)",
        ),
        ("within", "0,0,-1", "the distance in metres must be 0 or more"),
        (
            "datetime",
            "soon",
            "\"soon\" is neither an RFC 3339 date-time (2031-03-01T12:00:00Z or +01:00) nor a date (2031-03-01)",
        ),
    ] {
        let error = ask(name, text).unwrap_err();
        assert_eq!((error.to_string(), error.is_unknown), (format!("{name}: {reason}"), false));
    }
    for name in ["secret", "colour"] {
        assert!(ask(name, "1").unwrap_err().is_unknown);
    }
    for text in ["a,b,c,d", "1,2,3,4,5", "1,2,3,NaN", "1,2,3,inf", "", "1,2,3,4,5,6,7,8,9"] {
        assert!(ask("bbox", text).is_err(), "{text}");
    }
}

#[test]
fn the_day_of_a_date_and_the_instant_of_a_text() {
    let view = small();
    let at =
        |comparison, text: &str| found(&view, &Expr::Compare(comparison, property_of("at"), literal(text)));
    assert_eq!(parse_date("1970-01-02"), Some(1));
    assert_eq!(parse_instant("1970-01-02T00:00:00.000005Z"), Some(DAY + 5));
    assert_eq!(at(Comparison::Equal, "1970-01-02T00:00:00.000005Z"), [1]);
    assert_eq!(at(Comparison::LessOrEqual, "1970-01-02"), [0, 1]);
    assert_eq!(at(Comparison::Greater, "1970-01-01"), [1, 2]);
    let later = Expr::Compare(Comparison::Greater, literal("1970-01-02"), property_of("at"));
    assert_eq!(found(&view, &later), [0], "the constant may stand first");
}

#[test]
fn an_empty_collection_has_no_row_that_matches() {
    let view = testing::view(vec![(things(), vec![vec![]])]);
    assert_eq!(found(&view, &equals("n", 1)), Vec::<i64>::new());
    assert_eq!(found(&view, &Expr::everything()), Vec::<i64>::new());
}

/// Bounds go to the pool and back.
#[test]
fn a_bound_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    shared(Bound::everything());
}
