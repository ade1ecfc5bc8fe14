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
    /// Of which.
    pub curve: Curve,
    /// Of what there are several lines in one plot, as in `sockets` and `actors`.
    pub of: String,
    /// How many chats.
    pub chats: u64,
    /// The value, in the unit of the curve.
    pub value: f64,
    /// What must be known of it; empty where nothing must.
    #[serde(default)]
    pub remark: String,
}

/// A curve of growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// Resident memory of the server.
    Memory,
    /// Resident memory by chats.
    MemoryOfEach,
    /// Processor time of a heartbeat.
    Processor,
    /// How late the last of a hundred notices was, after a mass drop.
    Lateness,
    /// How long a server took to start that held so many chats.
    Recovery,
}

impl Curve {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 5] =
        [Self::Memory, Self::MemoryOfEach, Self::Processor, Self::Lateness, Self::Recovery];

    /// What it shows.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Memory => "Memory of the server",
            Self::MemoryOfEach => "Memory of each chat",
            Self::Processor => "Processor time of a heartbeat",
            Self::Lateness => "Mass drop: notice after the deadline, p99",
            Self::Recovery => "Start with held chats",
        }
    }

    /// What is counted to the right.
    pub const fn counts(self) -> &'static str {
        match self {
            Self::Memory | Self::MemoryOfEach | Self::Processor => "chats",
            Self::Lateness => "chats dropped at once",
            Self::Recovery => "held chats",
        }
    }

    /// The unit of its values.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Memory | Self::MemoryOfEach => "B",
            Self::Processor | Self::Lateness | Self::Recovery => "µs",
        }
    }

    /// Whether it is drawn with a logarithm upwards.
    pub const fn is_log(self) -> bool {
        matches!(self, Self::Memory | Self::Recovery | Self::Lateness)
    }

    /// What the design allows, where it says so for every size.
    pub const fn bound(self) -> Option<f64> {
        match self {
            Self::MemoryOfEach => Some(4_096.0),
            Self::Lateness => Some(1_000_000.0),
            Self::Memory | Self::Processor | Self::Recovery => None,
        }
    }

    /// The name of its file, without an ending.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::MemoryOfEach => "memory-of-each",
            Self::Processor => "processor",
            Self::Lateness => "lateness",
            Self::Recovery => "recovery",
        }
    }
}
