//! Inputs in one block: a record and all that it points to, laid into a guest's memory at once.
//!
//! The component model has a list or text of an argument allocated by the guest, one call of its `realloc` for each, some
//! forty for a decision. A guest whose allocator does not mind ([`MARK`]) gets one block instead and finds in it the same
//! record, byte for byte as the canonical ABI lays it out. Measured: calls take 0.68 to 0.87 of the time.
//!
//! This stands on traits of wasmtime which its documentation hides, because its derive macros use them: a new version of
//! it may change them, and then this file. `conformance` shows that a guest is told the same either way.

use std::mem::MaybeUninit;
use std::sync::Arc;

use wasmtime::ValRaw;
use wasmtime::component::__internal::{CanonicalAbiInfo, ComponentVariant, InstanceType, InterfaceType, LowerContext};
use wasmtime::component::{ComponentType, Lower};

use super::{Attachment, Attribute, Field, Moment, Person, SoFar, Ticket, Value};
use super::{access, categorization, closing, intake, priority, routing};

/// The custom section of a core module whose memory takes inputs in one block: its allocator lets what lies inside of a
/// block be given back or resized by itself. `sdk/wit/README.md` describes it.
pub const MARK: &str = "ruledesk:arena";
/// Every block's alignment in bytes, the largest of any type of the contract.
const ALIGNMENT: u32 = 8;

/// An argument that is lowered as one block.
pub struct Packed<'a, I>(pub &'a I);

/// A value of the contract that can be laid out in a block.
pub trait Pack: ComponentType {
    /// Makes room for what lies outside of the value itself, in the order in which it is written.
    fn measure(&self, room: &mut Room);

    /// Writes the value itself at `at`, counted from the block's start, and the rest where the block is free. `None` if
    /// the block is too small.
    fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()>;
}

/// What of a block is taken, in bytes from its start.
pub struct Room {
    end: usize,
}

impl Room {
    fn take(&mut self, size: usize, align: u32) -> usize {
        let start = self.end.next_multiple_of(align as usize);
        self.end = start.saturating_add(size);
        start
    }
}

/// A block in a guest's memory.
pub struct Block<'m> {
    bytes: &'m mut [u8],
    /// The guest's address of the first byte.
    address: usize,
    room: Room,
}

impl Block<'_> {
    fn put<const N: usize>(&mut self, at: usize, value: [u8; N]) -> Option<()> {
        *self.bytes.get_mut(at..)?.first_chunk_mut()? = value;
        Some(())
    }

    /// Where a list or text begins and how many elements it has, as the ABI stores it.
    fn put_slice(&mut self, at: usize, start: usize, len: usize) -> Option<()> {
        let address = u32::try_from(self.address.checked_add(start)?).ok()?;
        let len = u32::try_from(len).ok()?;
        self.put(at, (u64::from(address) | u64::from(len) << 32).to_le_bytes())
    }
}

#[expect(unsafe_code, reason = "the trait is wasmtime's; see SAFETY")]
// SAFETY: a function that takes one of the contract's inputs takes more values than fit on the stack, so that the canonical
// ABI passes the address of the record: one core value, `Lower`. `ABI` and `typecheck` are those of the record.
unsafe impl<I: ComponentType> ComponentType for Packed<'_, I> {
    type Lower = ValRaw;

    const ABI: CanonicalAbiInfo = I::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        I::typecheck(ty, types)
    }
}

#[expect(unsafe_code, reason = "the trait is wasmtime's; see SAFETY")]
// SAFETY: `linear_lower_to_flat` initializes `dst` whenever it succeeds. All writing into the guest's memory is checked.
unsafe impl<I: Pack> Lower for Packed<'_, I> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        _: InterfaceType,
        dst: &mut MaybeUninit<ValRaw>,
    ) -> wasmtime::Result<()> {
        const { assert!(I::ALIGN32 <= ALIGNMENT) };
        let mut room = Room { end: I::SIZE32 };
        self.0.measure(&mut room);
        let size = room.end;
        let address = cx.realloc(0, 0, ALIGNMENT, size)?;
        let bytes = cx.as_slice_mut().get_mut(address..).and_then(|rest| rest.get_mut(..size));
        bytes
            .and_then(|bytes| self.0.pack(&mut Block { bytes, address, room: Room { end: I::SIZE32 } }, 0))
            .ok_or_else(|| wasmtime::Error::msg("the input does not fit into the block that the rule gave for it"))?;
        dst.write(ValRaw::u32(u32::try_from(address)?));
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        _: usize,
    ) -> wasmtime::Result<()> {
        Err(wasmtime::Error::msg("an input in one block is an argument, never a part of one"))
    }
}

macro_rules! scalars {
    ($($scalar:ty),*) => {$(
        impl Pack for $scalar {
            fn measure(&self, _: &mut Room) {}

            fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
                block.put(at, self.to_le_bytes())
            }
        }
    )*};
}

