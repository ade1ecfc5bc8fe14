//! What pages say: the verdict first, every count, and why a figure is missing.

use holdline_load::report::curves::curves;
use holdline_load::report::figures::{
    Compared, Comparison, Count, Curve, Growth, GrowthPoint, Judgement, Latency, Measure, Phase,
    Run, Second, Subject, Verdict,
};
use holdline_load::report::plot::Stroke;
use holdline_load::report::{page_of, page_of_comparison, page_of_growth, page_of_run};

fn run(verdict: Verdict) -> Run {
    let mut times = hdrhistogram::Histogram::<u64>::new(3).unwrap();
    (1..=2_000).for_each(|us| times.record(us).unwrap());
    Run {
        scenario: "mass-drop".into(),
        target: Subject { name: "holdline".into(), ..Subject::default() },
        verdict,
        phases: vec![Phase { name: "work".into(), chats: 1_234, ..Phase::default() }],
        latencies: vec![Latency::of("notice", "from the deadline", &times)],
        zeros: vec![
            Count { name: "notices missed".into(), count: 0 },
            Count { name: "notices <twice>".into(), count: 3 },
        ],
        series: (0..5)
            .map(|at| Second { at_s: f64::from(at), connections: 7, ..Second::default() })
            .collect(),
        ..Run::default()
    }
}

#[test]
fn the_page_of_a_run_begins_with_its_verdict() {
    let page = page_of_run(&run(Verdict::default())).unwrap();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text} in the page"));
    assert!(place(">Passed<") < place("What must be zero"));
    assert!(place("class=\"zero\"") < place("class=\"wrong\""), "three is not zero");
    assert!(page.contains("notices &lt;twice&gt;"), "names are no markup");
    assert!(page.contains("1,234"));
    assert!(page.contains("<svg viewBox"), "there are plots");
    assert!(page.contains("Connections"));
    assert!(!page.contains("Heartbeats and posts"), "what was always zero is not drawn");
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = page_of_run(&run(Verdict::default())).unwrap();
    for word in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(word), "{word} in the page");
    }
}

#[test]
fn a_void_run_is_neither_passed_nor_failed() {
    let late = "the generator was late".to_owned();
    let verdict = Verdict { void: vec![late], faults: vec!["notices missed: 2".into()] };
    assert_eq!(verdict.judgement(), Judgement::Void);
    let page = page_of_run(&run(verdict)).unwrap();
    assert!(page.contains(">Void<") && page.contains("the generator was late"));
    let verdict = Verdict { void: Vec::new(), faults: vec!["notices missed: 2".into()] };
    assert_eq!(verdict.judgement(), Judgement::Failed);
    assert!(page_of_run(&run(verdict)).unwrap().contains("notices missed: 2"));
}

#[test]
fn the_quantiles_of_a_distribution_are_its_own() {
    let latency = &run(Verdict::default()).latencies[0];
    assert_eq!(latency.count, 2_000);
    assert_eq!((latency.p50_us, latency.most_us), (1_000, 2_000));
    assert!((1_979..=1_982).contains(&latency.p99_us), "{}", latency.p99_us);
    let last = latency.points.last().unwrap();
    assert_eq!(last.us, 2_000);
    assert!(latency.points.is_sorted_by(|one, other| one.us <= other.us));
}

#[test]
fn the_median_is_the_middle_and_the_spread_the_ends() {
    let measure = |values: &[f64]| Measure { values: values.to_vec(), ..Measure::default() };
    let spread = measure(&[9.0, 1.0, 4.0]).spread().unwrap();
    assert_eq!([spread.least, spread.median, spread.most], [1.0, 4.0, 9.0]);
    let spread = measure(&[f64::NAN, 2.0, 4.0]).spread().unwrap();
    assert_eq!([spread.least, spread.median, spread.most], [2.0, 3.0, 4.0]);
    assert!(measure(&[]).spread().is_none());
}

fn compared(name: &str, measure: Measure, absent: Option<&str>) -> Compared {
    Compared {
        target: Subject { name: name.into(), ..Subject::default() },
        absent: absent.map(str::to_owned),
        measures: vec![Measure { name: "drop told".into(), unit: "ms".into(), ..measure }],
        complaints: vec![format!("{name} has a complaint")],
        ..Compared::default()
    }
}

