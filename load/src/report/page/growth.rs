//! The page of growth: what more chats cost.

use maud::html;

use super::{machine, page as whole, plots, repeat};
use crate::report::curves;
use crate::report::figures::Growth;
use crate::report::text::{bytes, number, time};

/// The page of growth.
///
/// # Errors
/// When a plot cannot be drawn, which is a fault of this program.
pub fn page(growth: &Growth) -> anyhow::Result<String> {
    let all: Vec<_> = curves::curves(growth).into_iter().map(|(_, plot)| plot).collect();
    let body = html! {
        h1 { "Growth" }
        p.soft { (growth.target.name) " " (growth.target.version) " · " (growth.began) }
        @for sentence in &growth.about { p { (sentence) } }
        (plots(&all)?)
        h2 { "Every point" }
        div.scroll {
            table {
                thead {
                    tr {
                        th { "curve" } th { "of" } th { "chats" } th { "value" }
                        th.long { "remark" }
                    }
                }
                tbody {
                    @for point in &growth.points {
                        tr {
                            td { (point.curve.title()) }
                            td { (point.of) }
                            td { (number(point.chats as f64)) }
                            td { (match point.curve.unit() {
                                "B" => bytes(point.value),
                                "µs" => time(point.value),
                                unit => format!("{} {unit}", number(point.value)),
                            }) }
                            td.long.soft { (point.remark) }
                        }
                    }
                }
            }
        }
        (repeat(&growth.repeat))
        h2 { "Machine" }
        (machine(&growth.machine))
    };
    Ok(whole("Growth", &body))
}
