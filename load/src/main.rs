//! The load tester as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    holdline_load::command::command()
}
