//! The load tester as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Huge pages would count the unused halves of small allocations as memory of customers. Where
    // they cannot be turned off, the figures are a little higher.
    let _stay_on = rustix::thread::disable_transparent_huge_pages(true);
    holdline_load::command::command()
}
