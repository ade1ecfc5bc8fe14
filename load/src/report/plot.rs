//! Plots as SVG. Their colours are names that a style sheet gives values, so that a plot suits a
//! light page and a dark one.

mod scale;

use anyhow::anyhow;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use self::scale::Scale;

/// One line of a plot.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it shows.
    pub name: String,
    /// Where it goes, from left to right.
    pub points: Vec<(f64, f64)>,
    /// Where there are marks.
    pub marks: Vec<(f64, f64)>,
    /// How its values were found.
    pub stroke: Stroke,
}

/// How the values of a line were found, as its stroke shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// What was measured.
    #[default]
    Measured,
    /// What was concluded, and not measured.
    Extrapolated,
    /// A limit that must not be passed.
    Budget,
}

/// A value on the second axis that must not be passed.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// What stands at it.
    pub name: &'static str,
    /// Where it is.
    pub value: f64,
}

/// An axis.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// What it counts, with its unit.
    pub label: &'static str,
    /// Whether equal steps are equal factors.
    pub is_log: bool,
    /// How a value on it is read.
    pub read: fn(f64) -> String,
}

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Its lines, at most six of them told apart by colour.
    pub lines: Vec<Line>,
    /// What must not be passed.
    pub bounds: Vec<Bound>,
}

/// Wide enough for its words on a telephone, where it is as wide as the page.
const SIZE: (u32, u32) = (480, 280);

/// How far to the right a legend may go.
const LEGEND_END: i32 = 410;

/// Colours that stand for names; see [`colours`].
const INK: RGBColor = RGBColor(1, 0, 0);
const FAINT: RGBColor = RGBColor(2, 0, 0);
const BOUND: RGBColor = RGBColor(3, 0, 0);
const LINES: [RGBColor; 6] = [
    RGBColor(11, 0, 0),
    RGBColor(12, 0, 0),
    RGBColor(13, 0, 0),
    RGBColor(14, 0, 0),
    RGBColor(15, 0, 0),
    RGBColor(16, 0, 0),
];

/// The style sheet that gives the colours of plots their values.
pub const COLOURS: &str = include_str!("plot.css");

/// Draws the plot; the colours' values come from the page around it. None if there is nothing to
/// draw.
///
/// # Errors
/// When the drawing fails, which is a fault of this program.
pub fn draw(plot: &Plot) -> anyhow::Result<Option<String>> {
    let Some((x, y)) = ranges(plot) else { return Ok(None) };
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        render(plot, &area, x, y).map_err(|error| anyhow!("no plot: {error}"))?;
        area.present().map_err(|error| anyhow!("no plot: {error}"))?;
    }
    Ok(Some(named(&svg)))
}

/// Draws the plot as a file of its own, which includes the colours' values.
///
/// # Errors
/// As [`draw`].
pub fn draw_alone(plot: &Plot) -> anyhow::Result<Option<String>> {
    let drawn = draw(plot)?;
    let style = format!(
        "<style>{COLOURS}</style><rect width=\"100%\" height=\"100%\" \
                         fill=\"var(--plot-ground)\"/>"
    );
    Ok(drawn.map(|svg| match svg.find('>') {
        Some(end) => format!("{}{style}{}", &svg[..=end], &svg[end + 1..]),
        None => svg,
    }))
}

type Range = std::ops::Range<f64>;

/// What the axes span, as they are drawn: logarithms if the axis is logarithmic.
fn ranges(plot: &Plot) -> Option<(Range, Range)> {
    let all = || plot.lines.iter().flat_map(|line| &line.points);
    let across: Vec<f64> = all().map(|point| point.0).collect();
    let mut x = span(across.iter().copied(), plot.x.is_log)?;
    if plot.x.is_log {
        // The x axis need not reach to whole powers of ten.
        let exact = across.iter().filter_map(|value| place(*value, true));
        let (least, most) = exact
            .fold((x.end, x.start), |(least, most), value| (value.min(least), value.max(most)));
        if least < most {
            x = least..most;
        }
    }
    let ys = all().map(|point| point.1).chain(plot.bounds.iter().map(|bound| bound.value));
    let mut y = span(ys, plot.y.is_log)?;
    if !plot.y.is_log {
        y = 0.0..(y.end * 1.08).max(f64::MIN_POSITIVE);
    }
    Some((x, y))
}

