//! Drives many customers on one thread: one epoll, one buffer, one wheel of timers. Everything that
//! the driver says has a due time in the plan. It goes out then, whether or not the server has
//! answered.

mod chat;
pub(crate) mod fate;
mod hearing;
mod life;
mod opening;
mod saying;
pub mod tally;

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use anyhow::bail;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use rustix::time::{ClockId, clock_gettime};

use crate::clock::{self, Moment};
use crate::dialect::{Dialect, Heard};
use crate::dialects;
use crate::driver::chat::{Chat, NEVER, State};
use crate::driver::fate::{Dice, fate};
use crate::driver::saying::Pending;
pub(crate) use crate::driver::saying::filler;
use crate::driver::tally::{Counts, Latencies};
use crate::plan::{Line, Order, Plan, Tidings};
use crate::wheel::Wheel;

/// The time between two lines to the parent.
const LINE_EVERY: Duration = Duration::from_millis(200);

/// Events taken at once.
const EVENTS: usize = 1_024;

/// The driver.
pub struct Driver {
    plan: Plan,
    dialect: Box<dyn Dialect>,
    dice: Dice,
    epoll: OwnedFd,
    chats: Vec<Chat>,
    wheel: Wheel,
    /// How many customers have been told to connect for the first time.
    invited: u32,
    /// When the work began, in milliseconds of the plan.
    begun: Option<u32>,
    /// When the work was over, in milliseconds of the plan.
    rested: Option<u32>,
    /// How many posts of the plan are done with.
    posts_done: u64,
    pending: HashMap<u64, Pending>,
    latencies: Latencies,
    counts: Counts,
    tidings: Tidings,
    processor_before: Duration,
    /// What is about to be written, frames and all.
    out: Vec<u8>,
    /// The text of one frame.
    scratch: Vec<u8>,
    buffer: Vec<u8>,
    heard: Vec<Heard>,
    due: Vec<u32>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Driver").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver that has done nothing yet.
    ///
    /// # Errors
    /// When its dialect is not known, or the kernel gives no epoll.
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        let dialect = dialects::speak(&plan.spoken)?;
        let customers = plan.first..plan.first + plan.customers;
        let mut chats: Vec<Chat> = customers.map(Chat::new).collect();
        for chat in &mut chats {
            let fate = fate(&plan.workload, chat.link.customer);
            (chat.loss, chat.is_slow) = (fate.loss, fate.is_slow);
        }
        Ok(Self {
            dialect,
            dice: Dice::new(plan.workload.seed),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            wheel: Wheel::new(chats.len()),
            chats,
            invited: 0,
            begun: None,
            rested: None,
            posts_done: 0,
            pending: HashMap::new(),
            latencies: Latencies::default(),
            counts: Counts::default(),
            tidings: Tidings::default(),
            processor_before: Duration::ZERO,
            out: Vec::new(),
            scratch: Vec::new(),
            buffer: vec![0; 1 << 16],
            heard: Vec::new(),
            due: Vec::new(),
            plan,
        })
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// When the sender of the orders is gone, or the kernel fails.
    pub fn run(
        &mut self,
        orders: &Receiver<Order>,
        mut tell: impl FnMut(Line) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut line_due = clock::now();
        loop {
            self.wait(&mut events, line_due)?;
            for event in events.drain(..) {
                self.notice(event);
            }
            self.invite();
            self.turn();
            self.post_what_is_due();
            if clock::now() >= line_due {
                match orders.try_recv() {
                    Ok(Order::Begin(at)) => self.begin(at),
                    Ok(Order::Rest) => self.rested = Some(self.millisecond(clock::now())),
                    Ok(Order::Stop) => break,
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => bail!("whoever gave the orders is gone"),
                }
                line_due = clock::now().after(LINE_EVERY);
                tell(self.line())?;
            }
        }
        let mut last = self.line();
        last.latencies = Some(self.latencies.pack());
        tell(last)
    }

