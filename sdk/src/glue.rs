//! What stands between the contract's functions and a rule: its one instance, its settings, its last words.
//! It knows nothing of single stages.

use std::sync::OnceLock;

use serde::de::DeserializeOwned;

/// What [`export!`](crate::export) implements for a rule.
pub trait Exported: DeserializeOwned {
    /// Calls `prepare` for each exported stage.
    ///
    /// # Errors
    ///
    /// What `prepare` finds wrong with the settings.
    fn prepare_all(&mut self) -> Result<(), Vec<String>>;

    /// Asks one stage; `None` if the rule does not export it.
    #[cfg(not(target_arch = "wasm32"))]
    fn ask(&self, question: &crate::testing::Question) -> Option<crate::testing::Reply>;
}

/// Where the rule of an instance is kept once it has its settings.
pub struct Slot<R>(OnceLock<R>);

impl<R: Exported> Slot<R> {
    /// Without a rule.
    #[expect(clippy::new_without_default, reason = "it is made in a static")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Takes the settings.
    ///
    /// # Errors
    ///
    /// One sentence for each thing that is wrong with them.
    pub fn configure(&self, json: &str) -> Result<(), Vec<String>> {
        #[cfg(target_arch = "wasm32")]
        last_words::install();
        let rule = build::<R>(json)?;
        self.0.set(rule).map_err(|_| vec!["the rule has settings already".to_owned()])?;
        #[cfg(target_arch = "wasm32")]
        crate::alloc::settle();
        Ok(())
    }

    /// Lets the rule decide. The input is not dropped: the memory is given up as a whole after the decision, and
    /// walking through the input's strings would cost two microseconds.
    ///
    /// # Errors
    ///
    /// The rule's own, or that it has no settings yet.
    pub fn decide<I, A>(&self, input: I, decide: fn(&R, &I) -> Result<A, String>) -> Result<A, String> {
        let answer = match self.0.get() {
            Some(rule) => decide(rule, &input),
            None => Err("the rule was asked before it got its settings".to_owned()),
        };
        std::mem::forget(input);
        answer
    }
}

/// A rule from its settings.
///
/// # Errors
///
/// One sentence for each thing that is wrong with them.
pub fn build<R: Exported>(json: &str) -> Result<R, Vec<String>> {
    let mut rule: R = crate::settings::from_json(json).map_err(|error| vec![error])?;
    rule.prepare_all()?;
    Ok(rule)
}

#[cfg(target_arch = "wasm32")]
mod last_words {
    use std::fmt::{self, Write};

    use crate::bindings::ruledesk::rules::last_words::say;

    /// Lets a panic say its message before the instance traps.
    pub fn install() {
        std::panic::set_hook(Box::new(|panic| {
            let mut words = Words { bytes: [0; 64], len: 0 };
            // Writing never fails.
            let _ = write!(words, "{panic}");
            words.flush();
        }));
    }

    /// Collects text and sends it in pieces of 64 bytes.
    struct Words {
        bytes: [u8; 64],
        len: usize,
    }

    impl Words {
        fn flush(&mut self) {
            let (words, _) = self.bytes.as_chunks::<8>();
            if let [a, b, c, d, e, f, g, h] = *words {
                let word = u64::from_le_bytes;
                say(word(a), word(b), word(c), word(d), word(e), word(f), word(g), word(h));
            }
            *self = Self { bytes: [0; 64], len: 0 };
        }
    }

    impl Write for Words {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for &byte in text.as_bytes() {
                if self.len == self.bytes.len() {
                    self.flush();
                }
                if let Some(place) = self.bytes.get_mut(self.len) {
                    *place = byte;
                    self.len += 1;
                }
            }
            Ok(())
        }
    }
}

