#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit/1.0.0",
        world: "every-stage",
        pub_export_macro: true,
        default_bindings_module: "ruledesk_sdk::bindings",
        additional_derives: [PartialEq],
    });
}
#[cfg(target_arch = "wasm32")]
mod alloc;
#[doc(hidden)]
pub mod glue;
pub use bindings::ruledesk::rules::types;
pub use serde;