fn span(values: impl Iterator<Item = f64>, is_log: bool) -> Option<Range> {
    let drawn = values.filter_map(|value| place(value, is_log));
    let (least, most) = drawn
        .fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    if least > most {
        return None;
    }
    if is_log {
        // The span is whole powers of ten, so that at least one can be read.
        let (low, high) = (least.floor(), most.ceil());
        return Some(low..if high > low { high } else { low + 1.0 });
    }
    Some(least..if most > least { most } else { least + 1.0 })
}

/// Where a value is drawn; none if it has no logarithm.
fn place(value: f64, is_log: bool) -> Option<f64> {
    let drawn = if is_log { value.log10() } else { value };
    drawn.is_finite().then_some(drawn)
}

/// What stands at a place of an axis.
fn read(axis: Axis, at: f64) -> String {
    (axis.read)(if axis.is_log { 10_f64.powf(at) } else { at })
}

fn render<DB: DrawingBackend>(
    plot: &Plot,
    area: &DrawingArea<DB, plotters::coord::Shift>,
    x: Range,
    y: Range,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let (head, body) = area.split_vertically(head_height(plot));
    draw_head(plot, &head)?;
    let words = ("sans-serif", 12).into_font().color(&INK);
    let (from, to) = (x.start, x.end);
    let mut chart = ChartBuilder::on(&body)
        .margin(6)
        .margin_right(26)
        .x_label_area_size(40)
        .y_label_area_size(62)
        .build_cartesian_2d(Scale::new(x, plot.x.is_log), Scale::new(y, plot.y.is_log))?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT.stroke_width(1))
        .axis_style(FAINT.stroke_width(1))
        .x_desc(plot.x.label)
        .y_desc(plot.y.label)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|at| read(plot.x, *at))
        .y_label_formatter(&|at| read(plot.y, *at))
        .label_style(words.clone())
        .axis_desc_style(words)
        .draw()?;
    for bound in &plot.bounds {
        let Some(value) = place(bound.value, plot.y.is_log) else { continue };
        let ends = [(from, value), (to, value)];
        chart.draw_series(DashedLineSeries::new(ends, 5, 4, BOUND.stroke_width(1)))?;
        let words = ("sans-serif", 11).into_font().color(&BOUND);
        let words = words.pos(Pos::new(HPos::Right, VPos::Bottom));
        chart.draw_series([Text::new(bound.name, (to, value), words)])?;
    }
    for (line, colour) in plot.lines.iter().zip(LINES.iter().cycle()) {
        let colour = colour_of(line, colour);
        let placed = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            let points = points.iter();
            let all = points
                .filter_map(|(x, y)| Some((place(*x, plot.x.is_log)?, place(*y, plot.y.is_log)?)));
            all.collect()
        };
        let points = placed(&line.points);
        // A single point is no line.
        let marks = if points.len() < 2 { points.clone() } else { placed(&line.marks) };
        chart.draw_series(marks.into_iter().map(|at| Circle::new(at, 3, colour.filled())))?;
        let stroke = colour.stroke_width(2);
        match line.stroke {
            Stroke::Measured => chart.draw_series(LineSeries::new(points, stroke))?,
            Stroke::Extrapolated | Stroke::Budget => {
                chart.draw_series(DashedLineSeries::new(points, 5, 4, stroke))?
            }
        };
    }
    Ok(())
}

const fn colour_of<'a>(line: &Line, colour: &'a RGBColor) -> &'a RGBColor {
    match line.stroke {
        Stroke::Measured | Stroke::Extrapolated => colour,
        Stroke::Budget => &BOUND,
    }
}

/// How wide a letter of the legend is, about.
const LETTER: i32 = 7;
const ROW: i32 = 18;

/// Where each name of the legend stands: its row, and how far to the right.
fn legend(plot: &Plot) -> Vec<(i32, i32)> {
    let (mut row, mut right) = (0, 0);
    let mut places = Vec::new();
    for line in plot.lines.iter().filter(|_| plot.lines.len() > 1) {
        let width = 34 + LETTER * i32::try_from(line.name.chars().count()).unwrap_or(0);
        if right > 0 && right + width > LEGEND_END {
            (row, right) = (row + 1, 0);
        }
        places.push((row, right));
        right += width;
    }
    places
}

fn head_height(plot: &Plot) -> i32 {
    30 + legend(plot).last().map_or(0, |(row, _)| ROW * (row + 1))
}

