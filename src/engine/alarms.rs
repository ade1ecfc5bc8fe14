//! The alarms that wake tasks of one thread, all on one timer of the runtime.
//!
//! ```text
//!   set ──> a bucket of 256 ms ──its time has come──> the near ones, in order ──due──> woken
//! ```
//!
//! An armed alarm costs 8 bytes in its bucket and 40 for its state. To put it off, only a number is
//! written: the entry stays where it is, and is entered anew when it comes up. An alarm that waits
//! for a silence also watches a pulse, which may put it off when it comes up. So no task is woken
//! for nothing, and a heartbeat causes no work here. An alarm never rings early, and is exact to
//! the millisecond by the runtime's clock, also while that is paused. When many alarms are due at
//! once, each batch waits its turn like any other task, so the thread goes on with its other work.

mod watch;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

pub(super) use crate::engine::alarms::watch::Watch;

use crate::clock;
use crate::engine::alarms::watch::{NEVER, Watching};
use crate::limits;

/// Bits of a time within its bucket.
const BUCKET_BITS: u32 = 8;

type Pause = Box<dyn Fn() -> Duration>;

/// The alarms of some tasks of one thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Alarms(Rc<RefCell<Wheel>>);

/// One task's place in the table of alarms. Its owner gives it back with [`Alarms::unset`], or the
/// place stays taken for as long as the alarms exist.
#[derive(Debug)]
pub struct Alarm {
    /// The number of the place, from 1; zero while it has none.
    place: u32,
}

impl Alarm {
    /// An alarm that has no place yet.
    #[must_use]
    pub const fn unset() -> Self {
        Self { place: 0 }
    }
}

impl Default for Alarms {
    fn default() -> Self {
        Self::pausing(|| Duration::ZERO)
    }
}

impl Alarms {
    /// Alarms that pause for this long after each batch of alarms that are due at once.
    pub(super) fn pausing(pause: impl Fn() -> Duration + 'static) -> Self {
        Self(Rc::new(RefCell::new(Wheel::new(Box::new(pause)))))
    }

    /// Wakes the task that `context` belongs to at this time, instead of at any time set before.
    pub fn set(&self, alarm: &mut Alarm, at: Instant, context: &Context<'_>) {
        self.set_for(alarm, at, None, context);
    }

    /// The same, for a time that signs of life put off.
    pub(super) fn set_watching(
        &self,
        alarm: &mut Alarm,
        at: Instant,
        watch: Watch,
        context: &Context<'_>,
    ) {
        self.set_for(alarm, at, Some(watch), context);
    }

    fn set_for(&self, alarm: &mut Alarm, at: Instant, watch: Option<Watch>, context: &Context<'_>) {
        let mut wheel = self.0.borrow_mut();
        if matches!(wheel.driver, Driver::Absent) {
            wheel.driver = Driver::Starting;
            actix::spawn(Driving {
                wheel: Rc::downgrade(&self.0),
                sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
            });
        }
        if alarm.place == 0 {
            alarm.place = wheel.take_place(context.waker().clone());
        }
        wheel.arm(alarm.place, at, watch);
    }

    /// Cancels the alarm, and takes its place back.
    pub fn unset(&self, alarm: &mut Alarm) {
        let place = std::mem::take(&mut alarm.place);
        if place != 0 {
            let given_back = self.0.borrow_mut().give_back(place);
            // Dropped only now, when nothing is borrowed: the waker may be the last of its task.
            drop(given_back);
        }
    }
}

/// The state of all alarms. Times are milliseconds since `base`.
struct Wheel {
    base: Instant,
    pause: Pause,
    places: Vec<Place>,
    free: Vec<u32>,
    /// The time within the bucket, and the place, in one number.
    buckets: BTreeMap<u64, Vec<u64>>,
    /// Entries of the buckets whose time has come, in order.
    near: VecDeque<(u64, u32)>,
    /// Entries that were set for so soon that the time of their bucket had already come.
    soon: BinaryHeap<Reverse<(u64, u32)>>,
    /// The first bucket that is not among the near ones.
    far_from: u64,
    driver: Driver,
}

