//! Reading the server's metrics.

/// The sum of a metric over its labels.
pub(crate) fn sum(metrics: &str, name: &str) -> f64 {
    let values = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let labelled = rest.starts_with('{') || rest.starts_with(' ');
        labelled.then(|| line.rsplit(' ').next()?.parse::<f64>().ok())?
    });
    values.sum()
}

/// The upper bound of the bucket of a histogram that holds this part of what was observed.
pub(crate) fn bound(metrics: &str, name: &str, part: f64) -> Option<f64> {
    let count = sum(metrics, &format!("{name}_count"));
    let prefix = format!("{name}_bucket{{le=\"");
    metrics.lines().find_map(|line| {
        let (bound, observed) = line.strip_prefix(&prefix)?.split_once("\"} ")?;
        let within = observed.trim().parse::<f64>().ok()? >= part * count;
        within.then(|| bound.parse().unwrap_or(f64::INFINITY))
    })
}
