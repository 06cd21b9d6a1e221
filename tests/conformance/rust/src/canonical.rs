//! Any value of the contract as one text, and a text's digest.

use ruledesk_sdk::types::{Attachment, Attribute, Field, Moment, Person, SoFar, Ticket, Value};
use ruledesk_sdk::{access, categorization, closing, intake, priority, routing};

/// Has a canonical text.
pub trait Canonical {
    /// Writes it at the end of `out`.
    fn write(&self, out: &mut String);

    /// The text by itself.
    fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// 64-bit FNV-1a, in hexadecimal.
pub fn digest(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(14_695_981_039_346_656_037_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211));
    format!("{hash:016x}")
}

macro_rules! integers {
    ($($integer:ty)+) => {
        $(impl Canonical for $integer {
            fn write(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        })+
    };
}

integers!(u8 u16 u32 u64 i16 i32);

impl Canonical for bool {
    fn write(&self, out: &mut String) {
        out.push(if *self { 't' } else { 'f' });
    }
}

impl Canonical for f64 {
    fn write(&self, out: &mut String) {
        out.push_str(&format!("{:016x}", self.to_bits()));
    }
}

impl Canonical for String {
    fn write(&self, out: &mut String) {
        out.push_str(&format!("{}:{self}", self.len()));
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            None => out.push('-'),
            Some(value) => {
                out.push('+');
                value.write(out);
            }
        }
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn write(&self, out: &mut String) {
        self.as_slice().write(out);
    }
}

impl<T: Canonical> Canonical for [T] {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (at, item) in self.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }
}

impl Canonical for Value {
    fn write(&self, out: &mut String) {
        let (case, held): (&str, &dyn Canonical) = match self {
            Value::Text(text) => ("text", text),
            Value::Number(number) => ("number", number),
            Value::Flag(flag) => ("flag", flag),
            Value::Date(date) => ("date", date),
            Value::Choice(choice) => ("choice", choice),
            Value::Choices(choices) => ("choices", choices),
        };
        out.push_str(case);
        out.push('=');
        held.write(out);
    }
}

macro_rules! records {
    ($($record:ty: $($field:ident)+;)+) => {
        $(impl Canonical for $record {
            fn write(&self, out: &mut String) {
                let mut before = '(';
                $(
                    out.push(std::mem::replace(&mut before, ','));
                    self.$field.write(out);
                )+
                out.push(')');
            }
        })+
    };
}

records! {
    Moment: at utc_offset local_day weekday minute_of_day in_business_hours;
    Attribute: name value;
    Field: name value;
    Person: id name email department title location groups managers vip attributes;
    Attachment: name media_type size;
    Ticket: request_type channel subject body fields tags signals attachments created_at attributes;
    SoFar: category tags kind impact urgency priority team assignee attributes;
    intake::RecentTicket: key request_type subject state created_at;
    intake::Input: now ticket requester submitted_by headers recent;
    categorization::Input: now ticket requester so_far;
    priority::Input: now ticket requester so_far;
    routing::Input: now ticket requester so_far;
    access::Request: kind app tier role groups duration_hours justification;
    access::CatalogItem: app name tier risk max_duration_hours owner groups seats_left attributes;
    access::Grant: app tier role groups granted_at expires_at state;
    access::History: requested approved denied revoked;
    access::Peers: department_size department_holders;
    access::Input: now ticket requester so_far request item subject grants history peers;
    closing::Words: text channel at attachments;
    closing::Resolution: at days_since resolved_by symptom cause fix next_time;
    closing::Input: now ticket requester so_far words state resolution reopened;
}
