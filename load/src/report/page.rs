//! Pages to read: one file each, with everything in it.

mod comparison;
mod growth;
mod run;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::Machine;
use super::plot::{COLOURS, Plot, draw};
use super::text::bytes;

pub use comparison::page as page_of_comparison;
pub use growth::page as page_of_growth;
pub use run::page as page_of_run;

const STYLE: &str = include_str!("page.css");

/// A whole page.
fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(COLOURS)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}

/// Plots side by side; a plot with nothing to draw is left out.
fn plots(plots: &[Plot]) -> anyhow::Result<Markup> {
    let mut drawn = Vec::new();
    for plot in plots {
        drawn.extend(draw(plot)?);
    }
    Ok(html! {
        div.plots { @for svg in &drawn { div.card { (PreEscaped(svg)) } } }
    })
}

/// Where a run took place.
fn machine(machine: &Machine) -> Markup {
    html! {
        div.card {
            dl {
                dt { "Processor" } dd { (machine.processor) ", " (machine.cores) " cores" }
                dt { "Memory" } dd { (bytes(machine.memory as f64)) }
                dt { "Kernel" } dd { "Linux " (machine.kernel) }
                dt { "Huge pages" } dd { (machine.huge_pages) }
                @for setting in machine.limits.iter().chain(&machine.sysctls) {
                    dt { (setting.name) } dd { (setting.value) }
                }
            }
        }
    }
}

/// How to do the same again.
fn repeat(command: &str) -> Markup {
    html! {
        h2 { "Again" }
        pre { (command) }
    }
}