/// The state of one alarm.
#[derive(Debug)]
struct Place {
    waker: Option<Waker>,
    /// When the task is to be woken.
    due: u64,
    /// When the alarm's entry comes up, which is never later than `due`. Any other entry of this
    /// place means nothing.
    queued: u64,
    watching: Option<Box<Watching>>,
}

impl Place {
    /// When the task is to be woken, by the signs of life so far.
    fn refresh(&mut self) -> u64 {
        if let Some(watching) = &self.watching {
            self.due = self.due.max(watching.puts_off_to());
        }
        self.due
    }
}

/// The state of the driver: the one task that wakes the others.
#[derive(Debug)]
enum Driver {
    /// There is none.
    Absent,
    /// It has been spawned, and has yet to look.
    Starting,
    /// It sleeps until this time, or until it is woken if there is none.
    Asleep(Option<u64>, Waker),
}

/// What the driver has to do next.
enum Next {
    /// Go on after this pause, when other tasks have had their turn.
    GoOn(Duration),
    /// Sleep until then.
    SleepUntil(Instant),
    /// Sleep until it is woken.
    Sleep,
    /// End, because there are no alarms any more.
    End,
}

impl fmt::Debug for Wheel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wheel").field("driver", &self.driver).finish_non_exhaustive()
    }
}

impl Drop for Wheel {
    fn drop(&mut self) {
        if let Driver::Asleep(_, driver) = &self.driver {
            // The driver has nothing to wait for any more.
            driver.wake_by_ref();
        }
    }
}

impl Wheel {
    fn new(pause: Pause) -> Self {
        Self {
            base: clock::reading(),
            pause,
            places: Vec::new(),
            free: Vec::new(),
            buckets: BTreeMap::new(),
            near: VecDeque::new(),
            soon: BinaryHeap::new(),
            far_from: 0,
            driver: Driver::Absent,
        }
    }

    fn take_place(&mut self, waker: Waker) -> u32 {
        let taken = Place { waker: Some(waker), due: NEVER, queued: NEVER, watching: None };
        if let Some(place) = self.free.pop() {
            self.places[index(place)] = taken;
            return place;
        }
        self.places.push(taken);
        u32::try_from(self.places.len()).unwrap_or_else(|_| unreachable!("memory ends earlier"))
    }

    fn give_back(&mut self, place: u32) -> Option<Waker> {
        self.free.push(place);
        let given = &mut self.places[index(place)];
        (given.due, given.queued, given.watching) = (NEVER, NEVER, None);
        given.waker.take()
    }

    fn arm(&mut self, place: u32, at: Instant, watch: Option<Watch>) {
        let at = at.saturating_duration_since(self.base);
        let at = u64::try_from(at.as_nanos().div_ceil(1_000_000)).unwrap_or(NEVER);
        let armed = &mut self.places[index(place)];
        armed.due = at;
        armed.watching = watch.map(|watch| Box::new(Watching::of(watch, at)));
        if at < armed.queued {
            self.enter(place, at);
        }
    }

    fn enter(&mut self, place: u32, at: u64) {
        self.places[index(place)].queued = at;
        let bucket = at >> BUCKET_BITS;
        let wakes_at = if bucket < self.far_from {
            self.soon.push(Reverse((at, place)));
            at
        } else {
            let within = at & ((1 << BUCKET_BITS) - 1);
            self.buckets.entry(bucket).or_default().push((within << 32) | u64::from(place));
            bucket << BUCKET_BITS
        };
        if let Driver::Asleep(until, waker) = &self.driver
            && until.is_none_or(|until| wakes_at < until)
        {
            waker.wake_by_ref();
        }
    }

    /// Wakes the tasks of one batch of due alarms.
    fn wake_due(&mut self) -> Next {
        let now = clock::reading().saturating_duration_since(self.base).as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        self.bring_near(now >> BUCKET_BITS);
        let mut looked_at = 0;
        while let Some((at, place)) = self.take_due(now) {
            self.come_up(place, at, now);
            looked_at += 1;
            if looked_at == limits::ALARMS_AT_ONCE {
                return Next::GoOn((self.pause)());
            }
        }
        if self.near.is_empty() {
            // Keeps no room for a moment in which all alarms were due.
            self.near.shrink_to(limits::ALARMS_AT_ONCE);
            self.soon.shrink_to(limits::ALARMS_AT_ONCE);
        }
        self.next()
            .map_or(Next::Sleep, |at| Next::SleepUntil(self.base + Duration::from_millis(at)))
    }

