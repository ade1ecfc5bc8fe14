//! The floor's second party: one reader of a stream of lines, each a customer who has come, or a
//! message. The floor can tell it wrong on purpose, to show that this would be noticed.

use super::Tampering;

/// Of how many messages one is told wrong.
const EVERY: u64 = 10;

/// What the second party is told.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The connection that reads it.
    reader: Option<usize>,
    waiting: Vec<Line>,
    messages: u64,
    /// A message that is told after the next.
    late: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Line {
    Entered(u32),
    Message(u64),
}

impl Feed {
    /// This connection reads it from now on.
    pub(super) fn open(&mut self, reader: usize) {
        self.reader = Some(reader);
    }

    /// A customer has come.
    pub(super) fn enter(&mut self, customer: u32) {
        if self.reader.is_some() {
            self.waiting.push(Line::Entered(customer));
        }
    }

    /// A customer has said something.
    pub(super) fn message(&mut self, number: u64) {
        if self.reader.is_some() {
            self.waiting.push(Line::Message(number));
        }
    }

    /// What is to be written now, and to whom.
    pub(super) fn take(&mut self, tampering: Tampering) -> Option<(usize, Vec<u8>)> {
        let reader = self.reader?;
        if self.waiting.is_empty() {
            return None;
        }
        let mut lines = Vec::new();
        for line in std::mem::take(&mut self.waiting) {
            match line {
                Line::Entered(customer) => lines.push(format!("entered {customer}\n")),
                Line::Message(number) => self.tell(number, tampering, &mut lines),
            }
        }
        Some((reader, lines.concat().into_bytes()))
    }

    fn tell(&mut self, number: u64, tampering: Tampering, lines: &mut Vec<String>) {
        self.messages += 1;
        let is_tenth = self.messages.is_multiple_of(EVERY);
        let line = format!("message {number}\n");
        match tampering {
            Tampering::Lose if is_tenth => return,
            Tampering::Duplicate if is_tenth => lines.push(line.clone()),
            Tampering::Reorder if is_tenth && self.late.is_none() => {
                self.late = Some(number);
                return;
            }
            _ => {}
        }
        lines.push(line);
        // Lateness only counts within a chat, so the late message waits for the next of the same
        // chat.
        if let Some(late) = self.late
            && crate::plan::customer_of(late) == crate::plan::customer_of(number)
        {
            self.late = None;
            lines.push(format!("message {late}\n"));
        }
    }
}