/// Makes a type the rule of this crate, for the stages named.
///
/// The type reads its settings with `serde::Deserialize` and implements the `Rule` trait of each stage. If a rule has
/// several stages, `prepare` is called for each, in the order named here.
///
/// ```
/// # use ruledesk_sdk::{export, intake, routing};
/// # #[derive(serde::Deserialize)]
/// # struct Thing {}
/// # impl intake::Rule for Thing {
/// #     fn decide(&self, _: &intake::Input) -> Result<intake::Answer, String> {
/// #         Ok(intake::Answer::accept())
/// #     }
/// # }
/// # impl routing::Rule for Thing {
/// #     fn decide(&self, _: &routing::Input) -> Result<routing::Answer, String> {
/// #         Ok(routing::Answer::pass("no opinion"))
/// #     }
/// # }
/// export!(Thing: intake, routing);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    ($rule:ident: $($stage:ident),+ $(,)?) => {
        #[allow(unsafe_code, reason = "the contract's functions take raw memory")]
        const _: () = {
            impl $crate::glue::Exported for $rule {
                fn prepare_all(
                    &mut self,
                ) -> ::core::result::Result<(), ::std::vec::Vec<::std::string::String>> {
                    $(<Self as $crate::$stage::Rule>::prepare(self)?;)+
                    ::core::result::Result::Ok(())
                }

                #[cfg(not(target_arch = "wasm32"))]
                fn ask(
                    &self,
                    question: &$crate::testing::Question,
                ) -> ::core::option::Option<$crate::testing::Reply> {
                    $($crate::__ask!($stage, self, question);)+
                    ::core::option::Option::None
                }
            }

            // Where nothing is exported, this tells the compiler that the rule is in use.
            #[cfg(not(target_arch = "wasm32"))]
            const _: fn(&str) -> ::core::result::Result<$rule, ::std::vec::Vec<::std::string::String>> =
                $crate::glue::build::<$rule>;

            #[cfg(target_arch = "wasm32")]
            static RULE: $crate::glue::Slot<$rule> = $crate::glue::Slot::new();

            #[cfg(target_arch = "wasm32")]
            struct Exports;

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::exports::ruledesk::rules::settings::Guest for Exports {
                fn configure(
                    json: ::std::string::String,
                ) -> ::core::result::Result<(), ::std::vec::Vec<::std::string::String>> {
                    RULE.configure(&json)
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::__export_ruledesk_rules_settings_1_1_0_cabi!(
                Exports with_types_in $crate::bindings::exports::ruledesk::rules::settings
            );

            $(
                #[cfg(target_arch = "wasm32")]
                impl $crate::bindings::exports::ruledesk::rules::$stage::Guest for Exports {
                    fn decide(
                        input: $crate::$stage::Input,
                    ) -> ::core::result::Result<$crate::$stage::Answer, ::std::string::String> {
                        RULE.decide(input, <$rule as $crate::$stage::Rule>::decide)
                    }
                }

                #[cfg(target_arch = "wasm32")]
                $crate::__export_stage!($stage);
            )+
        };
    };
}

/// Exports the contract's function of one stage.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_stage {
    (intake) => {
        $crate::__export_ruledesk_rules_intake_1_1_0_cabi!(
            Exports with_types_in $crate::bindings::exports::ruledesk::rules::intake
        );
    };
    (categorization) => {
        $crate::__export_ruledesk_rules_categorization_1_1_0_cabi!(
            Exports with_types_in $crate::bindings::exports::ruledesk::rules::categorization
        );
    };
    (priority) => {
        $crate::__export_ruledesk_rules_priority_1_1_0_cabi!(
            Exports with_types_in $crate::bindings::exports::ruledesk::rules::priority
        );
    };
    (routing) => {
        $crate::__export_ruledesk_rules_routing_1_1_0_cabi!(
            Exports with_types_in $crate::bindings::exports::ruledesk::rules::routing
        );
    };
    (access) => {
        $crate::__export_ruledesk_rules_access_1_1_0_cabi!(
            Exports with_types_in $crate::bindings::exports::ruledesk::rules::access
        );
    };
    (closing) => {
        $crate::__export_ruledesk_rules_closing_1_1_0_cabi!(
            Exports with_types_in $crate::bindings::exports::ruledesk::rules::closing
        );
    };
}

/// Answers a test's question if it is for this stage.
#[doc(hidden)]
#[macro_export]
macro_rules! __ask {
    (intake, $rule:expr, $question:expr) => {
        $crate::__ask!(@ Intake intake $rule, $question)
    };
    (categorization, $rule:expr, $question:expr) => {
        $crate::__ask!(@ Categorization categorization $rule, $question)
    };
    (priority, $rule:expr, $question:expr) => {
        $crate::__ask!(@ Priority priority $rule, $question)
    };
    (routing, $rule:expr, $question:expr) => {
        $crate::__ask!(@ Routing routing $rule, $question)
    };
    (access, $rule:expr, $question:expr) => {
        $crate::__ask!(@ Access access $rule, $question)
    };
    (closing, $rule:expr, $question:expr) => {
        $crate::__ask!(@ Closing closing $rule, $question)
    };
    (@ $case:ident $stage:ident $rule:expr, $question:expr) => {
        if let $crate::testing::Question::$case(input) = $question {
            let answer = <Self as $crate::$stage::Rule>::decide($rule, input);
            return ::core::option::Option::Some($crate::testing::Reply::$case(answer));
        }
    };
}