#[test]
fn a_comparison_says_why_a_figure_is_missing() {
    let measured = Measure { values: vec![12.0, 8.0, 10.0], ..Measure::default() };
    let missing = Measure { missing: Some("it has no grace".into()), ..Measure::default() };
    let comparison = Comparison {
        name: "Side by side".into(),
        rounds: 3,
        targets: vec![
            compared("holdline", measured, None),
            compared("nats", missing, None),
            compared("ejabberd", Measure::default(), Some("it is not installed")),
        ],
        ..Comparison::default()
    };
    let page = page_of_comparison(&comparison).unwrap();
    assert!(page.contains("N/A: it has no grace"));
    assert!(page.contains("not here: it is not installed"));
    assert!(page.contains("nats</b>: nats has a complaint"));
    assert!(page.contains("width:83.33%"), "the median, by the greatest of all");
    assert!(page.contains("left:66.67%;width:33.33%"), "from the least to the greatest");
    let json = serde_json::to_string(&comparison).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap(), comparison);
    assert_eq!(page_of(&json).unwrap(), page, "figures that were kept make the same page");
}

#[test]
fn a_figure_is_told_in_floors_of_its_round_too() {
    let measure = |us: f64, unit: &str| Measure {
        name: "processor time of a heartbeat".into(),
        unit: unit.into(),
        values: vec![us, 2.0 * us],
        rounds: vec![1, 3],
        ..Measure::default()
    };
    let target = |name: &str, us: f64, unit: &str| Compared {
        target: Subject { name: name.into(), ..Subject::default() },
        measures: vec![measure(us, unit)],
        ..Compared::default()
    };
    let mut comparison = Comparison {
        targets: vec![target("holdline", 15.0, "µs"), target("floor", 10.0, "µs")],
        ..Comparison::default()
    };
    assert!(page_of_comparison(&comparison).unwrap().contains("1.5 ×"));
    let times = |comparison: &Comparison, target: usize| {
        comparison.times_floor(0, &comparison.targets[target]).map(|times| times.median)
    };
    assert_eq!(times(&comparison, 0), Some(1.5));
    assert_eq!(times(&comparison, 1), None, "the floor is no multiple of itself");
    // Of the floor's two rounds, only the third is also a round of ours.
    comparison.targets[1].measures[0].rounds = vec![2, 3];
    assert_eq!(times(&comparison, 0), Some(1.5));
    comparison.targets[1].measures[0].rounds = vec![2, 4];
    assert_eq!(times(&comparison, 0), None, "there is no floor of these rounds");
}

#[test]
fn growth_has_a_plot_for_each_curve_that_has_points() {
    let point = |curve, chats, value| GrowthPoint {
        curve,
        of: "actors".into(),
        chats,
        value,
        remark: String::new(),
    };
    let growth = Growth {
        points: vec![
            point(Curve::Recovery, 1_000, 31_000.0),
            point(Curve::Recovery, 1_000_000, 4_100_000.0),
            point(Curve::MemoryOfEach, 10_000, 1_100.0),
        ],
        ..Growth::default()
    };
    let page = page_of_growth(&growth).unwrap();
    assert_eq!(page.matches("<svg ").count(), 2);
    assert!(page.contains("4.1 s"));
    let json = serde_json::to_string(&growth).unwrap();
    assert!(json.contains("memory_of_each"), "curves have names in files");
    assert_eq!(page_of(&json).unwrap(), page);
}

#[test]
fn a_curve_goes_through_medians_and_says_what_was_not_measured() {
    let point = |curve, of: &str, chats, value| GrowthPoint {
        curve,
        of: of.into(),
        chats,
        value,
        remark: String::new(),
    };
    let several = "sockets, several processes";
    let growth = Growth {
        points: vec![
            point(Curve::Memory, several, 100_000, 420e6),
            point(Curve::Memory, several, 100_000, 400e6),
            point(Curve::Memory, several, 100_000, 390e6),
            point(Curve::Memory, "held, no sockets", 10_000_000, 11e9),
            point(Curve::Processor, "holdline", 1_000, 20.0),
            point(Curve::Processor, "floor", 1_000, 10.0),
        ],
        ..Growth::default()
    };
    let plots = curves(&growth);
    let plot = |file| &plots.iter().find(|(name, _)| *name == file).expect("it is drawn").1;
    let memory = &plot("memory").lines;
    assert_eq!(memory[0].points, [(1e5, 400e6)]);
    assert_eq!(memory[0].marks.len(), 3, "every point that was measured is shown");
    let far = &memory[2];
    assert_eq!((far.stroke, &far.marks[..]), (Stroke::Extrapolated, &[][..]));
    assert_eq!(far.points, [(1e5, 400e6), (1e6, 4e9)], "each more takes as much");
    assert!(far.name.contains("not measured"));
    let budget = plot("processor").lines.last().expect("there are lines");
    assert_eq!((budget.stroke, budget.points[0].1), (Stroke::Budget, 15.0));
}

#[test]
fn what_has_no_figures_makes_no_page() {
    for text in ["{}", "[]", "nothing", "{\"points\": 3}"] {
        assert!(page_of(text).is_err(), "{text}");
    }
}
