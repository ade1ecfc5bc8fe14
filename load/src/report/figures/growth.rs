//! The figures of growth.

use serde::{Deserialize, Serialize};

use super::{Machine, Subject};

/// What more chats cost: points of several curves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Growth {
    /// The version of this form.
    pub form: u32,
    /// What was measured, and how, in sentences.
    pub about: Vec<String>,
    /// When it began, RFC 3339.
    pub began: String,
    /// What was measured.
    pub target: Subject,
    /// Where it ran.
    pub machine: Machine,
    /// The command that does the same again.
    pub repeat: String,
    /// All points, in any order.
    pub points: Vec<GrowthPoint>,
}

/// One point of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrowthPoint {
    /// The curve that it belongs to.
    pub curve: Curve,
    /// Its line, if the plot has several, as in `sockets` and `actors`.
    pub of: String,
    /// How many chats.
    pub chats: u64,
    /// The value, in the unit of the curve.
    pub value: f64,
    /// What a reader must know of it; empty if there is nothing.
    #[serde(default)]
    pub remark: String,
}

/// A curve of growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// Resident memory of the server, less the empty one.
    Memory,
    /// Resident memory by chats.
    MemoryOfEach,
    /// Processor time of a heartbeat.
    Processor,
    /// Cores that the server uses.
    Cores,
    /// How late notices were after a mass drop.
    Lateness,
    /// How late the ends of windows were told, of held chats without sockets.
    LatenessOfHeld,
    /// Processor time of the end of a window, of held chats without sockets.
    ProcessorOfEnd,
    /// How long a server took to start with this many held chats.
    Recovery,
}

/// What the design allows, with its name.
pub type Budget = (&'static str, f64);

impl Curve {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::MemoryOfEach,
        Self::Processor,
        Self::Cores,
        Self::Lateness,
        Self::LatenessOfHeld,
        Self::ProcessorOfEnd,
        Self::Recovery,
    ];

    /// What it shows.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Memory => "Memory of the server, resident",
            Self::MemoryOfEach => "Memory of each chat",
            Self::Processor => "Processor time of a heartbeat",
            Self::Cores => "Processor of the server",
            Self::Lateness => "Mass drop: from the window's end to the agent",
            Self::LatenessOfHeld => "All windows end at once, no sockets: until told",
            Self::ProcessorOfEnd => "Processor time of the end of a window",
            Self::Recovery => "Start until all chats are live",
        }
    }

    /// What is counted on the axis to the right.
    pub const fn counts(self) -> &'static str {
        match self {
            Self::Memory | Self::MemoryOfEach | Self::Processor | Self::Cores => "chats",
            Self::Lateness => "chats dropped at once",
            Self::LatenessOfHeld | Self::ProcessorOfEnd => "windows that end at once",
            Self::Recovery => "held chats",
        }
    }

    /// The unit of its values.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Memory | Self::MemoryOfEach => "B",
            Self::Cores => "cores",
            Self::Processor
            | Self::Lateness
            | Self::LatenessOfHeld
            | Self::ProcessorOfEnd
            | Self::Recovery => "µs",
        }
    }

    /// Whether the axis upwards is logarithmic.
    pub const fn is_log(self) -> bool {
        match self {
            Self::Memory | Self::Recovery | Self::Lateness | Self::LatenessOfHeld => true,
            Self::MemoryOfEach | Self::Processor | Self::Cores | Self::ProcessorOfEnd => false,
        }
    }

    /// What the design allows, if it says so for every size.
    pub const fn budgets(self) -> &'static [Budget] {
        match self {
            Self::Memory => &[("24 GiB", 25_769_803_776.0)],
            Self::MemoryOfEach => {
                &[("budget: 4 KiB", 4_096.0), ("budget, held: 1.25 KiB", 1_280.0)]
            }
            Self::Lateness => &[("budget, 99 of 100: 1 s", 1_000_000.0)],
            Self::LatenessOfHeld => &[("budget for 1,000,000, 99 of 100: 2 s", 2_000_000.0)],
            Self::Recovery => &[("budget for 1,000,000: 5 s", 5_000_000.0)],
            Self::Processor | Self::Cores | Self::ProcessorOfEnd => &[],
        }
    }

    /// The name of its file, without an ending.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::MemoryOfEach => "memory-of-each",
            Self::Processor => "processor",
            Self::Cores => "cores",
            Self::Lateness => "lateness",
            Self::LatenessOfHeld => "lateness-of-held",
            Self::ProcessorOfEnd => "processor-of-end",
            Self::Recovery => "recovery",
        }
    }
}
