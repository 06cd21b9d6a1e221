//! Preconditions of a change: which version of a thing it is meant for (RFC 9110, section 13.1).

/// Versions that a client names, by their tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// Any version of a thing that exists.
    Any,
    OneOf(Vec<String>),
}

impl Tags {
    /// Whether this version is among them.
    pub fn have(&self, tag: &str) -> bool {
        match self {
            Tags::Any => true,
            Tags::OneOf(tags) => tags.iter().any(|named| named == tag),
        }
    }
}

/// The versions for which a change is meant, and those for which it is not; without either it is meant for any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    pub matches: Option<Tags>,
    pub none_matches: Option<Tags>,
}

impl Condition {
    /// Meant for this version alone.
    pub fn version(tag: impl Into<String>) -> Condition {
        Condition { matches: Some(Tags::OneOf(vec![tag.into()])), none_matches: None }
    }

    /// Meant for a thing that does not exist yet.
    pub fn absent() -> Condition {
        Condition { matches: None, none_matches: Some(Tags::Any) }
    }

    /// Whether it holds for a thing at this version, or for one that does not exist.
    pub fn holds_for(&self, tag: Option<&str>) -> bool {
        let among = |tags: &Tags| tag.is_some_and(|tag| tags.have(tag));
        self.matches.as_ref().is_none_or(among) && !self.is_known(tag.unwrap_or_default(), tag.is_some())
    }

    /// Whether the client has this version already.
    pub fn has(&self, tag: &str) -> bool {
        self.is_known(tag, true)
    }

    fn is_known(&self, tag: &str, exists: bool) -> bool {
        exists && self.none_matches.as_ref().is_some_and(|tags| tags.have(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_as_it_is_written() {
        let one_of = |tags: &[&str]| Some(Tags::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        let when = |matches, none_matches| Condition { matches, none_matches };
        assert!(when(None, None).holds_for(None) && when(None, None).holds_for(Some("1")));
        assert_eq!(Condition::version("1"), when(one_of(&["1"]), None));
        assert_eq!(Condition::absent(), when(None, Some(Tags::Any)));
        assert!(when(one_of(&["1", "2"]), None).holds_for(Some("2")));
        assert!(!when(one_of(&["1", "2"]), None).holds_for(Some("3")));
        assert!(!when(one_of(&["1"]), None).holds_for(None));
        assert!(when(Some(Tags::Any), None).holds_for(Some("9")) && !when(Some(Tags::Any), None).holds_for(None));
        assert!(when(None, Some(Tags::Any)).holds_for(None) && !when(None, Some(Tags::Any)).holds_for(Some("9")));
        assert!(!when(None, one_of(&["3"])).holds_for(Some("3")) && when(None, one_of(&["3"])).holds_for(Some("4")));
        assert!(when(None, one_of(&["3"])).has("3") && !when(one_of(&["3"]), None).has("3"));
    }
}
