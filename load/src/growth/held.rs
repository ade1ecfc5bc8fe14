//! Held chats without sockets. Each size is a process of its own, so that its memory holds nothing
//! of the size before.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{GrowthArguments, add};
use crate::report::figures::{Curve, Growth, GrowthPoint};

/// Below this, most of the memory is the engine's own, and says nothing of a chat.
const ENOUGH: u64 = 100_000;

/// How far apart the deadlines may lie, as a part of the median lateness, to count as one moment.
const APART_MAX: f64 = 0.2;

/// One size, and what is done with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    held: u64,
    expire: u64,
    /// Whether the chats are read back from the disk.
    is_read: bool,
}

/// What such a process writes, as far as it is needed here.
#[derive(Debug, Deserialize)]
struct Held {
    threads: u64,
    read_s: f64,
    start_s: f64,
    armed: u64,
    resident_bytes: f64,
    resident_bytes_each: f64,
    deadlines_within_ms: f64,
    expiry: Option<Expiry>,
}

#[derive(Debug, Deserialize)]
struct Expiry {
    told_ms: Lateness,
    processor_us_each: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
struct Lateness {
    p50: f64,
    p99: f64,
    latest: f64,
}

/// Every size with its work.
pub(super) fn works(arguments: &GrowthArguments) -> Vec<Work> {
    let held = arguments.held.iter().map(|held| Work { held: *held, expire: 0, is_read: false });
    let all = |size: &u64| Work { held: *size, expire: *size, is_read: false };
    let expiring = arguments.expiring.iter().map(all);
    let starts = arguments.starts.iter().map(|held| Work { held: *held, expire: 0, is_read: true });
    held.chain(expiring).chain(starts).collect()
}

/// Holds this many chats, and adds the points of it, or says why there are none.
pub(super) fn measure(program: &Path, work: Work, growth: &mut Growth) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let json = folder.path().join("held.json");
    let mut command = Command::new(program);
    command
        .args(["actors", "--held", &work.held.to_string()])
        .args(["--expire", &work.expire.to_string()])
        .arg("--json")
        .arg(&json)
        .stdout(Stdio::null());
    if work.is_read {
        command.arg("--through-recovery");
    }
    let status = command.status()?;
    if !status.success() {
        writeln!(io::stdout(), "{} held, {} expiring: {status}", work.held, work.expire)?;
        return Ok(());
    }
    let held: Held = serde_json::from_slice(&fs::read(&json)?)?;
    if held.armed != work.held {
        writeln!(io::stdout(), "{} held: only {} windows armed", work.held, held.armed)?;
        return Ok(());
    }
    let apart = held.deadlines_within_ms;
    if held.expiry.as_ref().is_some_and(|expiry| apart > expiry.told_ms.p50 * APART_MAX) {
        let why = "the start took longer than its moment lies ahead";
        writeln!(io::stdout(), "{} windows ended within {apart} ms: {why}", work.expire)?;
        return Ok(());
    }
    Ok(add(growth, points(&held, work))?)
}

/// The points of what was found.
fn points(held: &Held, work: Work) -> Vec<GrowthPoint> {
    const OF: &str = "held, no sockets";
    let mut points = Vec::new();
    let mut add = |curve: Curve, of: &str, value: f64, remark: String| {
        points.push(GrowthPoint { curve, of: of.into(), chats: work.held, value, remark });
    };
    if work.is_read {
        let remark = format!("{:.2} s to read, {:.2} s to start", held.read_s, held.start_s);
        let of = format!("{} threads", held.threads);
        add(Curve::Recovery, &of, (held.read_s + held.start_s) * 1e6, remark);
    } else if work.expire == 0 {
        add(Curve::Memory, OF, held.resident_bytes, String::new());
        if work.held >= ENOUGH {
            add(Curve::MemoryOfEach, OF, held.resident_bytes_each, String::new());
        }
    }
    if let Some(expiry) = &held.expiry {
        let told = &expiry.told_ms;
        for (of, ms) in [("median", told.p50), ("99 of 100", told.p99), ("the latest", told.latest)]
        {
            add(Curve::LatenessOfHeld, of, ms * 1e3, String::new());
        }
        let each = expiry.processor_us_each.values().sum();
        add(Curve::ProcessorOfEnd, OF, each, format!("{} threads", held.threads));
    }
    points
}