/// The title, and below it what each colour means.
fn draw_head<DB: DrawingBackend>(
    plot: &Plot,
    head: &DrawingArea<DB, plotters::coord::Shift>,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let title = ("sans-serif", 15).into_font().color(&INK);
    head.draw(&Text::new(plot.title.as_str(), (12, 8), title))?;
    for ((row, right), (line, colour)) in
        legend(plot).into_iter().zip(plot.lines.iter().zip(LINES.iter().cycle()))
    {
        let (x, y) = (68 + right, 32 + ROW * row);
        let words = ("sans-serif", 12).into_font().color(&INK);
        let stroke = colour_of(line, colour).stroke_width(3);
        // In the legend, too, a dashed line has a gap.
        let parts =
            if line.stroke == Stroke::Measured { [(0, 8), (6, 14)] } else { [(0, 5), (9, 14)] };
        for (from, to) in parts {
            head.draw(&PathElement::new([(x + from, y + 6), (x + to, y + 6)], stroke))?;
        }
        head.draw(&Text::new(line.name.as_str(), (x + 19, y), words))?;
    }
    Ok(())
}

/// Puts names in the places of the colours that stand for them, and removes the size, so that the
/// page decides how large the plot is.
fn named(svg: &str) -> String {
    let (width, height) = SIZE;
    let mut named = svg.replacen(&format!("width=\"{width}\" height=\"{height}\" "), "", 1);
    let mut name = |colour: RGBColor, name: &str| {
        let code = format!("\"#{:02X}{:02X}{:02X}\"", colour.0, colour.1, colour.2);
        named = named.replace(&code, &format!("\"var(--plot-{name})\""));
    };
    name(INK, "ink");
    name(FAINT, "faint");
    name(BOUND, "bound");
    for (number, colour) in LINES.iter().enumerate() {
        name(*colour, &(number + 1).to_string());
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(f64, f64)>) -> Plot {
        let axis = Axis { label: "time in s", is_log: false, read: |value| format!("{value}") };
        let marks = points.clone();
        let lines = vec![Line { name: "one".into(), points, marks, stroke: Stroke::Measured }];
        let bounds = vec![Bound { name: "three", value: 3.0 }];
        Plot { title: "Lateness".into(), x: axis, y: axis, lines, bounds }
    }

    #[test]
    fn a_plot_has_names_for_colours_and_no_size_of_its_own() {
        let svg = draw(&plot(vec![(0.0, 1.0), (1.0, 2.0)])).unwrap().expect("something is drawn");
        assert!(svg.starts_with("<svg viewBox="), "{}", &svg[..60]);
        assert!(svg.contains("var(--plot-1)") && svg.contains("var(--plot-bound)"));
        assert!(!svg.contains("#0B0000"));
        assert!(svg.contains("Lateness") && svg.contains("three"));
    }

    #[test]
    fn what_was_not_measured_is_dashed_and_has_no_marks() {
        let mut plot = plot(vec![(0.0, 1.0), (1.0, 2.0)]);
        let strokes = |plot: &Plot| {
            let svg = draw(plot).unwrap().unwrap();
            (svg.matches("<circle").count(), svg.matches("var(--plot-1)").count())
        };
        let (marks, parts) = strokes(&plot);
        assert_eq!((marks, parts), (2, 3), "two marks and one line");
        plot.lines[0].stroke = Stroke::Extrapolated;
        plot.lines[0].marks.clear();
        let (marks, parts) = strokes(&plot);
        assert_eq!(marks, 0);
        assert!(parts > 10, "a dashed line is many strokes, and not {parts}");
    }

    #[test]
    fn nothing_is_no_plot_and_one_point_is_one() {
        assert!(draw(&plot(Vec::new())).unwrap().is_none(), "a bound alone is nothing");
        assert!(draw(&plot(vec![(5.0, 0.0)])).unwrap().is_some());
        let mut log = plot(vec![(0.0, 0.0), (1.0, f64::NAN), (2.0, 30.0)]);
        log.y.is_log = true;
        assert!(draw(&log).unwrap().is_some(), "what has no logarithm is left out");
    }

    #[test]
    fn a_plot_of_its_own_brings_its_colours() {
        let svg = draw_alone(&plot(vec![(0.0, 1.0), (1.0, 2.0)])).unwrap().unwrap();
        assert!(svg.contains("<style>") && svg.contains("prefers-color-scheme"));
        assert!(svg.contains("xmlns="));
    }
}
