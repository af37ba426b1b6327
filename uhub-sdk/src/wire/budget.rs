//! What reading one response may use: list elements, memory, and time.
//!
//! Three bytes of JSON may become a struct of a hundred. The size of a body does not bound what it
//! takes to read it.

use std::{
    cell::Cell,
    mem::size_of,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::de::Error;
use serde_json::Value;

/// How many list elements a response may have, if no more were requested.
const MAX_ELEMENTS: usize = 50_000;
/// How many elements a response may have for each item that was requested: items contain lists.
const ELEMENTS_PER_ITEM: usize = 10;
/// The memory that a response may take, in bytes.
const MAX_MEMORY: usize = 64 << 20;
/// The memory that a byte of a response may take, so that larger responses may take more.
const MEMORY_PER_BYTE: usize = 16;

/// How many values a list that is not empty has room for.
const FIRST_CAPACITY: usize = 4;
/// What an object of any JSON takes: the first node of its tree.
const OBJECT: usize = 600;
/// What a field of an object of any JSON takes besides.
const ENTRY: usize = 110;

/// What reading one response may still use. Unlimited by default.
#[derive(Debug)]
pub(crate) struct Budget {
    max_elements: usize,
    elements: Cell<usize>,
    max_memory: usize,
    memory: Cell<usize>,
    spent: Cell<u32>,
    cancelled: CancelFlag,
    exceeded: Cell<Option<Exceeded>>,
}

#[derive(Debug, Clone, Copy)]
enum Exceeded {
    Elements,
    Memory,
    /// The caller no longer waits for the result.
    Cancelled,
}

/// Tells a thread that its caller no longer waits for the result.
#[derive(Debug, Clone, Default)]
pub(crate) struct CancelFlag(Option<Arc<AtomicBool>>);

/// Raises a flag when it is dropped.
pub(crate) struct CancelOnDrop(CancelFlag);

impl CancelFlag {
    pub(crate) fn new() -> (Self, CancelOnDrop) {
        let flag = Self(Some(Arc::default()));
        (flag.clone(), CancelOnDrop(flag))
    }

    fn is_raised(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(flag) = &self.0.0 {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(usize::MAX, usize::MAX, CancelFlag::default())
    }
}

impl Budget {
    /// Returns the budget for a body of `length` bytes. `limit` is the number of items that were
    /// requested; untyped calls have no such number.
    pub(crate) fn new(length: usize, limit: Option<i64>, cancelled: CancelFlag) -> Self {
        let requested = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or_default();
        let elements = requested.saturating_mul(ELEMENTS_PER_ITEM).max(MAX_ELEMENTS);
        let memory = length.saturating_mul(MEMORY_PER_BYTE).max(MAX_MEMORY);
        Self::of(elements, memory, cancelled)
    }

    fn of(max_elements: usize, max_memory: usize, cancelled: CancelFlag) -> Self {
        Self {
            max_elements,
            elements: Cell::new(max_elements),
            max_memory,
            memory: Cell::new(max_memory),
            spent: Cell::new(0),
            cancelled,
            exceeded: Cell::new(None),
        }
    }

    /// Records an element of a list, of a type of this size.
    #[inline]
    pub(crate) fn spend_element<E: Error>(&self, size: usize) -> Result<(), E> {
        match self.elements.get().checked_sub(1) {
            Some(left) => self.elements.set(left),
            None => return Err(self.exceed(Exceeded::Elements)),
        }
        self.spend(size)
    }

    /// Records a value in a list of any JSON.
    pub(crate) fn spend_value<E: Error>(&self, is_first: bool) -> Result<(), E> {
        self.spend(size_of::<Value>() * if is_first { FIRST_CAPACITY } else { 1 })
    }

    /// Records an object of any JSON.
    pub(crate) fn spend_object<E: Error>(&self) -> Result<(), E> {
        self.spend(OBJECT)
    }

    /// Records a field of an object of any JSON.
    pub(crate) fn spend_entry<E: Error>(&self) -> Result<(), E> {
        self.spend(ENTRY)
    }

    #[inline]
    fn spend<E: Error>(&self, memory: usize) -> Result<(), E> {
        match self.memory.get().checked_sub(memory) {
            Some(left) => self.memory.set(left),
            None => return Err(self.exceed(Exceeded::Memory)),
        }
        let spent = self.spent.get().wrapping_add(1);
        self.spent.set(spent);
        if spent.is_multiple_of(1024) && self.cancelled.is_raised() {
            return Err(self.exceed(Exceeded::Cancelled));
        }
        Ok(())
    }

    #[cold]
    fn exceed<E: Error>(&self, what: Exceeded) -> E {
        self.exceeded.set(Some(what));
        E::custom("the limit of a response is exceeded")
    }

    /// Returns which limit was exceeded, as a clause of an error.
    pub(crate) fn exceeded(&self) -> Option<String> {
        Some(match self.exceeded.get()? {
            Exceeded::Elements => {
                format!("it has more than {} elements in its lists", self.max_elements)
            }
            Exceeded::Memory => {
                format!("it would take more than {} MiB of memory", self.max_memory >> 20)
            }
            Exceeded::Cancelled => "it took too long to read".to_owned(),
        })
    }
}
