//! What a run has found: as figures, as JSON, as a page to read.

pub mod curves;
pub mod figures;
mod page;
pub mod plot;
mod text;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;

pub use page::{page_of_comparison, page_of_growth, page_of_run};
pub use text::number;

/// Of what a page is made.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArguments {
    /// Figures of a run, of a comparison or of growth.
    json: PathBuf,
    /// Where the page goes; beside the figures by default.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Makes a page of figures.
///
/// # Errors
/// When the file cannot be read or is of no known form, or the page cannot be written.
pub fn report(arguments: &ReportArguments) -> anyhow::Result<ExitCode> {
    let file = &arguments.json;
    let text =
        fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let page = page_of(&text).with_context(|| format!("{} has no figures", file.display()))?;
    let html = arguments.html.clone().unwrap_or_else(|| file.with_extension("html"));
    fs::write(&html, page).with_context(|| format!("{} cannot be written", html.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The page of figures as JSON, whichever they are.
///
/// # Errors
/// When they are of no known form.
pub fn page_of(json: &str) -> anyhow::Result<String> {
    let value: Value = serde_json::from_str(json)?;
    if value.get("scenario").is_some() {
        page_of_run(&serde_json::from_value(value)?)
    } else if value.get("targets").is_some() {
        page_of_comparison(&serde_json::from_value(value)?)
    } else if value.get("points").is_some() {
        page_of_growth(&serde_json::from_value(value)?)
    } else {
        anyhow::bail!("they are neither of a run nor of a comparison nor of growth")
    }
}
