//! Rules by API: what is taken and what is refused, on one host and on several.

mod upload;