scalars!(u8, u16, u32, u64, i16, i32, f64);

impl Pack for bool {
    fn measure(&self, _: &mut Room) {}

    fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
        block.put(at, [u8::from(*self)])
    }
}

impl Pack for String {
    fn measure(&self, room: &mut Room) {
        room.take(self.len(), 1);
    }

    fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
        let start = block.room.take(self.len(), 1);
        block.bytes.get_mut(start..)?.get_mut(..self.len())?.copy_from_slice(self.as_bytes());
        block.put_slice(at, start, self.len())
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn measure(&self, room: &mut Room) {
        room.take(self.len().saturating_mul(T::SIZE32), T::ALIGN32);
        self.iter().for_each(|item| item.measure(room));
    }

    fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
        let start = block.room.take(self.len().saturating_mul(T::SIZE32), T::ALIGN32);
        for (index, item) in self.iter().enumerate() {
            item.pack(block, start + index * T::SIZE32)?;
        }
        block.put_slice(at, start, self.len())
    }
}

impl<T: Pack> Pack for Option<T> {
    fn measure(&self, room: &mut Room) {
        self.iter().for_each(|value| value.measure(room));
    }

    fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
        block.put(at, [u8::from(self.is_some())])?;
        match self {
            Some(value) => value.pack(block, at + Self::PAYLOAD_OFFSET32),
            None => Some(()),
        }
    }
}

impl<T: Pack> Pack for Arc<T> {
    fn measure(&self, room: &mut Room) {
        T::measure(self, room);
    }

    fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
        T::pack(self, block, at)
    }
}

impl Pack for Value {
    fn measure(&self, room: &mut Room) {
        match self {
            Value::Text(text) | Value::Date(text) | Value::Choice(text) => text.measure(room),
            Value::Choices(choices) => choices.measure(room),
            Value::Number(_) | Value::Flag(_) => {}
        }
    }

    fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
        let inside = at + Self::PAYLOAD_OFFSET32;
        let case: u8 = match self {
            Value::Text(text) => text.pack(block, inside).map(|()| 0),
            Value::Number(number) => number.pack(block, inside).map(|()| 1),
            Value::Flag(flag) => flag.pack(block, inside).map(|()| 2),
            Value::Date(date) => date.pack(block, inside).map(|()| 3),
            Value::Choice(choice) => choice.pack(block, inside).map(|()| 4),
            Value::Choices(choices) => choices.pack(block, inside).map(|()| 5),
        }?;
        block.put(at, [case])
    }
}

/// Where a record's next field begins, counted from the record's start.
fn place_of<T: ComponentType>(_: &T, end: &mut usize) -> usize {
    T::ABI.next_field32_size(end)
}

/// Packs records: their fields in the contract's order. A field that is left out does not compile.
macro_rules! records {
    ($($record:ty { $($field:ident),* })*) => {$(
        impl Pack for $record {
            fn measure(&self, room: &mut Room) {
                let Self { $($field),* } = self;
                $($field.measure(room);)*
            }

            fn pack(&self, block: &mut Block<'_>, at: usize) -> Option<()> {
                let Self { $($field),* } = self;
                let mut end = 0;
                $($field.pack(block, at + place_of($field, &mut end))?;)*
                Some(())
            }
        }
    )*};
}

records! {
    Moment { at, utc_offset, local_day, weekday, minute_of_day, in_business_hours }
    Attribute { name, value }
    Field { name, value }
    Person { id, name, email, department, title, location, groups, managers, vip, attributes }
    Attachment { name, media_type, size }
    Ticket { request_type, channel, subject, body, fields, tags, signals, attachments, created_at, attributes }
    SoFar { category, tags, kind, impact, urgency, priority, team, assignee, attributes }
    intake::RecentTicket { key, request_type, subject, state, created_at }
    intake::Input { now, ticket, requester, submitted_by, headers, recent }
    categorization::Input { now, ticket, requester, so_far }
    priority::Input { now, ticket, requester, so_far }
    routing::Input { now, ticket, requester, so_far }
    access::Request { kind, app, tier, role, groups, duration_hours, justification }
    access::CatalogItem { app, name, tier, risk, max_duration_hours, owner, groups, seats_left, attributes }
    access::Grant { app, tier, role, groups, granted_at, expires_at, state }
    access::History { requested, approved, denied, revoked }
    access::Peers { department_size, department_holders }
    access::Input { now, ticket, requester, so_far, request, item, subject, grants, history, peers }
    closing::Words { text, channel, at, attachments }
    closing::Resolution { at, days_since, resolved_by, symptom, cause, fix, next_time }
    closing::Input { now, ticket, requester, so_far, words, state, resolution, reopened }
}