    /// Waits until a socket can be read, a timer is due, or a line to the parent is due.
    fn wait(&self, events: &mut Vec<epoll::Event>, line_due: Moment) -> anyhow::Result<()> {
        let until = self.next_due(line_due);
        let wait = until.since(clock::now());
        let wait = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(1),
            tv_nsec: wait.subsec_nanos().into(),
        };
        match epoll::wait(&self.epoll, spare_capacity(events), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn next_due(&self, line_due: Moment) -> Moment {
        let mut until = line_due;
        if let Some(at) = self.wheel.next(self.millisecond(line_due)) {
            until = until.min(self.moment(at));
        }
        if self.invited < self.plan.customers {
            until = until.min(self.invitation(self.invited));
        }
        if let Some(at) = self.post_due() {
            until = until.min(at);
        }
        until
    }

    fn notice(&mut self, event: epoll::Event) {
        let place = u32::try_from(event.data.u64()).unwrap_or(0);
        let flags = event.flags;
        if flags.contains(epoll::EventFlags::OUT) {
            self.write_unsent(place);
        }
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR)
        {
            self.read(place);
        }
    }

    /// Has customers connect for the first time if their time has come.
    fn invite(&mut self) {
        while self.invited < self.plan.customers {
            let due = self.invitation(self.invited);
            if due > clock::now() {
                return;
            }
            self.connect(self.invited, due);
            self.invited += 1;
        }
    }

    fn invitation(&self, place: u32) -> Moment {
        let after = f64::from(place) / self.plan.connects_per_s;
        self.plan.epoch.after(Duration::from_secs_f64(after))
    }

    /// Does what is due for every customer.
    fn turn(&mut self) {
        let now = self.millisecond(clock::now());
        let mut due = std::mem::take(&mut self.due);
        self.wheel.turn(now, &mut due);
        for place in due.drain(..) {
            let chat = &self.chats[place as usize];
            if chat.beat_due <= now {
                self.beat(place);
            }
            if self.chats[place as usize].read_due <= now {
                self.read_slowly(place);
            }
            if self.chats[place as usize].life_due <= now {
                self.live(place);
            }
            self.arm(place);
        }
        self.due = due;
    }

    /// Sets a customer's timer to the next thing that is due for them.
    fn arm(&mut self, place: u32) {
        match self.chats[place as usize].due() {
            NEVER => self.wheel.unset(place),
            due => self.wheel.set(place, due),
        }
    }

    fn begin(&mut self, at: Moment) {
        self.begun = Some(self.millisecond(at));
        self.processor_before = processor_time();
        for place in 0..self.plan.customers {
            if self.chats[place as usize].state == State::Ready {
                self.plan_life(place);
                self.arm(place);
            }
        }
    }

    /// Whether something that is due now belongs to the work, and is measured.
    fn is_measured(&self, due: u32) -> bool {
        let has_rested = self.rested.is_some_and(|rested| due >= rested);
        self.begun.is_some_and(|begun| due >= begun) && !has_rested
    }

    fn line(&mut self) -> Line {
        if let Some(begun) = self.begun {
            let elapsed = clock::now().since(self.moment(begun));
            self.counts.elapsed_us = micros(elapsed);
            self.counts.processor_us =
                micros(processor_time().saturating_sub(self.processor_before));
        }
        self.counts.resident = resident();
        self.counts.ready =
            self.chats.iter().filter(|chat| chat.state == State::Ready).count() as u64;
        let tidings = std::mem::take(&mut self.tidings);
        Line { counts: self.counts.clone(), tidings, latencies: None }
    }

    /// A moment in milliseconds of the plan.
    fn millisecond(&self, at: Moment) -> u32 {
        u32::try_from(at.since(self.plan.epoch).as_millis()).unwrap_or(NEVER - 1)
    }

    /// The moment that a millisecond of the plan is.
    fn moment(&self, at: u32) -> Moment {
        self.plan.epoch.after(Duration::from_millis(at.into()))
    }
}

/// The processor time of this process.
pub(crate) fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn resident() -> u64 {
    let own = procfs::process::Process::myself().and_then(|own| own.statm());
    own.map_or(0, |own| own.resident * procfs::page_size())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