    /// The first entry that has come up by now.
    fn take_due(&mut self, now: u64) -> Option<(u64, u32)> {
        let near = self.near.front().copied();
        let soon = self.soon.peek().map(|Reverse(soon)| *soon);
        let first = near.into_iter().chain(soon).min().filter(|(at, _)| *at <= now)?;
        if near == Some(first) {
            self.near.pop_front();
        } else {
            self.soon.pop();
        }
        Some(first)
    }

    /// Handles an entry that has come up: wakes its task, unless the alarm was put off or the entry
    /// means nothing by now.
    fn come_up(&mut self, place: u32, at: u64, now: u64) {
        let found = &mut self.places[index(place)];
        if found.queued != at {
            return;
        }
        found.queued = NEVER;
        let due = found.refresh();
        if due > now {
            return self.enter(place, due);
        }
        (found.due, found.watching) = (NEVER, None);
        if let Some(waker) = &found.waker {
            waker.wake_by_ref();
        }
    }

    /// Sorts out the buckets whose time has come. Nearly all of their alarms were put off
    /// meanwhile: these go to a later bucket and wake nobody, not even the driver.
    fn bring_near(&mut self, through: u64) {
        self.far_from = self.far_from.max(through.saturating_add(1));
        while let Some(first) = self.buckets.first_entry().filter(|first| *first.key() <= through) {
            let (bucket, mut packed) = first.remove_entry();
            // By time, then by place, which is their order in memory.
            packed.sort_unstable();
            self.near.reserve(packed.len());
            for packed in packed {
                let place = u32::try_from(packed & u64::from(u32::MAX)).unwrap_or(0);
                let at = (bucket << BUCKET_BITS) + (packed >> 32);
                let found = &mut self.places[index(place)];
                if found.queued != at {
                    continue;
                }
                let due = found.refresh();
                if due == at {
                    self.near.push_back((at, place));
                } else {
                    self.enter(place, due);
                }
            }
        }
    }

    fn next(&self) -> Option<u64> {
        let near = self.near.front().map(|(at, _)| *at);
        let soon = self.soon.peek().map(|Reverse((at, _))| *at);
        near.into_iter()
            .chain(soon)
            .min()
            .or_else(|| self.buckets.keys().next().map(|bucket| bucket << BUCKET_BITS))
    }
}

/// The task that wakes the others, for as long as there are alarms.
struct Driving {
    wheel: Weak<RefCell<Wheel>>,
    sleep: Pin<Box<Sleep>>,
}

impl Driving {
    /// Wakes the tasks of one batch of due alarms, and says what is next.
    fn drive(&self, context: &Context<'_>) -> Next {
        let Some(wheel) = self.wheel.upgrade() else { return Next::End };
        let mut wheel = wheel.borrow_mut();
        let next = wheel.wake_due();
        let until = if matches!(next, Next::GoOn(_)) { Some(0) } else { wheel.next() };
        wheel.driver = Driver::Asleep(until, context.waker().clone());
        next
    }
}

impl Future for Driving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let until = match self.drive(context) {
                Next::End => return Poll::Ready(()),
                Next::Sleep => return Poll::Pending,
                Next::GoOn(Duration::ZERO) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Next::GoOn(pause) => clock::reading() + pause,
                Next::SleepUntil(until) => until,
            };
            self.sleep.as_mut().reset(until);
            if self.sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        // The runtime ends, and with it all tasks that could be woken.
        if let Some(wheel) = self.wheel.upgrade() {
            let driver = std::mem::replace(&mut wheel.borrow_mut().driver, Driver::Absent);
            drop(driver);
        }
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place - 1).unwrap_or(usize::MAX)
}
